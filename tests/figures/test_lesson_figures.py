"""The pictures of the lesson's chapters: what they draw is what the trace says."""

import numpy as np
import pytest
import torch
from models import VARIANTS
from traces import make_trace, panels

from wavlm_explorer.figures.channels import glu_frame
from wavlm_explorer.figures.depth import head_by_layer
from wavlm_explorer.figures.glu import CLOSED
from wavlm_explorer.figures.rows import content_row, table_row
from wavlm_explorer.figures.waveform import frame_windows, heard_samples, waveform_frames


@pytest.fixture(scope="module")
def trace():
    return make_trace(VARIANTS["glu"], start=3.0)


def lines(axes):
    return [line.get_xydata() for line in axes.lines]


def test_frames_stand_below_the_waveform_on_one_axis(trace):
    wave, columns, *_ = panels(waveform_frames(trace, 5))
    assert wave.get_xlim() == columns.get_xlim()
    assert wave.get_xlim()[0] == pytest.approx(3.0 + 0.0125 - 0.01, abs=1e-6)
    assert np.array_equal(columns.images[0].get_array(), trace.hidden_states[0].T)
    assert columns.lines[-1].get_xdata()[0] == pytest.approx(3.0 + (5 * 320 + 200) / 16_000)


def test_windows_are_25_ms_and_20_ms_apart(trace):
    (axes,) = panels(frame_windows(trace, 5, 6))
    first, second = (patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches)
    assert first.width == pytest.approx(0.025, abs=1e-5)
    assert second.x0 - first.x0 == pytest.approx(0.020, abs=1e-5)
    shown = lines(axes)[0]
    samples = trace.audio.samples[np.round((shown[:, 0] - 3.0) * 16_000).astype(int)]
    assert np.array_equal(shown[:, 1].astype(np.float32), samples)


def test_what_is_heard_is_drawn_around_the_centre(trace):
    shares = torch.zeros(400)
    shares[200] = 1
    (axes,) = panels(heard_samples(trace, 0, shares, 0))
    outline = axes.collections[0].get_paths()[0].vertices
    assert abs(outline[outline[:, 1] == 100, 0]).max() < 0.07  # ms


def test_the_row_marks_its_best_key(trace):
    content = trace.attention_terms(1, 2, slice(5, 6)).content[0]
    _, curve, row, *_ = panels(content_row(trace, content, 5))
    _, drawn, best, asking = lines(curve)
    assert np.array_equal(drawn[:, 1].astype(np.float32), content)
    assert best[0, 0] == pytest.approx(float(trace.frame_times[int(content.argmax())]))
    assert asking[0, 0] == pytest.approx(float(trace.frame_times[5]))
    assert np.array_equal(row.images[0].get_array()[0], content)


def test_the_distances_of_a_row_are_shaded(trace):
    (axes,) = panels(table_row(trace, 1, [8, 9], 24))
    shaded = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (shaded.x0, shaded.x1) == pytest.approx((150, 190), rel=1e-3)
    marked = lines(axes)[-1]
    assert marked[:, 0].tolist() == [160, 180]
    assert len(set(marked[:, 1].tolist())) == 1


def test_a_head_is_drawn_once_a_layer(trace):
    picture = panels(head_by_layer(trace, 2, 1))
    assert [axes.get_title() for axes in picture[:3]] == ["layer 0", "layer 1", "layer 2"]
    for layer in range(3):
        assert np.array_equal(picture[layer].images[0].get_array(), trace.attention(layer, 1)[0])
    spans = lines(picture[-1])[-2]
    assert np.allclose(spans[:, 1], trace.measures()["span_ms"][:, 1] / 1000)


def test_shut_channels_are_counted_and_the_largest_values_shown(trace):
    terms = trace.glu(1)
    _, track, bars = panels(glu_frame(trace, terms, 5))
    assert np.allclose(lines(track)[0][:, 1], (terms.gate.abs() < CLOSED).double().mean(dim=1))
    values, outputs = ([bar.get_height() for bar in group] for group in bars.containers)
    assert np.allclose(np.abs(values), terms.value[5].abs().sort(descending=True).values[: len(values)])
    channel = int(terms.value[5].abs().argmax())
    assert outputs[0] == pytest.approx(float(terms.output[5, channel]))
