"""What a check is: a small function that looks at one thing and says what is wrong with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from .subject import Subject

Severity = Literal["note", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")

# What a check can presuppose, and what is said where it is not so.
NEEDS = {
    "config": "there is no config that makes sense",
    "trained": "the weights are not trained",
    "bias": "there is no position bias of the expected shape",
    "gate": "there is no gate",
    "model": "no model can be made of the checkpoint",
    "clip": "no clip went through the model",
}


class Problem(NamedTuple):
    """What a check yields: where (a tensor, layer or head), what was found, what to do."""

    where: str
    found: str
    advice: str
    severity: Severity | None = None  # None: the check's own


Function = Callable[["Subject"], Iterator[Problem]]


@dataclass(frozen=True)
class Check:
    """A function with its name, its severity, what it presupposes and, in its docstring, what it looks at and why."""

    name: str
    severity: Severity
    needs: tuple[str, ...]
    run: Function

    @property
    def looks_at(self) -> str:
        """The first sentence of the function's docstring."""
        return " ".join((self.run.__doc__ or "").strip().split("\n\n")[0].split())


def check(severity: Severity, *needs: str) -> Callable[[Function], Check]:
    """Make a Check of a function; its name is the function's, with dashes."""
    assert set(needs) <= NEEDS.keys(), needs

    def wrap(function: Function) -> Check:
        return Check(function.__name__.replace("_", "-"), severity, needs, function)

    return wrap


def listing(names: list[str], most: int = 6) -> str:
    """Write the first few names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
