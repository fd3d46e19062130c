"""Attention between labels, against sums written out; blocks, overlaps, long clips."""

import numpy as np
import pytest
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer import Interval, LabelTrack, pool_attention, pooling
from wavlm_explorer.pooling import NO_LABEL, label_frames
from wavlm_explorer.samples import load_sample, sample_textgrid

TRACK = LabelTrack("phones", (Interval(0, 0.1, "a"), Interval(0.1, 0.25, "b"), Interval(0.3, 0.42, "a")))


def written_out(trace, track, layer, head):
    """Sums over pairs of frames, one by one."""
    weights = trace.attention(layer, head)[0].double().numpy()
    owners = []
    for time in trace.frame_times.double().tolist():
        texts = [text for start, end, text in track.intervals if text and start <= time < end]
        owners.append(texts[-1] if texts else NO_LABEL)
    labels = list(dict.fromkeys(owners))
    sums = np.zeros((len(labels), len(labels)))
    for query, query_label in enumerate(owners):
        for key, key_label in enumerate(owners):
            sums[labels.index(query_label), labels.index(key_label)] += weights[query, key]
    counts = np.array([owners.count(label) for label in labels])
    return labels, sums / counts[:, None], sums / counts[:, None] / counts


@pytest.mark.parametrize("rows", [5, 256])
def test_pooling_is_the_sum_over_pairs_of_frames(monkeypatch, rows):
    monkeypatch.setattr(pooling, "BLOCK_ROWS", rows)
    trace = make_trace()
    pooled = pool_attention(trace, TRACK, 1)
    assert pooled.share.shape == pooled.mean.shape == (trace.num_heads, 3, 3)
    assert int(pooled.frames.sum()) == trace.num_frames
    for head in range(trace.num_heads):
        labels, share, mean = written_out(trace, TRACK, 1, head)
        assert list(pooled.labels) == labels
        np.testing.assert_allclose(pooled.share[head], share, atol=1e-6)
        np.testing.assert_allclose(pooled.mean[head], mean, atol=1e-7)
    np.testing.assert_allclose(pooled.share.sum(dim=-1), 1, atol=1e-5)


def test_occurrences_are_kept_apart_and_add_up_to_their_text():
    trace = make_trace()
    apart, together = pool_attention(trace, TRACK, 0, 2, by="occurrence"), pool_attention(trace, TRACK, 0, 2)
    assert apart.labels == ("a", "b", NO_LABEL, "a")
    assert together.labels == ("a", "b", NO_LABEL)
    assert apart.share.shape == (1, 4, 4)
    received = apart.share[0, 1, [0, 3]].sum()
    np.testing.assert_allclose(received, together.share[0, 1, 0], atol=1e-6)


def test_of_intervals_that_overlap_the_later_start_has_the_frames():
    trace = make_trace()
    track = LabelTrack("t", (Interval(0, 0.5, "long"), Interval(0.2, 0.3, "short"), Interval(0.4, 0.4, "point")))
    labels, owners = label_frames(trace, track)
    assert labels == ("long", "short", NO_LABEL) or labels == ("long", "short")
    times = trace.frame_times[owners == 1]
    assert 0.2 <= float(times.min()) <= float(times.max()) < 0.3


def test_times_count_from_the_start_of_the_file():
    part = wx.trace(wx.load_model("nano"), wx.load_audio(load_sample("two_voices").to_wav(), start=1.0, duration=1.0))
    _, words = wx.load_labels(sample_textgrid("two_voices").encode())
    expected = {text for start, end, text in words.intervals if text and end > 1.03 and start < 1.97}
    assert set(pool_attention(part, words, 0, 0).labels) - {NO_LABEL} == expected
    assert len(expected) > 1


@pytest.mark.parametrize(
    ("track", "by", "message"),
    [
        (LabelTrack("late", (Interval(9, 10, "a"),)), "text", "track 'late': expected an interval with text in"),
        (LabelTrack("mute", (Interval(0, 1, ""),)), "text", "track 'mute': expected an interval with text"),
        (LabelTrack("dots", (Interval(0.1, 0.1, "a"),)), "text", "track 'dots': expected an interval with text"),
        (TRACK, "colour", "by: expected 'text' or 'occurrence', found 'colour'"),
    ],
)  # fmt: skip
def test_what_cannot_be_pooled_is_said(track, by, message):
    with pytest.raises(ValueError, match=message):
        pool_attention(make_trace(), track, 0, 0, by=by)


def test_too_many_labels_are_refused(monkeypatch):
    monkeypatch.setattr(pooling, "MAX_LABELS", 3)
    with pytest.raises(ValueError, match="expected at most 3 labels, found 4"):
        pool_attention(make_trace(), TRACK, 0, 0, by="occurrence")
