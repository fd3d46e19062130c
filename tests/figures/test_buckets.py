"""Pictures of the bucket rule, against the rule."""

import numpy as np
import pytest
import torch
from models import VARIANTS
from oracles import TINY
from traces import make_trace, panels

from wavlm_explorer import figures
from wavlm_explorer.buckets import (
    KNOWN_SETTINGS,
    BucketSettings,
    bucket_rule,
    clip_distances,
    own_settings,
    signed_rows,
)
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.figures.buckets import past_and_future
from wavlm_explorer.figures.time_axes import frame_edges
from wavlm_explorer.modules import distance_buckets, relative_position_buckets

OWN = own_settings(TINY)
OTHERS = [BucketSettings(8, 20), BucketSettings(16, 90), BucketSettings(8, 20, bidirectional=False)]


def curves_of(axes, colour):
    """Distances in frames and rows of every curve of that colour, from left to right."""
    lines = [line for line in axes.lines if line.get_color() == colour and len(line.get_xdata()) > 2]
    places = np.concatenate([line.get_xdata() for line in lines]) / 20
    return places, np.concatenate([line.get_ydata() for line in lines])


@pytest.mark.parametrize("settings", [None, *OTHERS])
def test_the_function_is_drawn_as_it_is(settings):
    axes = panels(figures.bucket_function(make_trace(), settings))[0]
    (past, past_rows), (future, future_rows) = (curves_of(axes, hue) for hue in (LIGHT.contrast, LIGHT.accent))
    distances = torch.tensor(np.concatenate([past, future])).round().long()
    assert past.max() == 0
    assert future.min() == 1
    assert np.array_equal(distances, np.arange(int(distances[0]), int(distances[-1]) + 1))
    assert distances[-1] > max(TINY.max_distance, (settings or OWN).max_distance)
    chosen = settings or OWN
    expected = distance_buckets(distances, chosen.num_buckets, chosen.max_distance, chosen.bidirectional)
    assert np.array_equal(np.concatenate([past_rows, future_rows]), expected)


def test_others_are_drawn_over_the_model_s_own():
    trace = make_trace()
    distances, rows = curves_of(panels(figures.bucket_function(trace, OTHERS[0]))[0], LIGHT.ink)
    assert np.array_equal(rows, distance_buckets(torch.tensor(distances).round().long(), *OWN))
    for alone in (trace, OWN), (make_trace(VARIANTS["no positions"]), OTHERS[0]):
        assert not [line for line in panels(figures.bucket_function(*alone))[0].lines if line.get_color() == LIGHT.ink]


@pytest.mark.parametrize("settings", [OWN, *OTHERS])
def test_the_regions_are_shaded_where_the_rule_changes(settings):
    axes = panels(figures.bucket_function(make_trace(), settings))[0]
    rule = bucket_rule(settings)
    inner = sorted(
        tuple(sorted(patch.get_extents().transformed(axes.transData.inverted()).intervalx)) for patch in axes.patches
    )
    borders = [0, 20 * settings.num_exact, 20 * rule.last_from]
    past = sorted(edge for pair in inner for edge in pair if edge <= 0 and edge > -1e6)
    assert sorted(set(np.round(past, 3))) == pytest.approx([-border for border in reversed(borders)])
    assert (max(edge for pair in inner for edge in pair) > 0) == settings.bidirectional


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("settings", [None, *OTHERS])
def test_the_matrix_is_drawn_in_seconds(settings, palette):
    trace = make_trace(seconds=1.3, start=2.0)
    main = panels(figures.bucket_matrix(trace, settings, palette))[1]
    image = main.images[0]
    chosen = settings or OWN
    rows = relative_position_buckets(trace.num_frames, chosen.num_buckets, chosen.max_distance, chosen.bidirectional)
    assert np.array_equal(image.get_array(), signed_rows(rows, settings or OWN).float())
    assert image.norm(float(image.get_array().min())) >= 0
    assert image.norm(float(image.get_array().max())) <= 1
    first, last = frame_edges(trace)
    assert main.get_xlim() == pytest.approx((first, last))
    assert main.get_ylim() == pytest.approx((last, first))
    assert image.get_extent() == pytest.approx((first, last, last, first))


def test_of_a_long_clip_the_matrix_is_drawn_from_some_frames():
    trace = make_trace(seconds=21.0)
    image = panels(figures.bucket_matrix(trace))[1].images[0]
    step = -(-trace.num_frames // len(image.get_array()))
    assert step > 1
    rows = relative_position_buckets(trace.num_frames, *OWN)[::step, ::step]
    assert np.array_equal(image.get_array(), signed_rows(rows, OWN).float())


def test_every_row_has_a_colour_and_past_and_future_differ():
    colours = np.asarray(past_and_future(160, LIGHT).colors)
    assert len(colours) == 319
    assert np.allclose(colours[0], np.array(tuple(bytes.fromhex(LIGHT.contrast[1:]))) / 255)
    assert np.allclose(colours[-1], np.array(tuple(bytes.fromhex(LIGHT.accent[1:]))) / 255)


@pytest.mark.parametrize("settings", [OWN, BucketSettings(32, 60, bidirectional=False)])
def test_rows_that_the_clip_never_reads_are_pale(settings):
    short, long = make_trace(seconds=0.3), make_trace(seconds=2.0)
    num_rows = 31 if settings.bidirectional else 32
    for trace, least, most in ((short, 1, 32), (long, 0, 0)):
        bar = panels(figures.bucket_matrix(trace, settings))[2]
        pale = [patch for patch in bar.patches if patch.get_hatch()]
        assert len(pale) == 2
        rows = sum(abs(patch.get_height()) for patch in pale)
        assert least <= rows <= most
        read = distance_buckets(clip_distances(trace.num_frames), *settings).unique()
        assert rows == pytest.approx(num_rows - len(read))


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_a_strip_has_a_cell_for_each_row(palette):
    axes = panels(figures.bucket_strips(KNOWN_SETTINGS, 0.02, "nano", palette))[0]
    reach = axes.get_xlim()[1]
    for mesh, settings in zip(axes.collections, KNOWN_SETTINGS.values(), strict=True):
        rule = bucket_rule(settings)
        edges = mesh.get_coordinates()[0, :, 0]
        assert len(edges) - 1 == len(rule.buckets.unique())
        inner = rule.distances[1:].numpy()[rule.buckets.diff().numpy() != 0] - 0.5
        assert np.array_equal(edges, [-reach, *inner, reach])
    names = {label.get_text(): label.get_fontweight() for label in axes.get_yticklabels()}
    assert [*names] == [*KNOWN_SETTINGS]
    assert [name for name, weight in names.items() if weight == "bold"] == ["nano"]
    numbers = [text.get_text() for text in axes.texts if text.get_text().isdigit()]
    assert numbers == [
        str(number)
        for each in KNOWN_SETTINGS.values()
        for number in (each.num_buckets, each.num_exact, bucket_rule(each).last_from)
    ]


@pytest.mark.parametrize("draw", [figures.bucket_function, figures.bucket_matrix])
def test_settings_without_buckets_draw_nothing(draw):
    with pytest.raises(ValueError, match="num_buckets >= 4"):
        draw(make_trace(), BucketSettings(3, 20))
