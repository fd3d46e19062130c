"""wavlm-explorer doctor: what a checkpoint is, and what is wrong with it."""

from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from .options import AudioOption, CheckpointArgument, HtmlOption, JsonOption, SetOption, read_clip, read_settings
from .terminal import explained, indented, output, progress, styled, write_page

if TYPE_CHECKING:
    from ..diagnosis import Report

EXAMPLES = """Examples:

wavlm-explorer doctor my.pt

wavlm-explorer doctor my-finetuned/ --audio speech.wav --html findings.html

wavlm-explorer doctor bare_state_dict.pt --set normalize=true --json

Exit code: 0 healthy (notes at most), 1 warnings, 2 errors, or a file that cannot be read."""
STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def command(
    checkpoint: CheckpointArgument,
    audio: AudioOption = None,
    json: JsonOption = False,
    html: HtmlOption = None,
    settings: SetOption = None,
) -> None:
    """Say what a checkpoint is, whether it loads wholly and right, and what is wrong with it."""
    with explained():
        overrides = read_settings(settings)
        with progress("Examining") as share_done:
            from ..diagnosis import doctor

            report = doctor(checkpoint, read_clip(audio), share_done, **overrides)
            page = report.to_html() if html else ""
        if html:
            write_page(html, page)
    if json:
        typer.echo(report.to_json())
    else:
        _show(output(), report)
    raise typer.Exit(report.exit_code)


def _show(console: Console, report: "Report") -> None:
    console.print(styled(report.name, "bold"))
    console.print(styled(report.summary))
    for severity in STYLES:
        for finding in report.findings:
            if finding.severity == severity:
                _show_finding(console, finding)
    numbers = {severity: sum(one.severity == severity for one in report.findings) for severity in STYLES}
    counts = [f"{number} {severity}{'' if number == 1 else 's'}" for severity, number in numbers.items()]
    console.print()
    console.print(Text(f"{len(report.checks)} checks: {', '.join(counts)}."))


def _show_finding(console: Console, finding) -> None:
    console.print()
    where = f"  {finding.where}" if finding.where else ""
    console.print(
        Text.assemble(
            (finding.severity, STYLES[finding.severity]), "  ", styled(finding.check, "bold"), styled(where, "dim")
        )
    )
    console.print(indented(console, finding.found))
    if finding.advice:
        console.print(indented(console, f"-> {finding.advice}"))
