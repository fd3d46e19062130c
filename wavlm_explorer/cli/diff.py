"""wavlm-explorer diff: two checkpoints side by side."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from .options import CHECKPOINT_HELP, AudioOption, HtmlOption, JsonOption, SetOption, read_clip, read_settings
from .terminal import explained, output, progress, styled, table, write_page

if TYPE_CHECKING:
    from ..comparison.behaviour import Behaviour
    from ..comparison.difference import Difference

EXAMPLES = """Examples:

wavlm-explorer diff WavLM-Base+.pt my-finetuned/

wavlm-explorer diff a.pt b.safetensors --audio speech.wav --html diff.html

wavlm-explorer diff a.pt b.pt --json | jq .parts

Exit code: 0 the same model, 1 different, 2 trouble."""
MOST_MOVED, MOST_MARKED = 8, 24
MARKS = {
    "only in a": ("-", "red"),
    "only in b": ("+", "green"),
    "other shape": ("≠", "red"),
    "not finite": ("!", "red"),
}


def command(
    a: Annotated[str, typer.Argument(metavar="A", help=CHECKPOINT_HELP)],
    b: Annotated[str, typer.Argument(metavar="B", help="Likewise.")],
    audio: AudioOption = None,
    json: JsonOption = False,
    html: HtmlOption = None,
    settings: SetOption = None,
) -> None:
    """Compare two checkpoints: what moved, and what that does to a clip.

    They may be of different layouts. Without --audio a bundled sentence is the clip.
    """
    with explained():
        overrides = read_settings(settings)
        with progress("Comparing") as share_done:
            from ..comparison import diff

            difference = diff(a, b, read_clip(audio), share_done, **overrides)
            page = difference.to_html() if html else ""
        if html:
            write_page(html, page)
    if json:
        typer.echo(difference.to_json())
    else:
        _show(output(), difference)
    raise typer.Exit(difference.exit_code)


def _show(console: Console, difference: "Difference") -> None:
    for letter, side in (("A", difference.a), ("B", difference.b)):
        head = f", head for {side.head}" if side.head else ""
        console.print(Text.assemble((f"{letter}  ", "bold"), styled(side.name), f"  ({side.layout} layout{head})"))
    console.print()
    console.print(styled(difference.summary))
    if difference.is_same:
        return
    for title, block in _blocks(difference):
        console.print()
        console.print(Text(title, "bold underline"))
        console.print(block)


def _blocks(difference: "Difference") -> Iterator[tuple[str, RenderableType]]:
    from ..comparison.summary import percent
    from ..comparison.tensors import by_part, relative_change

    if difference.fields:
        rows = [(one.name, one.value_a, one.how_a, one.value_b, one.how_b,
                 "in training only" if one.is_for_training_only else "yes") for one in difference.fields]  # fmt: skip
        yield "Config", table(("field", "A", "how known", "B", "how known", "matters"), rows)
    parts = {part: relative_change(ones) for part, ones in by_part(difference.tensors).items()}
    largest = max((change or 0.0 for change in parts.values()), default=0.0)
    rows = [(part, percent(change), _bar(change, largest)) for part, change in parts.items()]
    yield "What moved, ||B - A|| / ||A||", table(("part", "change", ""), rows, right=("change",))
    moved = sorted(
        (one for one in difference.tensors if one.relative_change), key=lambda one: -(one.relative_change or 0)
    )
    if moved:
        rows = [(one.name, percent(one.relative_change), f"{one.cosine or 0:.4f}") for one in moved[:MOST_MOVED]]
        yield "Tensors that moved most", table(("tensor", "change", "cosine"), rows, right=("change", "cosine"))
    if marked := [one for one in difference.tensors if one.status in MARKS]:
        rows = [(Text(*MARKS[one.status]), one.status.replace(" a", " A").replace(" b", " B"), one.name,
                 _shapes(one.shape_a, one.shape_b)) for one in marked]  # fmt: skip
        rest = f", the first {MOST_MARKED} of {len(rows)} (--json has all)" if len(rows) > MOST_MARKED else ""
        yield f"Without a counterpart{rest}", table(("", "status", "tensor", "shape"), rows[:MOST_MARKED])
    if difference.behaviour is not None:
        yield from _behaviour(difference.behaviour)


def _behaviour(behaviour: "Behaviour") -> Iterator[tuple[str, RenderableType]]:
    if behaviour.has_equal_depth:
        cosine = behaviour.cosine
        rows = [
            ("enters layer 0" if state == 0 else f"leaves layer {state - 1}", f"{behaviour.cka[state, state]:.4f}",
             f"{behaviour.debiased_cka[state, state]:.4f}", "" if cosine is None else f"{cosine[state]:.4f}")
            for state in range(len(behaviour.cka))
        ]  # fmt: skip
        title = f"Hidden states on {behaviour.clip}, {behaviour.seconds:.2f} s"
        yield title, table(("state", "CKA", "debiased", "cosine"), rows, right=("CKA", "debiased", "cosine"))
    if behaviour.divergence is not None:
        parts = behaviour.divergence
        rows = [
            (f"layer {layer}", f"{parts.content[layer].mean():.4f}", f"{parts.position[layer].mean():.4f}",
             f"{parts.total[layer].mean():.4f}", f"head {parts.total[layer].argmax()}: {parts.total[layer].max():.4f}")
            for layer in range(len(parts.total))
        ]  # fmt: skip
        columns = ("", "content", "position", "both", "most")
        yield "Attention, Jensen-Shannon divergence in bits", table(columns, rows, right=columns[1:4])


def _bar(change: float | None, largest: float) -> Text:
    return Text("█" * round(24 * (change or 0.0) / largest) if largest else "", "cyan")


def _shapes(a: tuple[int, ...] | None, b: tuple[int, ...] | None) -> str:
    shapes = ["x".join(map(str, shape)) for shape in (a, b) if shape is not None]
    return " -> ".join(shapes)
