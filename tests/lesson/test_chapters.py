"""Every chapter of the lesson: its words, what it shows of any model and sound, and that its try can be done."""

import copy
import dataclasses
import re
import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from models import VARIANTS, make_audio
from oracles import TINY
from traces import digest, make_trace

import wavlm_explorer as wx
from wavlm_explorer import lesson
from wavlm_explorer.birth import load_birth
from wavlm_explorer.document import Document
from wavlm_explorer.figures import DARK, LIGHT
from wavlm_explorer.interventions import FramesHidden
from wavlm_explorer.lesson import CHAPTERS
from wavlm_explorer.lesson.chapter import KEYS, make_chapter
from wavlm_explorer.samples import load_sample
from wavlm_explorer.views import VIEWS, Exhibit, Fraction, Note, WholeNumber

FOLDER = Path(lesson.__file__).parent
FILES = sorted(FOLDER.glob("*.toml"))
NUMBERED = [pytest.param(chapter, id=f"{number} {chapter.title}") for number, chapter in enumerate(CHAPTERS, 1)]
NUMBERLESS = re.compile(r"\b(nan|inf)\b")
LONGEST_WORDS = 100  # of an explanation: a chapter is short


def make_base():
    return wx.trace(wx.WavLM(dataclasses.replace(wx.BASE, encoder_layers=2)).eval(), make_audio(0.7))


def reload(trace, folder):
    return wx.load_trace(trace.save(folder / "saved.safetensors"))


TRACES = {
    "base": make_base,
    "one frame": lambda: make_trace(TINY, 0.025),
    "two frames": lambda: make_trace(TINY, 0.046),
    "one layer and head": lambda: make_trace(
        dataclasses.replace(VARIANTS["glu"], encoder_layers=1, encoder_attention_heads=1)
    ),
    **{name: partial(make_trace, VARIANTS[name]) for name in ("pre-norm", "no gate", "no positions")},
}


@pytest.fixture(scope="module", params=TRACES)
def trace(request):
    return TRACES[request.param]()


@pytest.fixture(scope="module")
def nano():
    return wx.trace(wx.load_model("nano"), load_sample("sentence"))


def defaults(chapter, trace):
    return {choice.name: getattr(choice, "default", 0) for choice in chapter.scene.choices(trace)}


def check_items(items):
    assert items
    for item in items:
        if isinstance(item, Note):
            assert item.text
            continue
        assert isinstance(item, Exhibit)
        assert item.caption
        assert not NUMBERLESS.search(item.caption)
        arrays = item.arrays()
        assert arrays
        assert all(np.isfinite(array).all() for array in arrays.values())


def test_thirteen_chapters_in_their_order():
    assert [chapter.title for chapter in CHAPTERS] == [
        "From waveform to frames", "What a frame sees", "Queries and keys", "Why position?", "Buckets", "The gate",
        "Heads differ", "Layers differ", "GLU: a gate for every number", "What noise does",
        "Taking it away", "The guessing game", "How the heads were born",
    ]  # fmt: skip
    assert len(FILES) == len(CHAPTERS)


@pytest.mark.parametrize("chapter", NUMBERED)
def test_the_words_are_whole(chapter):
    words = chapter.lesson
    assert all((words.what, words.equation, words.try_this, chapter.question, chapter.answer))
    assert chapter.question.endswith("?")
    assert len(words.what.split()) <= LONGEST_WORDS
    assert len(words.symbols) >= 2
    assert all(symbol and meaning for symbol, meaning in words.symbols)
    assert chapter.scene.laboratory in {view.name for view in VIEWS}
    document = Document("equation")
    document.add_equation(words.equation, words.symbols)
    page = document.to_html()
    assert page.count("<math") == 1 + len(words.symbols)
    assert "merror" not in page


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_with_a_key_too_few_or_too_many_is_named(path):
    words = tomllib.loads(path.read_text("utf-8"))
    assert set(words) == set(KEYS)
    del words["answer"]
    with pytest.raises(ValueError, match=rf"{path.stem}.toml: .*missing \['answer'\], unknown \['reply'\]"):
        make_chapter(path.stem, {**words, "reply": "42"}, CHAPTERS[0].scene)


@pytest.mark.parametrize("chapter", NUMBERED)
def test_a_chapter_works_for_every_model_and_sound(chapter, trace):
    before, began = digest(trace.model), chapter.scene.begin(trace)
    choices = chapter.scene.choices(trace)
    assert set(began) == {choice.name for choice in choices}
    numbers = [choice for choice in choices if isinstance(choice, WholeNumber | Fraction)]
    for choice in numbers:
        assert choice.minimum <= choice.default <= choice.maximum
        assert choice.minimum <= began[choice.name] <= choice.maximum
    ends = [{**began, **{each.name: getattr(each, end) for each in numbers}} for end in ("minimum", "maximum")]
    for chosen in (began, *ends):
        check_items(list(chapter.scene.exhibits(trace, LIGHT, **chosen)))
        words = chapter.scene.judge(trace, **chosen).words
        assert words
        assert not NUMBERLESS.search(words)
    assert digest(trace.model) == before


@pytest.mark.parametrize("chapter", NUMBERED)
def test_pictures_can_be_drawn(chapter, nano):
    for item in chapter.scene.exhibits(nano, DARK, **chapter.scene.begin(nano)):
        assert item.picture.to_bytes("png", 30).startswith(b"\x89PNG")


def test_a_trace_from_a_file_lacks_only_what_hears(nano, tmp_path):
    trace = reload(nano, tmp_path)
    for number, chapter in enumerate(CHAPTERS, 1):
        items = list(chapter.scene.exhibits(trace, LIGHT, **chapter.scene.begin(trace)))
        notes = [item.text for item in items if isinstance(item, Note)]
        assert [("convolutions" in note) for note in notes] == ([True] if number in (2, 12) else [])


# What a reader would choose, in each chapter, to do what it says: judged by the chapter, found here by other means.
def frame_at_a_second(trace):
    return {"frame": round((16_000 - 200) / 320)}


def apart(trace):
    return {"apart": 2}


def frame_with_a_far_key(trace):
    terms = trace.attention_terms(3, 2).content
    away = (terms.argmax(dim=1) - torch.arange(trace.num_frames)).abs()
    return {"frame": int((away == 60).nonzero()[0])}  # 1.2 s


def head_of_position(trace):
    return {"layer": 5, "head": 5}


def first_shared_distance(trace):
    return {"distance": -16}


def frame_of_silence(trace):
    return {"frame": 2}


def head_that_looks_back(trace):
    return {"layer": 4, "head": 4}


def layer_that_looks_nearest(trace):
    keys = torch.arange(trace.num_frames)
    spans = [float((trace.attention(layer, 4)[0] * (keys - keys[:, None]).abs()).sum()) for layer in range(6)]
    return {"layer": int(np.argmin(spans))}


def shut_frame(trace):
    return {"frame": int((trace.glu(3).gate.abs() < 0.1).sum(dim=1).argmax())}


def more_noise(trace):
    return {"p": 0.7}


def head_that_matters(trace):
    return {"layer": 5, "head": 2}


def frames_that_are_guessed(trace):
    return {"hidden_from": 200, "hidden_frames": 4}


def moment_of_stripes(trace):
    return {"birth_moment": int((load_birth().steps == 152).argmax())}


TRIES = (
    frame_at_a_second, apart, frame_with_a_far_key, head_of_position, first_shared_distance, frame_of_silence,
    head_that_looks_back, layer_that_looks_nearest, shut_frame, more_noise,
    head_that_matters, frames_that_are_guessed, moment_of_stripes,
)  # fmt: skip


@pytest.mark.parametrize(
    ("chapter", "tried"), list(zip(CHAPTERS, TRIES, strict=True)), ids=[each.__name__ for each in TRIES]
)
def test_what_the_chapter_says_to_try_can_be_done_and_is_not_done_before(chapter, tried, nano):
    began = chapter.scene.begin(nano)
    assert not chapter.scene.judge(nano, **began).done
    verdict = chapter.scene.judge(nano, **{**began, **tried(nano)})
    assert verdict.done, verdict.words


@pytest.mark.parametrize("sample", ["two_voices", "vowels", "pause", "noise"])
def test_no_sample_has_a_try_done_before(sample):
    trace = wx.trace(wx.load_model("nano"), load_sample(sample))
    for chapter in CHAPTERS:
        assert not chapter.scene.judge(trace, **chapter.scene.begin(trace)).done, chapter.title


def test_a_near_miss_is_no_success(nano):
    typical = int((nano.glu(3).gate.abs() < 0.1).sum(dim=1).argsort()[nano.num_frames // 2])
    misses = {
        8: {"frame": typical},
        0: {"frame": 48},
        1: {"apart": 3},
        4: {"distance": 20},
        6: {"head": 3},
        9: {"p": 0.1},
        10: {"layer": 5, "head": 3},
        11: {"hidden_from": 200, "hidden_frames": 3},
        12: {"birth_moment": 6},
    }
    for index, missed in misses.items():
        scene = CHAPTERS[index].scene
        assert not scene.judge(nano, **{**scene.begin(nano), **missed}).done
    assert not CHAPTERS[11].scene.judge(nano, hidden_from=132, hidden_frames=4).done


def test_what_is_missing_for_a_try_is_said():
    bare, ungated = make_trace(VARIANTS["no positions"]), make_trace(VARIANTS["no gate"])
    short = {1: "shorter than a second", 3: "no key is a second away"}
    for trace, numbers in (
        (bare, {4: "no relative", 5: "no relative", 6: "no gate", **short}),
        (ungated, {6: "no gate"}),
    ):
        for number, words in numbers.items():
            scene = CHAPTERS[number - 1].scene
            assert words in scene.judge(trace, **scene.begin(trace)).words
    scene = CHAPTERS[8].scene
    note, exhibit = scene.exhibits(bare, LIGHT, **scene.begin(bare))
    assert isinstance(note, Note)
    assert isinstance(exhibit, Exhibit)
    assert "demonstration" in note.text
    assert exhibit.name == "demonstration_glu_frame"


def test_the_defaults_of_the_choices_are_no_successes_where_the_page_never_begins(nano):
    """The first chapters have choices of their own: they begin at their defaults."""
    for index in (1, 4, 9):
        scene = CHAPTERS[index].scene
        assert not scene.judge(nano, **defaults(CHAPTERS[index], nano)).done


def test_the_output_moves_as_far_as_the_chapter_says(nano):
    """A head's values go through its own columns of out_proj: without them it hands on nothing."""
    scene, model = CHAPTERS[10].scene, copy.deepcopy(nano.model)
    attention = model.encoder.block(5).self_attn
    attention.out_proj.weight.data[:, 2 * attention.head_dim : 3 * attention.head_dim] = 0
    with torch.no_grad():
        output = wx.trace(model, nano.audio).output
    moved = float((output - nano.output).norm() / nano.output.norm())
    assert f"moves by {moved:.0%}" in scene.judge(nano, layer=5, head=2).words


def test_a_model_that_cannot_name_classes_is_judged_by_how_near_it_comes():
    trace, scene, hidden = make_trace(), CHAPTERS[11].scene, slice(8, 12)
    note, exhibit = scene.exhibits(trace, LIGHT, hidden_from=8, hidden_frames=4)
    assert isinstance(note, Note)
    assert "without the head" in note.text
    assert isinstance(exhibit, Exhibit)
    heard, guess = trace.output[hidden], trace.what_if([FramesHidden(hidden)]).output[hidden]
    mean = torch.cat([trace.output[: hidden.start], trace.output[hidden.stop :]]).mean(dim=0)
    distance = float((guess - heard).norm(dim=1).mean() / (mean - heard).norm(dim=1).mean())
    done, words = scene.judge(trace, hidden_from=8, hidden_frames=4)
    assert f"({distance:.2f})" in words
    assert done == (distance < 1)
    assert f"is {'nearer' if done else 'no nearer'} than" in words
    assert not scene.judge(trace, hidden_from=8, hidden_frames=3).done


def test_one_pass_serves_a_chapter_s_judge_and_its_pictures(monkeypatch):
    trace, passes = make_trace(), []
    what_if = wx.Trace.what_if
    monkeypatch.setattr(wx.Trace, "what_if", lambda *args: passes.append(args) or what_if(*args))
    scene = CHAPTERS[10].scene
    for head in (0, 0, 1):
        scene.judge(trace, layer=0, head=head)
        list(scene.exhibits(trace, LIGHT, layer=0, head=head))
    assert len(passes) == 2


@pytest.mark.parametrize(("layer", "words"), [(0, "only maps above layer 0 can change"), (2, "no map changes")])
def test_which_maps_can_change_without_a_head_is_said(layer, words):
    exhibit = list(CHAPTERS[10].scene.exhibits(make_trace(), LIGHT, layer=layer, head=0))[-1]
    assert isinstance(exhibit, Exhibit)
    assert words in exhibit.caption
    moved = exhibit.arrays()["share_that_moves"]
    assert not moved[: layer + 1].any()
    assert (moved[layer + 1 :] > 0).all()
