"""The page of quantisation noise: its words and numbers against the model's weights, and what its lesson promises."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from models import VARIANTS
from pages import by_name, notes_of, show_page
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.noise import TABLE_NAME, Noise, noised_pass
from wavlm_explorer.noise_effects import layer_sweep, sweep_operations
from wavlm_explorer.samples import load_sample
from wavlm_explorer.views import Exhibit, Note, Offer, Option, quant_noise
from wavlm_explorer.views.quant_noise import QUICK_OPERATIONS, VIEW, work_through

show = partial(show_page, VIEW)


@pytest.fixture(scope="module")
def nano():
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


def percentages(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"([\d.]+)%", text)]


def vectors(latex: str) -> list[list[float]]:
    """The rows of numbers in brackets, in the order in which they are written."""
    return [
        [float(part) for part in row.split(r",\ ") if part != r"\dots"] for row in re.findall(r"= \((.*?)\)", latex)
    ]


def test_it_comes_in_three_parts(nano):
    items = show(nano)
    headings = [item.text.split("**")[1] for item in items if isinstance(item, Note)]
    assert headings == ["The mask.", "Training.", "Effect."]
    assert list(by_name(items)) == [
        "noise_mask", "noise_weight", "demonstration_convolutions", "noise_corners", "noise_steps", "noise_attention",
        "noise_effect", "noise_sweep",
    ]  # fmt: skip


def test_the_numbers_written_out_are_those_of_the_weight(nano):
    noised = noised_pass(nano, Noise(2, "fc2", 0.2, 4, 1))
    (first, kept), (second, dropped), _ = work_through(noised).steps
    weight = nano.model.encoder.block(2).fc2.weight.detach()
    for words, latex, factor in ((first, kept, 1 / 0.8), (second, dropped, 0)):
        row, column = (int(number) for number in re.findall(r"\d+", words))
        numbers = weight[row, column : column + 3]
        before, after = vectors(latex)
        assert before == pytest.approx(numbers.tolist(), abs=6e-5)
        assert after == pytest.approx((factor * numbers).tolist(), abs=6e-5)
        assert bool(noised.mask[row, column]) == (factor == 0)
        assert column % 4 == 0
        assert latex.count(r"\dots") == 2


@pytest.mark.parametrize("p", [0.0, 0.9])
def test_a_draw_that_drops_none_or_all_writes_out_what_there_is(p):
    noised = noised_pass(make_trace(seconds=0.2), Noise(0, "q_proj", p, 8, 0))
    steps = work_through(noised).steps
    assert len(steps) == (2 if p == 0 else 3)
    noised.mask[:] = True
    assert "dropped" in work_through(noised).steps[0][0]


def test_the_table_is_an_embedding_whose_blocks_are_of_heads(nano):
    items = show(nano, weight=TABLE_NAME, layer=4, head=1, p=0.5, block="8")
    assert "Embedding" in notes_of(items)
    assert "8 does not divide its 6 columns" in notes_of(items)
    exhibits = by_name(items)
    assert "noise_sweep" not in exhibits
    mask = exhibits["noise_mask"].arrays()["mask"]
    assert mask.shape == (nano.model.config.num_buckets, 6)
    assert np.array_equal(mask[:, ::2], mask[:, 1::2])
    arrays = exhibits["noise_attention"].arrays()
    assert np.allclose(arrays["before"], nano.attention(4, 1)[0])  # the layer that is chosen
    assert (exhibits["noise_effect"].arrays()["attention_moved"] > 0).all()


def test_a_model_without_positions_offers_no_table():
    offered = [
        {option for choice in VIEW.choices(trace) if isinstance(choice, Option) for option in choice.options}
        for trace in (make_trace(seconds=0.2), make_trace(VARIANTS["no positions"], 0.2))
    ]
    assert [TABLE_NAME in options for options in offered] == [True, False]


def test_training_says_what_was_run(nano):
    exhibits = by_name(show(nano, p=0.2, steps=7, layer=1, weight="v_proj", block="1", draw=2))
    arrays = exhibits["noise_steps"].arrays()
    generator = torch.Generator().manual_seed(2)
    weight = nano.model.encoder.block(1).self_attn.v_proj.weight.detach().clone()
    left = [float((weight != 0).float().mean())]
    for _ in range(7):
        mask = torch.zeros(weight.numel()).bernoulli_(0.2, generator=generator).bool().view_as(weight)
        weight = weight.masked_fill(mask, 0) / 0.8
        left.append(float((weight != 0).float().mean()))
    assert np.allclose(arrays["overwritten_kept"], left, atol=1e-6)
    assert np.allclose(arrays["overwritten_growth"], 1.25 ** np.arange(8), rtol=1e-4)
    assert percentages(exhibits["noise_steps"].caption) == pytest.approx([100 * left[-1], 100 * 0.8**7, 80], abs=0.5)
    assert "4.77 times as large" in exhibits["noise_steps"].caption  # 1.25^7
    assert torch.allclose(torch.tensor(exhibits["noise_corners"].arrays()["overwritten"][-1]), weight[:48, :48])
    assert exhibits["noise_corners"].arrays()["steps"].tolist() == [1, 4, 7]


@pytest.mark.parametrize(("seconds", "words"), [(2.5, ""), (2.7, "told from one frame in 2")])  # 124 and 134 frames
def test_a_sample_of_frames_is_called_one(seconds, words):
    caption = by_name(show(make_trace(seconds=seconds)))["noise_effect"].caption
    assert ("told from" in caption) == bool(words)
    assert words in caption


def test_when_nothing_is_left_it_says_so(nano):
    exhibits = by_name(show(nano, p=0.9, steps=50))
    assert "0% of the overwritten weight is left" in exhibits["noise_steps"].caption
    assert "had survived would be 1.0e+50 times" in exhibits["noise_steps"].caption
    assert all(np.isfinite(array).all() for array in exhibits["noise_steps"].arrays().values())


def test_the_effect_in_words_is_the_effect_in_numbers(nano):
    exhibits = by_name(show(nano, p=0.5, layer=2, weight="k_proj"))
    noised = noised_pass(nano, Noise(2, "k_proj", 0.5, 8, 0)).trace
    output = 100 * float((noised.output - nano.output).norm() / nano.output.norm())
    assert percentages(exhibits["noise_effect"].caption)[1] == pytest.approx(output, rel=0.05)
    sweep = exhibits["noise_sweep"].arrays()["relative_change_of_output"]
    assert 100 * float(sweep[2]) == pytest.approx(output, rel=1e-4)
    most, least = int(sweep.argmax()), int(sweep.argmin())
    assert f"most in layer {most} " in exhibits["noise_sweep"].caption
    assert f"least in layer {least} " in exhibits["noise_sweep"].caption


def test_only_what_takes_long_waits_until_it_is_wanted(nano):
    with torch.device("meta"):
        base = wx.WavLM(wx.BASE)
    silence = wx.Audio(np.zeros(160_000, np.float32))
    ten_seconds = wx.Trace(base, silence, False, torch.zeros(13, 499, 1), torch.zeros(499, 1))  # only sizes are read
    takes_long = [sweep_operations(trace) > QUICK_OPERATIONS for trace in (nano, ten_seconds)]
    assert takes_long == [False, True]


def test_a_long_sweep_is_offered_until_it_is_done(monkeypatch):
    monkeypatch.setattr(quant_noise, "QUICK_OPERATIONS", 0)
    trace = make_trace()
    *before, offer = show(trace, weight="fc1", draw=1)
    assert isinstance(offer, Offer)
    assert f"fc1 of each of the {trace.num_layers} layers" in offer.text
    offer.work(lambda _: None)
    *others, sweep = show(trace, weight="fc1", draw=1)
    assert [item.name for item in others if isinstance(item, Exhibit)] == list(by_name(before))
    assert isinstance(sweep, Exhibit)
    assert sweep.name == "noise_sweep"
    assert np.array_equal(sweep.arrays()["relative_change_of_output"], layer_sweep(trace, Noise(0, "fc1", 0.1, 8, 1)))
    assert isinstance(show(trace, weight="fc1", draw=2)[-1], Offer)
    assert not any(isinstance(item, Offer) for item in show(trace, weight=TABLE_NAME))


def test_a_trace_from_a_file_can_be_noised(nano, tmp_path):
    loaded = wx.load_trace(nano.save(tmp_path / "sentence.trace"))
    for weight in ("q_proj", TABLE_NAME):
        ours, theirs = (by_name(show(trace, weight=weight, p=0.3)) for trace in (loaded, nano))
        assert list(ours) == list(theirs)
        for name, exhibit in ours.items():
            assert exhibit.caption == theirs[name].caption


def test_long_clips_are_kept_small(monkeypatch):
    trace = make_trace(seconds=16.0)  # 799 frames, more than a picture shows
    arrays = by_name(show(trace))["noise_attention"].arrays()
    assert arrays["before"].shape == (400, 400)
    assert np.array_equal(arrays["before"], trace.attention_overview(1, 0)[0])


def test_what_the_lesson_says_to_try_is_so(nano):
    outputs = {
        weight: float(by_name(show(nano, p=0.5, weight=weight))["noise_effect"].arrays()["relative_change_of_output"])
        for weight in ("q_proj", "fc2")
    }
    assert outputs["fc2"] > 2 * outputs["q_proj"]
    kept = by_name(show(nano, p=0.5, steps=20))["noise_steps"].arrays()["overwritten_kept"]
    assert kept[1] > 0.4
    assert kept[7] < 0.02
