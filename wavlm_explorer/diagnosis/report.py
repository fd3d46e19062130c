"""What the doctor hands over: findings, the list of all that was checked, and what the checkpoint is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .check import SEVERITIES, Severity

if TYPE_CHECKING:
    from .subject import Subject

SCHEMA = 1  # of the JSON; it grows by new fields only, or this number does


@dataclass(frozen=True)
class Finding:
    """One thing that a check found."""

    severity: Severity
    check: str  # a short name that stays, such as "dead-gate"
    where: str  # tensor, layer or head, in the original's names
    found: str
    advice: str


@dataclass(frozen=True)
class Checked:
    """A check that was made, or why it was not."""

    check: str
    family: str
    looks_at: str
    outcome: Literal["ok", "found", "not applicable"]
    reason: str = ""  # why it is not applicable


@dataclass(frozen=True)
class Report:
    """The doctor's report on one checkpoint.

    `summary` says in a sentence what it is, `facts` in a table. `findings` come worst first; `checks` lists all that
    was looked at, so that a clean bill says what is clean.
    """

    name: str
    summary: str
    facts: Mapping[str, str]
    findings: tuple[Finding, ...]
    checks: tuple[Checked, ...]
    subject: "Subject | None" = field(default=None, repr=False, compare=False)  # for the pictures

    @property
    def ok(self) -> bool:
        """Whether there are no findings but notes."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0 for nothing or notes, 1 for warnings, 2 for errors."""
        return max((SEVERITIES.index(finding.severity) for finding in self.findings), default=0)

    def to_json(self) -> str:
        """Return the report as JSON, for scripts: schema, name, ok, exit_code, summary, facts, findings, checks.

        findings: severity, check, where, found, advice. checks: check, family, looks_at, outcome, reason.
        """
        content: dict[str, Any] = {
            "schema": SCHEMA,
            "name": self.name,
            "ok": self.ok,
            "exit_code": self.exit_code,
            "summary": self.summary,
            "facts": dict(self.facts),
            "findings": [vars(finding) for finding in self.findings],
            "checks": [vars(checked) for checked in self.checks],
        }
        return json.dumps(content, indent=2, ensure_ascii=False)

    def to_html(self) -> str:
        """Return the report as one HTML file, pictures included, that needs no network."""
        from .page import document

        return document(self).to_html()
