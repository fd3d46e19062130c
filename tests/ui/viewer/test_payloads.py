"""What the browser fetches is what the trace says."""

import io
import wave

import numpy as np
import pytest
import torch
from blocks import unpack
from traces import make_trace

from wavlm_explorer import Trace
from wavlm_explorer.figures.reduction import max_pool
from wavlm_explorer.ui.viewer import payloads
from wavlm_explorer.ui.viewer.payloads import make


def fetch(trace: Trace, what: str, **wanted: int) -> dict:
    return unpack(make(trace, what, {name: str(number) for name, number in wanted.items()}))


def decoded(found: dict) -> np.ndarray:
    return found["cells"] * found["row_max"][..., None] / 255


def assert_within_a_byte(found: dict, weights: torch.Tensor) -> None:
    step = weights.amax(-1, keepdim=True).numpy() / 255
    assert (np.abs(decoded(found) - weights.numpy()) <= step * 0.5001).all()


def test_the_sound_is_what_the_model_heard():
    trace = make_trace(start=1.5)
    found = fetch(trace, "sound")
    assert (found["start"], found["duration"]) == (1.5, trace.audio.duration)
    with wave.open(io.BytesIO(found["wav"].tobytes())) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
        assert file.getframerate() == 16_000
    np.testing.assert_allclose(samples, trace.audio.samples, atol=1 / 32767)
    assert found["spectrogram"].max() == 255
    assert found["spectrogram"].shape[1] == len(found["spectrogram_times"])
    assert found["spectrogram_times"][0] == 1.5


def test_a_layer_holds_all_its_heads(any_trace: Trace):
    found = fetch(any_trace, "layer", layer=1)
    assert (found["layer"], found["factor"]) == (1, 1)
    assert_within_a_byte(found, any_trace.attention(1))
    np.testing.assert_array_equal(found["gate"], any_trace.gate(1))


def test_a_long_layer_is_pooled_so_that_every_peak_survives(monkeypatch):
    monkeypatch.setattr(payloads, "LAYER_CELLS", 10)
    trace = make_trace()
    found = fetch(trace, "layer", layer=0)
    assert found["factor"] == 3
    pooled = torch.stack([max_pool(weights, 3) for weights in trace.attention(0)])
    assert pooled.shape[-1] == -(-trace.num_frames // 3)
    assert_within_a_byte(found, pooled)


def test_a_short_window_is_exact(tiny_trace: Trace):
    found = fetch(tiny_trace, "window", layer=2, head=1, start=5, stop=21)
    assert [found[name] for name in ("layer", "head", "from", "to", "factor")] == [2, 1, 5, 21, 1]
    assert found["weights"].dtype == np.float32
    np.testing.assert_array_equal(found["weights"], tiny_trace.attention(2, 1, slice(5, 21))[0, :, 5:21])


def test_a_longer_window_is_a_byte_a_cell_and_a_long_one_is_pooled(tiny_trace: Trace, monkeypatch):
    monkeypatch.setattr(payloads, "EXACT_CELLS", 8)
    weights = tiny_trace.attention(0, 2)[:, 3:23, 3:23]
    found = fetch(tiny_trace, "window", layer=0, head=2, start=3, stop=23)
    assert found["factor"] == 1
    assert_within_a_byte(found, weights)
    monkeypatch.setattr(payloads, "WINDOW_CELLS", 10)
    monkeypatch.setattr(payloads, "rows_at_once", lambda *_: 7)
    found = fetch(tiny_trace, "window", layer=0, head=2, start=3, stop=23)
    assert found["factor"] == 2
    assert_within_a_byte(found, max_pool(weights[0], 2)[None])


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 5), (7, 3), (0, 10_000)])
def test_a_window_that_is_not_in_the_clip_is_refused(tiny_trace: Trace, start, stop):
    with pytest.raises(ValueError, match=f"found {start} to {stop}"):
        fetch(tiny_trace, "window", layer=0, head=0, start=start, stop=stop)


def test_ten_seconds_of_base_keep_to_their_bytes():
    assert payloads.LAYER_CELLS >= 499
    assert 12 * 499 * (499 + 2 * 4) < 3.2e6


def test_what_is_not_known_is_refused(tiny_trace: Trace):
    with pytest.raises(KeyError, match="sound"):
        fetch(tiny_trace, "passwords")
    with pytest.raises(ValueError, match="three"):
        make(tiny_trace, "layer", {"layer": "three"})
