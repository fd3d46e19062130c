"""The page of interventions: every choice, its words and numbers against the library, and what its lesson promises."""

import re
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from models import VARIANTS, make_audio
from pages import by_name, notes_of, show_page
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
    StatesPatched,
)
from wavlm_explorer.samples import load_sample
from wavlm_explorer.trace_files import pack_trace
from wavlm_explorer.views import Collection, Note, Offer, Option
from wavlm_explorer.views.changes import NOTHING, PATCHED, chosen_changes
from wavlm_explorer.views.what_if import MEASURES, VIEW, describe_importance

show = partial(show_page, VIEW)


@pytest.fixture(scope="module")
def nano():
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


def kinds(trace) -> tuple[str, ...]:
    return next(choice.options for choice in VIEW.choices(trace) if isinstance(choice, Option))


def intervene(trace, **chosen) -> Any:
    (intervention,) = chosen_changes(trace, VIEW.defaults(trace) | chosen).acting
    return intervention


def test_every_kind_can_be_done_in_every_place(any_trace):
    before, offered = digest(any_trace.model), kinds(any_trace)
    assert len(offered) == len(set(offered))
    for kind in set(offered) - {NOTHING}:
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
        "sound hidden": FramesHidden(range(5, 9)),
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

    always = {"what_if", "changes", "shown_layer", "shown_head"}
    assert asked(what_if="nothing more") == always
    assert asked(what_if="states of another clip") == always | {"other_clip", "patched_state", "frame", "span"}
    assert asked() == always | {"where", "layer", "head"}
    assert asked(where="layer") == always | {"where", "layer"}
    assert asked(what_if="gate fixed", where="all") == always | {"where", "fixed_gate"}
    assert asked(what_if="sound hidden") == always | {"span", "frame"}
    assert asked(what_if="layer skipped") == always | {"layer"}
    assert asked(what_if="position of another head") == always | {"where", "layer", "head", "other_head"}


def test_what_a_checkpoint_or_a_file_lacks_is_not_offered_and_said():
    whole, loaded = make_trace(), wx.load_trace(pack_trace(make_trace()), "cpu")
    assert {"gate fixed", "position off", "position of another head", "sound hidden", "states of another clip"} < set(
        kinds(whole)
    )
    assert not any(isinstance(item, Note) for item in show(whole))
    for trace, missing, words in (
        (make_trace(VARIANTS["no gate"]), {"gate fixed"}, "no gate"),
        (
            make_trace(VARIANTS["no positions"]),
            {"gate fixed", "position off", "position of another head"},
            "no relative positions",
        ),
        (loaded, {"sound hidden", PATCHED}, "open its checkpoint"),
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
    assert "what leaves layer 3 is the first to differ" in items["what_if_over_time"].caption
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
    assert "is the same. What changes lies behind it" in items["what_if_attention"].caption
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
    assert "with both gone it moves by 64%" in words
    assert moved(what_if="content off", changes=("position off",)) == "64%"
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


def test_all_that_was_collected_acts_in_its_order_and_then_what_is_described():
    trace = make_trace()
    chosen = {**VIEW.defaults(trace), "changes": ("position off in layer 0", "position from 2 in layer 0"), "layer": 1}
    expected = [PositionOff(layers=0), PositionFrom(2, layers=0), HeadsOff(layers=1, heads=0)]
    assert chosen_changes(trace, chosen).acting == expected
    items = by_name(show(trace, **chosen))
    after = trace.what_if(expected)
    assert items["what_if_by_layer"].arrays()["relative_change_of_output"] == pytest.approx(
        output_change(trace, after), abs=1e-6
    )
    assert items["what_if_over_time"].caption.startswith(
        "Changed: `position off in layer 0`, `position from 2 in layer 0`, `head off in layer 1 head 0`. "
    )
    other_way = trace.what_if([PositionFrom(2, layers=0), PositionOff(layers=0), HeadsOff(layers=1, heads=0)])
    assert output_change(after, other_way) > 0
    assert chosen_changes(trace, chosen | {"what_if": NOTHING}).acting == expected[:2]


def test_nothing_changed_moves_nothing(any_trace):
    assert chosen_changes(any_trace, VIEW.defaults(any_trace) | {"what_if": NOTHING}) == ([], [])
    items = by_name(show(any_trace, what_if=NOTHING))
    assert items["what_if_over_time"].caption == "Nothing is changed, so nothing moves."
    assert items["what_if_attention"].caption.endswith(" is the same.")
    assert not items["what_if_over_time"].arrays()["relative_change"].any()
    assert not items["what_if_by_head"].arrays()["share_that_moves"].any()


def test_what_has_no_place_is_left_out_and_said_and_all_else_acts():
    trace = make_trace()
    changes = ("skip layer 9", "gate 1.5 in layer 2", "[blah](http://x) `y", "hide 3-40")
    chosen = {**VIEW.defaults(trace), "changes": changes, "what_if": NOTHING}
    assert chosen_changes(trace, chosen).acting == [GateFixed(1.5, layers=2)]
    words = notes_of(show(trace, **chosen))
    assert words.startswith("Left out: `skip layer 9` (layer 9 is out of range: expected 0 to 2, ")
    assert "`[blah](http://x) y` (expected one of: head off, " in words
    assert words.count("blah") == 1
    assert "`hide 3-40` (frame 24 is out of range" in words
    assert words.endswith("All else acts.")


def test_states_of_another_clip_stand_in_the_same_frames(nano):
    other = wx.trace(nano.model, load_sample("two_voices"))
    chosen = {"what_if": PATCHED, "frame": 100, "span": 20, "patched_state": 4}
    patch = intervene(nano, **chosen)
    assert isinstance(patch, StatesPatched)
    assert torch.equal(nano.what_if([patch]).hidden_states[4, 90:110], other.hidden_states[4, 90:110])
    assert intervene(nano, **chosen | {"frame": 178}).frames == range(168, 181)  # of 181
    assert intervene(nano, **chosen | {"other_clip": "vowels"}).other.audio.name == "vowels"
    items = show(nano, **chosen | {"frame": 200})
    assert "two_voices ends with frame 180: choose an earlier one, or another clip" in notes_of(items)
    assert intervene(nano, **chosen).other is patch.other


def test_what_is_described_is_collected_as_it_acts(nano):
    choices, defaults = VIEW.choices(nano), VIEW.defaults(nano)
    (collection,) = (choice for choice in choices if isinstance(choice, Collection))
    assert collection.then == {"what_if": NOTHING}
    for kind in set(kinds(nano)) - {NOTHING}:
        chosen = defaults | {"what_if": kind}
        text = collection.describe(chosen)
        assert text is not None
        collected = chosen_changes(nano, chosen | {"changes": (text,), "what_if": NOTHING})
        assert collected == chosen_changes(nano, chosen)
    assert collection.describe(defaults | {"what_if": NOTHING}) is None
    assert collection.describe(defaults | {"what_if": PATCHED, "frame": 200}) is None
