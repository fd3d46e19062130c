"""wavlm-explorer, the command. Each command imports what it needs when it runs, so that --help answers at once."""

import sys
import traceback
from typing import Annotated

import typer

from . import convert, diff, doctor, report, run
from .terminal import TROUBLE

app = typer.Typer(
    name="wavlm-explorer",
    help="See what the speech model WavLM attends to; say what is wrong with a checkpoint, and what fine-tuning moved.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every command explains itself with examples: wavlm-explorer doctor --help",
)
COMMANDS = {"run": run, "doctor": doctor, "diff": diff, "convert": convert, "report": report}
for name, module in COMMANDS.items():
    app.command(name, epilog=module.EXAMPLES)(module.command)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"wavlm-explorer {version('wavlm-explorer')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Take the options that belong to no command."""


def main() -> None:
    """Run the command; whatever goes wrong unforeseen is shown and is trouble, never a finding of doctor or diff."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        app()
    except Exception:
        traceback.print_exc()
        sys.exit(TROUBLE)
