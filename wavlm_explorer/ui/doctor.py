"""The doctor's page: what the chosen checkpoint is, and what is wrong with it, in words and pictures."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import streamlit as st

from ..audio import Audio
from ..checkpoints import CheckpointError
from ..diagnosis import Finding, Report, doctor
from ..diagnosis.page import document, pictures
from ..document import Plate
from ..figures.style import Palette
from .exhibits import show_exhibits
from .markdown import literal
from .memory import remember
from .model import Selection
from .progress import run_with_progress
from .reference import Reference
from .tool import Tool, hang

WHAT = (
    "A checkpoint can load without a complaint and still be wrong: a renamed tensor, a config of another size, a head "
    "that is dead. The doctor looks at every **name**, **shape** and **number** of the model that is chosen in the "
    "sidebar, also of one that was refused there, sends a few seconds of your **sound** through it, and says what it "
    "found and what to do."
)
TRY_THIS = (
    "Open the checkpoint's settings beside its name in the sidebar, set the *norm order* wrong, and see what the "
    "doctor makes of it. Then look at the pictures of a healthy one: do the layers resemble their neighbours?"
)
VERDICTS = (
    ("Sound", st.success, ":material/verified:"),
    ("Has warnings", st.warning, ":material/warning:"),
    ("Broken", st.error, ":material/dangerous:"),
)
SEVERITIES = {  # severity -> heading, icon, colour
    "error": ("Errors", ":material/dangerous:", "red"),
    "warning": ("Warnings", ":material/warning:", "orange"),
    "note": ("Notes", ":material/info:", "blue"),
}
OUTCOMES = {"ok": "✓ ok", "found": "✗ found something", "not applicable": "does not apply"}


def show(selection: Selection, audio: Audio | None, palette: Palette) -> None:
    """Draw the page."""
    st.title(DOCTOR.title)
    st.markdown(WHAT)
    st.markdown(f":primary-background[**Try this**] {TRY_THIS}")
    if selection.reference is None:
        st.info(selection.advice, icon=":material/arrow_back:")
        return
    try:
        report, plates = _examined(selection.reference, selection, audio)
    except (CheckpointError, OSError, MemoryError, RuntimeError) as error:
        st.error(f"**Broken: it cannot be opened.** {literal(error)}", icon=":material/dangerous:")
        return
    _show_verdict(report, plates)
    _show_facts(report)
    _show_findings(report.findings)
    if plates:
        st.subheader("Pictures")
        show_exhibits(hang(plate, palette) for plate in plates)
    _show_checks(report)


def _examined(reference: Reference, selection: Selection, audio: Audio | None) -> tuple[Report, list[Plate]]:
    """Examine once for the session, and let go of the weights."""
    key = (reference.key, tuple(selection.overrides.items()), audio.digest if audio else "")

    def examine() -> tuple[Report, list[Plate]]:
        def work(tell: Callable[[float], None]) -> tuple[Report, list[Plate]]:
            report = doctor(reference.open(), audio, tell, **selection.overrides)
            return replace(report, subject=None), pictures(report)

        return run_with_progress(key, f"Examining {literal(reference.name)}", work)

    return remember("reports", key, examine)


def _show_verdict(report: Report, plates: list[Plate]) -> None:
    verdict, box, icon = VERDICTS[report.exit_code]
    counts = [
        f"{count} {severity}{'' if count == 1 else 's'}"
        for severity in SEVERITIES
        if (count := sum(finding.severity == severity for finding in report.findings))
    ]
    made = sum(checked.outcome != "not applicable" for checked in report.checks)
    box(f"**{verdict}.** {', '.join(counts) or 'Nothing'} in {made} checks. {literal(report.summary)}", icon=icon)
    with st.container(horizontal=True):
        for label, make, file, mime in (
            ("Report (HTML)", lambda: document(report, plates).to_html(), "doctor.html", "text/html"),
            ("Report (JSON)", report.to_json, "doctor.json", "application/json"),
        ):
            st.download_button(label, make, file, mime, icon=":material/download:", on_click="ignore", key=file)


def _show_facts(report: Report) -> None:
    st.subheader("What it is")
    facts = list(report.facts.items())
    half = (len(facts) + 1) // 2
    for column, part in zip(st.columns(2, gap="medium"), (facts[:half], facts[half:]), strict=True):
        rows = [{"": f"**{literal(name)}**", " ": literal(value)} for name, value in part]
        if rows:
            column.table(rows, border="horizontal", hide_header=True, hide_index=True)


def _show_findings(findings: Iterable[Finding]) -> None:
    for severity, (heading, icon, colour) in SEVERITIES.items():
        chosen = [finding for finding in findings if finding.severity == severity]
        if chosen:
            st.subheader(f"{heading} ({len(chosen)})")
        for finding in chosen:
            with st.container(border=True, gap="xsmall"):
                where = f" :grey[{literal(finding.where)}]" if finding.where else ""
                st.markdown(f":{colour}[{icon} **{literal(finding.check)}**]{where}")
                st.markdown(literal(finding.found))
                if finding.advice:
                    st.markdown(f":material/healing: {literal(finding.advice)}")


def _show_checks(report: Report) -> None:
    with st.expander(f"All {len(report.checks)} checks"):
        rows = [
            {"what": checked.family, "check": checked.check, "looks at": checked.looks_at,
             "outcome": OUTCOMES[checked.outcome], "why": checked.reason}
            for checked in report.checks
        ]  # fmt: skip
        st.dataframe(rows, hide_index=True, width="stretch")


DOCTOR = Tool("doctor", "Doctor", "stethoscope", show)
