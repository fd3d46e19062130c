"""wavlm-explorer report: what the explorer's pages show of one voice, on one page."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import CHECKPOINT_HELP, SetOption, read_settings
from .terminal import explained, progress, write_page

if TYPE_CHECKING:
    from ..tracing import Trace

EXAMPLES = """Examples:

wavlm-explorer report voice.m4a --model base-plus -o report.html

wavlm-explorer report talk.mp3 --start 61.5 --duration 8 --layer 9 --head 2

wavlm-explorer report voice.m4a --page attention --page gate

wavlm-explorer report voice.m4a --page what-if --what-if "head off in layer 3 head 2"

What --what-if takes:

head off, head mean, content off, position off, position from HEAD,
gate NUMBER, attention uniform, attention within FRAMES,
attention to FRAME: each with a place, as in layer 3 head 0-2, or without;

skip layer LAYERS, hide FRAMES (such as hide 120-135),
patch state STATE from SAMPLE, patch state STATE frames FRAMES from SAMPLE,
patch state STATE frames FRAMES from SAMPLE frames FRAMES.

Exit code: 0 written, 2 trouble."""
MAX_SECONDS = 60.0
PagesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--page",
        metavar="NAME",
        help="As in the explorer's links, such as attention; again for more. All, if none is named.",
        show_default=False,
    ),
]
ChangesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--what-if",
        metavar="CHANGE",
        help="What is changed on the page what-if, as below; again for more, all at once.",
        show_default=False,
    ),
]


def command(
    voice: Annotated[Path, typer.Argument(metavar="VOICE", help="Any recording: wav, mp3, m4a, webm, ...")],
    model: Annotated[str, typer.Option("--model", help=CHECKPOINT_HELP)] = "nano",
    start: Annotated[float, typer.Option("--start", help="Seconds from its beginning.", min=0.0)] = 0.0,
    duration: Annotated[
        float, typer.Option("--duration", help="Seconds, or all that is left.", min=0.025, max=MAX_SECONDS)
    ] = 10.0,
    layer: Annotated[int | None, typer.Option("--layer", help="From 0; the middle one.", show_default=False)] = None,
    head: Annotated[int | None, typer.Option("--head", help="From 0; the first.", show_default=False)] = None,
    pages: PagesOption = None,
    changes: ChangesOption = None,
    settings: SetOption = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The page to write.")] = Path(
        "report.html"
    ),
) -> None:
    """Write what WavLM attends to in a recording as one self-contained page."""
    with explained():
        overrides = read_settings(settings)
        with progress("Listening") as share_done:
            from ..audio import load_audio
            from ..checkpoints import load_model
            from ..report import find_pages, make_report
            from ..tracing import trace

            find_pages(pages)  # a name that is none is told before the work, as is a change
            _check_changes(changes, pages)
            audio = load_audio(voice, start=start, duration=duration)
            traced = trace(load_model(model, **overrides), audio, progress=share_done)
            chosen = {name: value for name, value in (("layer", layer), ("head", head)) if value is not None}
            chosen |= _choose_changes(changes, traced)
        with progress("Drawing") as share_done:
            text = make_report(traced, pages, share_done, **chosen).to_html()
        write_page(output, text)


def _check_changes(changes: list[str] | None, pages: list[str] | None) -> None:
    """Refuse what can be told to be no change, or for no page, without a trace."""
    from ..notation import find_form
    from ..views.what_if import VIEW

    if changes and pages and VIEW.name not in pages:
        raise ValueError(f"--what-if: expected --page {VIEW.name} beside it, or no --page; found --page {pages[-1]}")
    for change in changes or ():
        with _about(change):
            find_form(change)


def _choose_changes(changes: list[str] | None, trace: "Trace") -> dict[str, Any]:
    """Turn changes into what is chosen on their page; without any, what it has at first is left."""
    from ..notation import parse_intervention
    from ..views.changes import NOTHING

    for change in changes or ():
        with _about(change):
            parse_intervention(change, trace)
    return {"changes": tuple(changes), "what_if": NOTHING} if changes else {}


@contextmanager
def _about(change: str) -> Iterator[None]:
    """Say of several changes with which something is wrong."""
    try:
        yield
    except (ValueError, IndexError) as error:
        raise ValueError(f"--what-if {change!r}: {error}") from None
