"""Chapter: how the heads were born."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..birth import distance_share, first_moment, load_birth
from ..figures.style import Palette
from ..tracing import Trace
from ..views.birth import choices, show_moment
from ..views.view import Exhibit
from .chapter import Scene, Verdict

MOST = 0.5  # of what makes the maps uneven


def begin(trace: Trace) -> dict[str, Any]:
    """Before the first step."""
    return {"birth_moment": 0}


def exhibits(trace: Trace, palette: Palette, birth_moment: int) -> Iterator[Exhibit]:
    """Yield all that is known of one moment."""
    yield show_moment(load_birth(), birth_moment, palette)


def judge(trace: Trace, birth_moment: int) -> Verdict:
    """Done at the first moment at which most of what makes the maps uneven follows distance."""
    birth = load_birth()
    shares = np.array([distance_share(birth, moment) for moment in range(len(birth.steps))])
    first = first_moment(shares, MOST)
    words = (
        f"At step {birth.steps[birth_moment]:,}, {shares[birth_moment]:.0%} of what makes the maps uneven follows "
        "distance alone."
    )
    if birth_moment > first and shares[birth_moment] >= MOST:
        words += " But there is an earlier moment with more than half."
    return Verdict(birth_moment == first, words)


SCENE = Scene("birth", choices, begin, exhibits, judge)
