"""Numbers to tables: the part of docs/model-card.md that no one writes by hand."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

START, END = "<!-- figures: renewed by python -m training.evidence -->", "<!-- end of figures -->"

Numbers = dict[str, Any]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def accuracy_table(numbers: Numbers) -> str:
    """Hidden frames guessed right, by split."""
    columns = ("trained", "commonest class", "untrained", "untrained, head taught")
    shares = numbers["accuracy"]
    rows = [[split, *(f"{shares[split][name]:.1%}" for name in columns)] for split in shares]
    return table(["speech", *columns], rows)


def locality_table(numbers: Numbers) -> str:
    """How many heads are local, how strong the bias is, how far the gates reach."""
    rows = []
    for name in ("trained", "untrained"):
        heads = numbers["heads"][name]
        low, high = (pick(gate) for pick, gate in zip((min, max), zip(*heads["gates"], strict=True), strict=True))
        local = [str(count) for count in heads["local_heads"].values()]
        rows.append([name, *local, f"{heads['bias_std']:.2f}", f"{low:.2f} to {high:.2f}"])
    return table(["model", "local within 100 ms", "within 200 ms", "bias, standard deviation", "gates"], rows)


def rounding_table(numbers: Numbers) -> str:
    """What the file's half precision changes."""
    change = numbers["rounding"]
    return table(["any attention weight, at most", "output, relatively"], [[f"{change[key]:.4f}" for key in change]])


def measures_table(numbers: Numbers) -> str:
    """The least, the median and the largest head for each measure."""
    rows = []
    for measure in numbers["heads"]["trained"]["measures"]:
        cells = [measure]
        for name in ("trained", "untrained"):
            values = sorted(chain.from_iterable(numbers["heads"][name]["measures"][measure]))
            cells += [
                f"{value:.{0 if abs(value) >= 100 else 2}f}"
                for value in (values[0], values[len(values) // 2], values[-1])
            ]
        rows.append(cells)
    names = [f"{name}, {which}" for name in ("trained", "untrained") for which in ("least", "median", "largest")]
    return table(["measure", *names], rows)


def phones_table(numbers: Numbers) -> str:
    """Cluster purity and agreement of neighbours, by layer."""
    rows = [
        [name, f"{values['purity']:.1%}", f"{values['agreement']:.1%}"]
        for name, values in numbers["phones"].items()
        if name != "frames"
    ]
    return table(["features", "cluster purity", "nearest frame agrees"], rows)


def exemplars_table(numbers: Numbers) -> str:
    """The heads to teach with."""
    rows = [
        [head["name"], str(head["layer"]), str(head["head"]), f"{head['score']:.2f}"] for head in numbers["exemplars"]
    ]
    return table(["what it does", "layer", "head", "score"], rows)


def tables(numbers: Numbers) -> str:
    """All of them, each under its heading."""
    parts = {
        "Hidden frames guessed right": accuracy_table(numbers),
        "Position": locality_table(numbers),
        "Half precision on disk": rounding_table(numbers),
        "Measures of the 36 heads": measures_table(numbers),
        "Phones": phones_table(numbers),
        "Heads to teach with": exemplars_table(numbers),
    }
    return "\n\n".join(f"### {heading}\n\n{text}" for heading, text in parts.items())


def renew_tables(card: Path, numbers: Numbers) -> None:
    """Put fresh tables between the card's marks.

    Raises: ValueError for a card without the marks.
    """
    text = card.read_text(encoding="utf-8")
    if text.count(START) != 1 or text.count(END) != 1:
        raise ValueError(f"{card}: expected the lines {START!r} and {END!r}, once each")
    before, after = text.split(START)[0], text.split(END)[1]
    card.write_text(f"{before}{START}\n\n{tables(numbers)}\n\n{END}{after}", encoding="utf-8")
