"""doctor: make every check that applies to a checkpoint, and never fall over what is wrong with it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..audio import Audio, load_audio
from ..checkpoints import CheckpointError, read_checkpoint
from ..checkpoints.reading import CheckpointSource
from ..samples import load_sample
from . import activations, architecture, gates, heads, layers, naming, order, origin, positions, values
from .check import SEVERITIES, Check, listing
from .facts import describe, list_facts
from .report import Checked, Finding, Report
from .subject import Subject

FAMILIES: dict[str, tuple[Check, ...]] = {
    "Loading and naming": naming.CHECKS,
    "Origin": origin.CHECKS,
    "Architecture against config": architecture.CHECKS,
    "Values": values.CHECKS,
    "Layers against each other": (*layers.CHECKS, *order.CHECKS),
    "Heads": heads.CHECKS,
    "Gates": gates.CHECKS,
    "Positions": positions.CHECKS,
    "On a clip": activations.CHECKS,
}
DEFAULT_CLIP = "sentence"
MOST_FINDINGS = 20  # of one check; the rest is counted


def doctor(
    source: CheckpointSource,
    audio: Audio | str | Path | None = None,
    progress: Callable[[float], None] | None = None,
    **overrides: Any,
) -> Report:
    """Examine a checkpoint: what it is, whether it loaded wholly and right, and what is wrong with it.

    source: what `load_model` takes. audio: a clip to send through it, four seconds of which are used; None for the
    bundled sentence. progress: called with the share done, 0 to 1. overrides: fields of the config to set.

    Whatever the source, this returns a report; a source that cannot be read at all is a report with an error.

    Raises: TypeError for an override that is no field.
    """
    name = name_of(source)
    try:
        clip = audio if isinstance(audio, Audio) else load_audio(audio) if audio else load_sample(DEFAULT_CLIP)
        subject = Subject(read_checkpoint(source, **overrides), clip)
    except TypeError as error:
        if overrides and "no field" in str(error):
            raise
        return unreadable(name, error)
    except Exception as error:  # a stranger's file: any failure is a statement about it
        return unreadable(name, error)
    findings, checks = examine(subject, progress)
    findings.sort(key=lambda finding: -SEVERITIES.index(finding.severity))
    return Report(
        subject.checkpoint.name, describe(subject), list_facts(subject), tuple(findings), tuple(checks), subject
    )


def examine(subject: Subject, progress: Callable[[float], None] | None = None) -> tuple[list[Finding], list[Checked]]:
    """Make every check that applies."""
    findings: list[Finding] = []
    checks: list[Checked] = []
    everything = list(all_checks())
    for index, (family, check) in enumerate(everything):
        found, checked = make(family, check, subject)
        findings += found
        checks.append(checked)
        if progress is not None:
            progress((index + 1) / len(everything))
    return findings, checks


def make(family: str, check: Check, subject: Subject) -> tuple[list[Finding], Checked]:
    """Make one check, if it applies; one that falls over the checkpoint says so in a finding."""
    try:
        reason = subject.lacks(check)
        problems = [] if reason else list(check.run(subject))
    except Exception as error:  # what is so broken that a check breaks over it is a finding, not a crash
        text = f"The check could not be made: {type(error).__name__}: {error}"
        finding = Finding("warning", check.name, subject.checkpoint.name, text, "The checkpoint is too damaged for it.")
        return [finding], Checked(check.name, family, check.looks_at, "found")
    findings = [
        Finding(problem.severity or check.severity, check.name, problem.where, problem.found, problem.advice)
        for problem in problems[:MOST_FINDINGS]
    ]
    if rest := [problem.where for problem in problems[MOST_FINDINGS:]]:
        findings.append(Finding(check.severity, check.name, listing(rest), f"{len(rest)} more of this kind.", ""))
    outcome = "not applicable" if reason else "found" if findings else "ok"
    return findings, Checked(check.name, family, check.looks_at, outcome, reason)


def unreadable(name: str, error: Exception) -> Report:
    """Report on a source that no checkpoint could be read from."""
    is_ours = isinstance(error, CheckpointError | FileNotFoundError | OSError | TypeError)
    text = str(error) if is_ours else f"{type(error).__name__}: {error}"
    advice = "If that does not help, compare the file's size with where it came from, and fetch it again."
    if isinstance(error, FileNotFoundError | TypeError):
        advice = "Check the name or the path."
    finding = Finding("error", naming.readable.name, name, text, advice)
    checks = [
        Checked(check.name, family, check.looks_at, "found")
        if check is naming.readable
        else Checked(check.name, family, check.looks_at, "not applicable", "the source could not be read")
        for family, check in all_checks()
    ]
    return Report(name, f"{name}: not readable as a WavLM checkpoint.", {"source": name}, (finding,), tuple(checks))


def name_of(source: Any) -> str:
    """What to call a source in a report."""
    if isinstance(source, str | Path):
        return Path(source).name or str(source)
    if isinstance(source, bytes):
        return "checkpoint"
    if isinstance(source, Mapping):
        return "a state dict"
    name = getattr(source, "name", "")
    return Path(name).name if isinstance(name, str) and name else f"a {type(source).__name__}"


def all_checks() -> Iterator[tuple[str, Check]]:
    """Every check with its family, in the order in which they are made."""
    for family, checks in FAMILIES.items():
        for check in checks:
            yield family, check
