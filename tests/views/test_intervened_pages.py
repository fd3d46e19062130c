"""Every page of a trace under interventions: of heads that see hardly a key, or none, and of a sound half hidden."""

import numpy as np
import pytest
from models import VARIANTS, make_audio, make_model
from pages import show_page
from traces import digest

import wavlm_explorer as wx
from wavlm_explorer.interventions import (
    AttentionTo,
    AttentionWithin,
    ContentOff,
    FramesHidden,
    GateFixed,
    HeadsOff,
    LayersSkipped,
    PositionOff,
)
from wavlm_explorer.views import VIEWS, Exhibit

BY_NAME = {view.name: view for view in VIEWS}
INTERVENTIONS = {
    "hardly a key": [AttentionWithin(1), GateFixed(0.0), HeadsOff(mean=True), FramesHidden(slice(0, 12))],
    "no key": [AttentionTo(0), AttentionWithin(2), ContentOff(), PositionOff(layers=1), LayersSkipped(2)],
}


@pytest.fixture(scope="module", params=INTERVENTIONS)
def trace(request):
    return wx.trace(make_model(VARIANTS["glu"]), make_audio(0.5), interventions=INTERVENTIONS[request.param])


@pytest.mark.parametrize("name", BY_NAME)
def test_every_page_shows_numbers(name, trace):
    before = digest(trace.model)
    for exhibit in (item for item in show_page(BY_NAME[name], trace) if isinstance(item, Exhibit)):
        assert "nan" not in exhibit.caption.lower()
        assert "inf" not in exhibit.caption.lower().replace("infinity", "")
        for array_name, array in exhibit.arrays().items():
            is_logits = exhibit.name == "attention_terms" and array_name == "logits"
            numbers = array[~np.isneginf(array)] if is_logits else array
            assert array.dtype.kind == "U" or np.isfinite(numbers).all(), (exhibit.name, array_name)
        assert exhibit.picture.to_bytes("png", 30).startswith(b"\x89PNG")
    assert digest(trace.model) == before
