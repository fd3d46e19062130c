"""Pictures of a unit's gates: the five types, value against gate, channels by rank."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from models import VARIANTS
from traces import make_trace, panels

from wavlm_explorer import figures
from wavlm_explorer.demonstration import NUM_CHANNELS, demonstration_glu, demonstration_terms
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.figures.glu import NUM_BINS, kind_colours, percentage
from wavlm_explorer.glu import gate_shares, passed_ratio, rank_channels, region_shares, under_gate
from wavlm_explorer.modules import GLUTerms
from wavlm_explorer.modules.glu import GLU_ACTIVATIONS

KINDS = list(GLU_ACTIVATIONS)


def lines_of(axes, colour):
    return [line for line in axes.lines if line.get_color() == colour and len(line.get_xdata()) > 2]


def texts_of(picture) -> list[str]:
    return [text.get_text() for text in picture.texts]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_each_type_has_its_curve_and_the_model_s_and_the_chosen_are_marked(palette):
    terms = make_trace(VARIANTS["glu"]).glu(1)
    axes = panels(figures.glu_types(terms, "relu", "swish", 3, 5, "five", palette))
    curves, counts = axes[::2], axes[1::2]
    for kind, curve, count in zip(KINDS, curves, counts, strict=True):
        (line,) = lines_of(curve, palette.ink)
        inputs = torch.tensor(line.get_xdata())
        assert torch.allclose(torch.tensor(line.get_ydata()), GLU_ACTIVATIONS[kind]()(inputs), atol=1e-6)
        (dot,) = (line for line in curve.lines if line.get_marker() == "o")
        z = terms.gate_input[3, 5]
        assert [float(dot.get_xdata()[0]), float(dot.get_ydata()[0])] == pytest.approx(
            [float(z), float(GLU_ACTIVATIONS[kind]()(z))]
        )
        assert curve.get_xlim() == count.get_xlim() == curves[0].get_xlim()
        assert curve.get_ylim() == curves[0].get_ylim()
        assert (curve.title.get_text() or curve.get_title(loc="left")).startswith(kind)
        assert (curve._left_title.get_color() == palette.accent) == (kind == "relu")
    named = [kind for kind, curve in zip(KINDS, curves, strict=True) if "this model's" in curve.get_title(loc="left")]
    assert named == ["swish"]


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_coloured_by_what_the_gate_does(kind):
    terms = demonstration_terms(make_trace(seconds=2), 1, "swish")
    picture = figures.glu_types(terms, "swish", None, 0, 0)
    counts = panels(picture)[1::2][KINDS.index(kind)]
    shares = gate_shares(under_gate(terms, kind).gate)
    first, last = counts.get_xlim()
    bin_width, area = (last - first) / NUM_BINS, 0.0
    for band, colour, share in zip(counts.collections, kind_colours(LIGHT), shares, strict=True):
        assert to_hex(band.get_facecolor()[0]) == colour
        x, y = band.get_paths()[0].vertices.T
        covered = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2  # the shoelace formula
        assert covered / bin_width == pytest.approx(float(share), abs=0.004)  # 0.2 % lie beyond the ends
        area += covered
    assert area / bin_width == pytest.approx(1, abs=0.004)
    assert not any("this model's" in axes.get_title(loc="left") for axes in picture.axes)


def test_the_shares_are_written_below():
    terms = demonstration_terms(make_trace(seconds=2), 1, "swish")
    written = texts_of(figures.glu_types(terms, "swish", None, 0, 0))
    for kind in KINDS:
        other = under_gate(terms, kind)
        shares = gate_shares(other.gate)
        for words in (
            f"closed {percentage(shares.closed)}",
            f"turns the sign {percentage(shares.turned)}",
            f"output ÷ value {passed_ratio(other):.2f}",
        ):
            assert words in written


@pytest.mark.parametrize("kind", KINDS)
def test_the_map_of_value_and_gate_holds_the_cells_and_names_their_shares(kind):
    terms = demonstration_terms(make_trace(seconds=2), 1, kind)
    axes = panels(figures.glu_regions(terms, 4, 7))[0]
    mesh = axes.collections[0]
    cells = np.asarray(mesh.get_array())
    assert cells.sum() == pytest.approx(1, abs=0.006)  # 0.1 % lie beyond each side
    heights, widths = (mesh.get_coordinates()[:, 0, 1], mesh.get_coordinates()[0, :, 0])
    right = widths[:-1] + np.diff(widths) / 2 > 0
    regions = region_shares(terms)
    assert cells[:, right].sum() == pytest.approx(float(regions[:, 1].sum()), abs=0.01)
    high = heights[:-1] >= 0.1
    assert cells[high].sum() == pytest.approx(float(regions[1].sum()), abs=0.04)  # one row lies across the edge
    written = [text.get_text() for text in axes.texts]
    shown = [0, 1, 2] if regions[2].sum() > 0 else [0, 1]
    fates = (("stopped", "stopped"), ("kept −", "kept +"), ("turned to +", "turned to −"))
    assert written == [f"{percentage(regions[i, side])} {fates[i][side]}" for i in shown for side in (0, 1)]
    (dot,) = (line for line in axes.lines if line.get_marker() == "o")
    assert float(dot.get_xdata()[0]) == float(terms.value[4, 7])
    assert float(dot.get_ydata()[0]) == float(terms.gate[4, 7])


@pytest.mark.parametrize(("rank", "shown"), [(0, 8), (3, 8), (30, 9), (63, 8)])
def test_the_ranking_shows_both_ends_and_the_chosen(rank, shown):
    ranking = rank_channels(demonstration_terms(make_trace(seconds=2), 1, "swish"))
    curve, rows = panels(figures.glu_channels(ranking, rank))
    (dot,) = (line for line in curve.lines if line.get_marker() == "o")
    assert [int(dot.get_xdata()[0]), float(dot.get_ydata()[0])] == [rank, float(ranking.shares.closed[rank])]
    labels = [label.get_text() for label in rows.get_yticklabels()]
    ranks = sorted({0, 1, 2, 3, rank, 60, 61, 62, 63})
    assert labels == [f"{one} · channel {int(ranking.order[one])}" for one in ranks]
    bold = [label.get_text() for label in rows.get_yticklabels() if label.get_fontweight() == "bold"]
    assert bold == [f"{rank} · channel {int(ranking.order[rank])}"]
    assert len(rows.patches) == 3 * shown
    for container, share in zip(rows.containers, ranking.shares, strict=True):
        assert [bar.get_width() for bar in container] == pytest.approx(share[ranks].tolist())
    beside = [percentage(ranking.shares.closed[one]) for one in ranks]
    assert [text.get_text() for text in rows.texts] == [*beside, "closed"]


def test_what_is_not_there_is_refused():
    terms = demonstration_terms(make_trace(), 1, "swish")
    for draw in (
        lambda: figures.glu_types(terms, "swish", None, 999, 0),
        lambda: figures.glu_regions(terms, 0, NUM_CHANNELS),
        lambda: figures.glu_channels(rank_channels(terms), NUM_CHANNELS),
    ):
        with pytest.raises(IndexError):
            draw()


@pytest.mark.parametrize("gate", [0.0, 1.0, -2.0])
def test_gates_that_are_all_alike_can_be_drawn(gate):
    alike = torch.full((9, 6), gate)
    terms = GLUTerms(alike, alike, alike, alike * alike)
    for picture in (
        figures.glu_types(terms, "relu", None, 0, 0),
        figures.glu_regions(terms, 0, 0),
        figures.glu_channels(rank_channels(terms), 2),
    ):
        assert picture.to_bytes("png", 20)


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0%"), (0.004, "0.4%"), (0.5, "50%"), (0.996, "99.6%"), (1, "100%"), (0.01, "1%")]
)
def test_a_share_is_never_rounded_to_nothing_or_all(share, words):
    assert percentage(share) == words


def test_the_demonstration_is_always_the_same_and_draws_nothing_from_others():
    torch.manual_seed(7)
    state = torch.get_rng_state()
    first, second = demonstration_glu(24, "relu"), demonstration_glu(24, "relu")
    assert torch.equal(first.linear.weight, second.linear.weight)
    assert torch.equal(torch.get_rng_state(), state)
    assert float(first.linear.weight.std()) == pytest.approx(24**-0.5, rel=0.1)


def test_the_demonstration_runs_on_the_real_input():
    trace = make_trace()
    terms = demonstration_terms(trace, 2, "sigmoid")
    inputs = trace.feed_forward_input(2)
    assert terms.gate.shape == (trace.num_frames, NUM_CHANNELS)
    assert torch.allclose(demonstration_glu(24, "sigmoid")(inputs), terms.output)
