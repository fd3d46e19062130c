"""wavlm-explorer report: what the explorer's pages show of one voice, on one page."""

from pathlib import Path
from typing import Annotated

import typer

from .options import CHECKPOINT_HELP, SetOption, read_settings
from .terminal import explained, progress, write_page

EXAMPLES = """Examples:

wavlm-explorer report voice.m4a --model base-plus -o report.html

wavlm-explorer report talk.mp3 --start 61.5 --duration 8 --layer 9 --head 2

wavlm-explorer report voice.m4a --page attention --page gate

Exit code: 0 written, 2 trouble."""
MAX_SECONDS = 60.0


def command(
    voice: Annotated[Path, typer.Argument(metavar="VOICE", help="Any recording: wav, mp3, m4a, webm, ...")],
    model: Annotated[str, typer.Option("--model", help=CHECKPOINT_HELP)] = "nano",
    start: Annotated[float, typer.Option("--start", help="Seconds from its beginning.", min=0.0)] = 0.0,
    duration: Annotated[
        float, typer.Option("--duration", help="Seconds, or all that is left.", min=0.025, max=MAX_SECONDS)
    ] = 10.0,
    layer: Annotated[int | None, typer.Option("--layer", help="From 0; the middle one.", show_default=False)] = None,
    head: Annotated[int | None, typer.Option("--head", help="From 0; the first.", show_default=False)] = None,
    pages: Annotated[
        list[str] | None,
        typer.Option(
            "--page",
            metavar="NAME",
            help="As in the explorer's links, such as attention; again for more. All, if none is named.",
            show_default=False,
        ),
    ] = None,
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

            find_pages(pages)  # a name that is none is told before the work
            audio = load_audio(voice, start=start, duration=duration)
            traced = trace(load_model(model, **overrides), audio, progress=share_done)
        with progress("Drawing") as share_done:
            chosen = {name: value for name, value in (("layer", layer), ("head", head)) if value is not None}
            text = make_report(traced, pages, share_done, **chosen).to_html()
        write_page(output, text)
