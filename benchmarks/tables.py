"""How numbers are written."""

from collections.abc import Iterable, Sequence

DIED = "died of memory"
NONE = "-"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def seconds(value: float) -> str:
    """A time, three digits of it."""
    if value < 1:
        return f"{1000 * value:.3g} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def megabytes(value: float) -> str:
    """So many MB."""
    return f"{value / 1e6:,.0f} MB"


def times(value: float | None) -> str:
    """A ratio, as 0.63 x."""
    return NONE if value is None else f"{value:.2f} x"


def percent(value: float | None) -> str:
    """A share, as 4.9 %."""
    return NONE if value is None else f"{100 * value:.1f} %"
