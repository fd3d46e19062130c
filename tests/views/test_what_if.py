"""The page of interventions: every choice, its words and numbers against the library, and what its lesson promises."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from models import VARIANTS, make_audio
from pages import by_name, show_page
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer.effects import head_importance, moved_by_head, output_change
from wavlm_explorer.interventions import (
    AttentionTo,
    AttentionWithin,
    ContentOff,
    FramesHidden,
    GateFixed,
    HeadsOff,
    LayersSkipped,
    PositionFrom,
    PositionOff,
)
from wavlm_explorer.samples import load_sample
from wavlm_explorer.trace_files import pack_trace
from wavlm_explorer.views import Note, Offer, Option
from wavlm_explorer.views.changes import choose_intervention
from wavlm_explorer.views.what_if import MEASURES, VIEW, describe_importance

show = partial(show_page, VIEW)


@pytest.fixture(scope="module")
def nano():
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


def kinds(trace) -> tuple[str, ...]:
    return next(choice.options for choice in VIEW.choices(trace) if isinstance(choice, Option))


def intervene(trace, **chosen):
    place = {**VIEW.defaults(trace), **chosen}
    return choose_intervention(**{name: place[name] for name in place if not name.startswith(("shown", "measure"))})


def test_every_kind_can_be_done_in_every_place(any_trace):
    before, offered = digest(any_trace.model), kinds(any_trace)
    assert len(offered) == len(set(offered))
    for kind in offered:
        for where in ("head", "layer", "all"):
            after = any_trace.what_if([intervene(any_trace, what_if=kind, where=where, layer=1, frame=3)])
            assert after.output.isfinite().all()
            assert output_change(any_trace, after) > 0
    assert digest(any_trace.model) == before


def test_the_page_shows_the_change_that_is_chosen(any_trace):
    place = {"what_if": "near frames only", "where": "layer", "layer": 1, "span": 2}
    exhibits = by_name(show(any_trace, **place))
    assert list(exhibits) == ["what_if_over_time", "what_if_attention", "what_if_by_layer", "what_if_by_head"]
    after = any_trace.what_if([AttentionWithin(2, layers=1)])
    moved = exhibits["what_if_by_layer"].arrays()["relative_change_of_output"]
    assert float(moved) == pytest.approx(output_change(any_trace, after), abs=1e-6)


def test_what_is_chosen_is_what_is_done():
    trace = make_trace()
    chosen = {"layer": 1, "head": 2, "frame": 7, "span": 4}
    expected = {
        "head off": HeadsOff(layers=1, heads=2),
        "head at its mean": HeadsOff(mean=True, layers=1, heads=2),
        "layer skipped": LayersSkipped(1),
        "sound hidden": FramesHidden(slice(5, 9)),
        "near frames only": AttentionWithin(4, layers=1, heads=2),
        "one frame only": AttentionTo(7, layers=1, heads=2),
    }
    for kind, intervention in expected.items():
        assert intervene(trace, what_if=kind, **chosen) == intervention
    assert intervene(trace, what_if="position off", where="all", **chosen) == PositionOff()
    assert intervene(trace, what_if="content off", where="layer", **chosen) == ContentOff(layers=1)
    found = intervene(trace, what_if="position of another head", other_head=0, **chosen)
    assert found == PositionFrom(0, layers=1, heads=2)
    assert intervene(trace, what_if="gate fixed", fixed_gate=0.5, where="all") == GateFixed(0.5)


def test_only_what_matters_is_asked():
    choices = VIEW.choices(make_trace())

    def asked(**chosen) -> set[str]:
        known = {"what_if": "head off", "where": "head", **chosen}
        return {choice.name for choice in choices if choice.is_asked(known)}

    always = {"what_if", "shown_layer", "shown_head"}
    assert asked() == always | {"where", "layer", "head"}
    assert asked(where="layer") == always | {"where", "layer"}
    assert asked(what_if="gate fixed", where="all") == always | {"where", "fixed_gate"}
    assert asked(what_if="sound hidden") == always | {"span", "frame"}
    assert asked(what_if="layer skipped") == always | {"layer"}
    assert asked(what_if="position of another head") == always | {"where", "layer", "head", "other_head"}


def test_what_a_checkpoint_or_a_file_lacks_is_not_offered_and_said():
    whole, loaded = make_trace(), wx.load_trace(pack_trace(make_trace()), "cpu")
    assert {"gate fixed", "position off", "position of another head", "sound hidden"} < set(kinds(whole))
    assert not any(isinstance(item, Note) for item in show(whole))
    for trace, missing, words in (
        (make_trace(VARIANTS["no gate"]), {"gate fixed"}, "no gate"),
        (
            make_trace(VARIANTS["no positions"]),
            {"gate fixed", "position off", "position of another head"},
            "no relative positions",
        ),
        (loaded, {"sound hidden"}, "open its checkpoint"),
    ):
        assert set(kinds(whole)) - set(kinds(trace)) == missing
        note = show(trace)[0]
        assert isinstance(note, Note)
        assert words in note.text


def test_numbers_and_words_are_those_of_the_library(nano):
    items = by_name(show(nano, layer=3, head=4, shown_layer=4, shown_head=2))
    after = nano.what_if([HeadsOff(layers=3, heads=4)])
    a, b = nano.output.double().numpy(), after.output.double().numpy()
    moved = np.linalg.norm(b - a) / np.linalg.norm(a)
    assert f"moves by **{100 * moved:.0f}%** of its length" in items["what_if_over_time"].caption
    frame = int((np.linalg.norm(b - a, axis=1) / np.linalg.norm(a, axis=1)).argmax())
    assert f"(frame {frame}, " in items["what_if_over_time"].caption
    assert "layer 3 is the first whose output differs" in items["what_if_over_time"].caption
    arrays = items["what_if_attention"].arrays()
    assert np.array_equal(arrays["before"], nano.attention(4, 2)[0])
    assert np.array_equal(arrays["after"], after.attention(4, 2)[0])
    share = np.abs(arrays["after"] - arrays["before"]).sum(-1).mean() / 2
    assert f"On average {100 * share:.2g}% of a frame's attention" in items["what_if_attention"].caption
    by_head = items["what_if_by_head"].arrays()["share_that_moves"]
    assert np.array_equal(by_head, moved_by_head(nano, after))
    layer, head = divmod(int(by_head.argmax()), 6)
    assert f"Head {head} of layer {layer} moves most" in items["what_if_by_head"].caption


def test_a_map_below_the_change_is_said_to_be_the_same(nano):
    items = by_name(show(nano, layer=3, shown_layer=2))
    assert "is the same: what changes lies behind it" in items["what_if_attention"].caption
    assert "what enters layer 0" in by_name(show(nano, what_if="sound hidden"))["what_if_over_time"].caption


def test_another_map_of_the_same_change_runs_no_layer(nano, monkeypatch):
    show(nano, layer=2)
    monkeypatch.setattr(wx.Trace, "what_if", lambda *_: pytest.fail("ran again"))
    show(nano, layer=2, shown_layer=5, shown_head=3)


def test_the_sweep_is_offered_and_then_shown():
    trace = make_trace(seconds=0.3)
    (offer,) = (item for item in show(trace) if isinstance(item, Offer))
    assert "Each of the 9 heads" in offer.text
    assert "measure" not in {choice.name for choice in VIEW.choices(trace)}
    offer.work(lambda _: None)
    choices = {choice.name: choice for choice in VIEW.choices(trace)}
    measure = choices["measure"]
    assert isinstance(measure, Option)
    assert measure.options == tuple(MEASURES)
    for label, name in MEASURES.items():
        items = show(trace, measure=label)
        assert not any(isinstance(item, Offer) for item in items)
        arrays = by_name(items)["what_if_importance"].arrays()
        assert np.array_equal(arrays[name], trace.measures()[name])
        off = trace.what_if([HeadsOff(layers=2, heads=1)])
        assert arrays["importance"][2, 1] == pytest.approx(output_change(trace, off))


def test_importance_in_words():
    importance = torch.tensor([[0.1, 0.3], [0.2, 0.05]])
    assert describe_importance(importance, -importance, "span (ms)") == (
        "Without head 1 of layer 0 the output moves by 30%, without head 1 of layer 1 by 5%. Ranked by span (ms), the "
        "heads come in an order that agrees by −1.00 (1 the same, 0 none, −1 the opposite)."
    )
    assert "Ranked" not in describe_importance(importance, torch.zeros(2, 2), "span (ms)")


def test_a_change_that_changes_nothing_is_said_to_be_one():
    trace = wx.trace(make_trace().model, make_audio(0.025))  # one frame: its attention is 1 whatever is changed
    assert "Nothing moves" in by_name(show(trace, what_if="content off"))["what_if_over_time"].caption


def test_what_the_lesson_says_to_try_is_so(nano):
    def moved(**chosen) -> str:
        caption = by_name(show(nano, where="all", **chosen))["what_if_over_time"].caption
        return re.findall(r"\*\*(\d+%)\*\*", caption)[0]

    words = VIEW.lesson.try_this
    assert "(60% against 42%)" in words
    assert (moved(what_if="position off"), moved(what_if="content off")) == ("60%", "42%")
    assert "at 2 the output moves by only 10%" in words
    assert moved(what_if="gate fixed", fixed_gate=2.0) == "10%"
    assert int(moved(what_if="gate fixed", fixed_gate=1.0)[:-1]) > 40
    gates = torch.stack([nano.gate(layer) for layer in range(6)])
    assert float((gates > 1.75).float().mean()) > 0.5
    importance = head_importance(nano)
    most = importance.flatten().argsort(descending=True)[:3]
    assert {divmod(int(place), 6) for place in most[:2]} == {(5, 2), (5, 5)}
    assert float(importance.flatten()[most[1]]) > 1.5 * float(importance.flatten()[most[2]])
