"""The doctor: what is a checkpoint, did it load wholly and right, and what is wrong with it?"""

from .check import Severity
from .examination import doctor
from .report import Checked, Finding, Report

__all__ = ["Checked", "Finding", "Report", "Severity", "doctor"]
