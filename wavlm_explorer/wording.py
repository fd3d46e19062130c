"""Numbers as people write and say them, in captions and on pictures."""


def duration(milliseconds: float) -> str:
    """Write a time as people say it: "40 ms", "1.6 s"."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.3g} s"


def name_place(milliseconds: float) -> str:
    """Write a distance from a frame as a place: "40 ms back", "1.6 s ahead", or "the frame itself"."""
    if milliseconds == 0:
        return "the frame itself"
    return f"{duration(abs(milliseconds))} {'back' if milliseconds < 0 else 'ahead'}"


def signed(number: float) -> str:
    """Write a number with two decimals, its sign, and a true minus: "+0.25", "−1.50"."""
    return f"{number:+.2f}".replace("-", "−")


def name_growth(p: float, steps: int) -> str:
    """Write (1 / (1 - p))^steps so that it can be read: 194, 524,288 or 1.0e+17."""
    growth = (1 - p) ** -float(steps)
    return f"{growth:.3g}" if growth < 1000 else f"{growth:,.0f}" if growth < 1e7 else f"{growth:.1e}"


def name_share(share: float) -> str:
    """Write a share in percent with two digits that matter: 35%, 0.52%, or "less than 0.0001%"."""
    if 0 < share < 1e-6:
        return "less than 0.0001%"
    return f"{share:.0%}" if share >= 0.1 else f"{100 * share:.2g}%"


def name_length(ratio: float) -> str:
    """Write a length against another: "35% of its length", or "82 times its length"."""
    return f"{ratio:,.0f} times its length" if ratio >= 10 else f"{name_share(ratio)} of its length"
