"""Traces that many tests look at."""

import pytest
from models import VARIANTS, make_audio, make_model

from wavlm_explorer.tracing import Trace, trace


@pytest.fixture(params=list(VARIANTS))
def any_trace(request) -> Trace:
    """A trace of each kind of model."""
    return trace(make_model(VARIANTS[request.param]), make_audio())


@pytest.fixture
def tiny_trace() -> Trace:
    """A trace of one small post-norm model with a gated position bias."""
    return trace(make_model(), make_audio())
