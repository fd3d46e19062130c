"""A trace opens elsewhere, without the checkpoint, and answers bit for bit; a file that is none is refused in words."""

import dataclasses
import io
import json
import pickle
import zipfile
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from models import VARIANTS, make_audio, make_model
from payload import Payload
from safetensors.torch import load, save
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.checkpoints.kinds import TRACE_ENTRY
from wavlm_explorer.gates import GATE_SOURCES, gate_from
from wavlm_explorer.interventions import HeadsOff
from wavlm_explorer.measures import Estimate
from wavlm_explorer.noise import Noise, noised_pass
from wavlm_explorer.trace_files import pack_trace
from wavlm_explorer.tracing import LayerSummary, Trace
from wavlm_explorer.ui.viewer.payloads import MAKERS, make

QUESTIONS = {
    "num_layers": lambda trace: trace.num_layers,
    "num_heads": lambda trace: trace.num_heads,
    "num_frames": lambda trace: trace.num_frames,
    "normalized": lambda trace: trace.normalized,
    "hidden_states": lambda trace: trace.hidden_states,
    "output": lambda trace: trace.output,
    "frame_times": lambda trace: trace.frame_times,
    "audio": lambda trace: [getattr(trace.audio, name) for name in ("name", "start", "sample_rate", "digest")],
    "model": lambda trace: [trace.model.config, trace.model.source, trace.model.training, str(trace.model.device)],
    "attention": lambda trace: [trace.attention(layer) for layer in range(trace.num_layers)],
    "attention_terms": lambda trace: trace.attention_terms(-1, 1, slice(3, 20)),
    "terms_of_heads": lambda trace: trace.terms_of_heads(1),
    "attention_overview": lambda trace: trace.attention_overview(1, cells=10),
    "mean_attention_overview": lambda trace: trace.mean_attention_overview(1, cells=10),
    "terms_overview": lambda trace: trace.terms_overview(1, 2, cells=10),
    "gate": lambda trace: [trace.gate(layer) for layer in range(trace.num_layers)],
    "attention_input": lambda trace: trace.attention_input(1),
    "feed_forward_input": lambda trace: trace.feed_forward_input(2),
    "glu": lambda trace: trace.glu(1) if trace.model.config.activation_fn == "glu" else None,
    "measures": lambda trace: trace.measures(),
    "layer_summary": lambda trace: trace.layer_summary(-1),
    "sampled_measures": lambda trace: trace.sampled_measures(num_rows=9),
    "interventions": lambda trace: trace.interventions,
    "what_if": lambda trace: trace.what_if([HeadsOff(layers=1, heads=0)]).hidden_states,
    "save": pack_trace,
}
WINDOW = {"layer": "1", "head": "2", "start": "4", "stop": "20"}
PAYLOADS = {"sound": {}, "layer": {"layer": "1"}, "window": WINDOW, "stages": WINDOW, "atlas": {"layer": "0"}}
BEYOND = {  # what the pages ask for beside these
    "the words for it": repr,
    "payloads of the viewer": lambda trace: [make(trace, what, wanted) for what, wanted in PAYLOADS.items()],
    "gates": lambda trace: [gate_from(trace, 1, source) for source in GATE_SOURCES],
    "quant noise": lambda trace: noised_pass(trace, Noise(1, "fc1", 0.3, 2)).trace.hidden_states,
}


@pytest.fixture(scope="module", params=[*VARIANTS, "nano"])
def pair(request, tmp_path_factory) -> tuple[Trace, Trace]:
    """A trace, and what comes out of its file."""
    model = wx.load_model("nano", "cpu") if request.param == "nano" else make_model(VARIANTS[request.param])
    trace = wx.trace(model, dataclasses.replace(make_audio(start=2.5), name="voice.wav"))
    folder = tmp_path_factory.mktemp("saved")
    path = trace.save(folder / "voice.safetensors")
    assert list(folder.iterdir()) == [path]
    return trace, wx.load_trace(path, "cpu")


def test_every_public_name_of_a_trace_is_asked_below():
    assert PAYLOADS.keys() == MAKERS.keys()
    public = {name for name in vars(Trace) | Trace.__dataclass_fields__ if not name.startswith("_")}
    assert public == QUESTIONS.keys()


@pytest.mark.parametrize("question", QUESTIONS | BEYOND)
def test_all_that_is_asked_is_bit_for_bit_what_the_original_gives(pair, question):
    expected, found = map((QUESTIONS | BEYOND)[question], pair)
    assert_identical(found, expected)


def assert_identical(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    if isinstance(expected, torch.Tensor):
        assert expected.numel()
        assert torch.equal(found, expected)
    elif isinstance(expected, dict):
        assert_identical([*found.items()], [*expected.items()])
    elif isinstance(expected, list | tuple | LayerSummary | Estimate):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_identical(one, other)
    else:
        assert found == expected


def test_pictures_are_drawn_of_it_too(pair):
    pictures = [wx.figures.attention_map(trace, layer=1, head=1).to_bytes("png") for trace in pair]
    assert pictures[0] == pictures[1]


def test_a_half_precision_model_stays_one():
    trace = wx.trace(make_model().to(torch.bfloat16), make_audio())
    again = wx.load_trace(pack_trace(trace), "cpu")
    assert again.model.mask_emb.dtype == torch.bfloat16
    assert torch.equal(again.attention(1), trace.attention(1))


def test_the_loaded_model_says_that_it_hears_no_other_sound(pair, tmp_path):
    whole, model = pair[0].model, pair[1].model
    frames = torch.zeros(1, 9, model.config.encoder_embed_dim)
    ways = {
        "trace": lambda: wx.trace(model, make_audio()),
        "features": lambda: model.extract_features(torch.zeros(1, 800)),
        "encoder": lambda: model.encoder(frames),
        "save": lambda: wx.save_model(model, tmp_path / "half.pt"),
        "copy": lambda: wx.load_model(model, "cpu"),
    }
    for way in ways.values():
        with pytest.raises(ValueError, match=r"came with a trace, without the convolutions .* Load the checkpoint"):
            way()
    assert list(tmp_path.iterdir()) == []
    left_out = {name for name, _ in whole.named_parameters()} - {name for name, _ in model.named_parameters()}
    assert left_out
    assert all("conv" in name or not name.startswith("encoder.") for name in left_out)


@pytest.mark.parametrize("how", ["path", "text", "bytes", "file"])
def test_a_trace_is_opened_from_anywhere(how, tmp_path):
    original = make_trace()
    path = original.save(str(tmp_path / "a.safetensors"))
    sources = {
        "path": lambda: path,
        "text": lambda: str(path),
        "bytes": path.read_bytes,
        "file": lambda: path.open("rb"),
    }
    source = sources[how]()
    trace = wx.load_trace(source, "cpu")
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))  # a trace owes nothing to its file
    assert torch.equal(trace.attention(2), original.attention(2))
    if hasattr(source, "close"):
        source.close()


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        wx.load_trace(tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match="device"):
        wx.load_trace(tmp_path / "none.safetensors", "abacus")


def test_a_checkpoint_and_a_trace_are_told_apart(tmp_path):
    path = make_trace().save(tmp_path / "mine.safetensors")
    with pytest.raises(wx.CheckpointError, match=r"this is a trace: .* Open it with load_trace"):
        wx.load_model(path)
    folder = wx.save_model(make_model(), tmp_path / "model")
    with pytest.raises(wx.TraceError, match=r"model\.safetensors cannot be .* perhaps a checkpoint \(load_model\)"):
        wx.load_trace(folder / "model.safetensors")
    with pytest.raises(wx.TraceError, match="zip archive, perhaps a checkpoint, which load_model opens"):
        wx.load_trace(wx.save_model(make_model(), tmp_path / "model.pt"))


def strangers(mark) -> dict[str, tuple[bytes, str]]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.txt", "hello")
    return {
        "nothing": (b"", "is empty"),
        "a text": (b"dear diary", "another kind of file, which starts with b'dear diary'"),
        "a sound": (b"RIFF" + bytes(100), "a sound file"),
        "a pickle": (pickle.dumps(Payload(mark)), "another kind of file"),
        "an archive": (archive.getvalue(), "a zip archive"),
        "a header without end": (
            (1 << 60).to_bytes(8, "little") + b"{}",
            "should have 1,152,921,504,606,846,976 bytes",
        ),
        "a header in a header": ((20000).to_bytes(8, "little") + b'{"a":' * 4000, "to be JSON"),
        "no header": ((1).to_bytes(8, "little") + b"{", "to be JSON"),
    }


def test_strangers_are_named_and_never_run(tmp_path):
    mark = tmp_path / "executed"
    for content, message in strangers(mark).values():
        with pytest.raises(wx.TraceError, match="trace cannot be opened as a trace") as caught:
            wx.load_trace(content)
        assert message in str(caught.value)
    assert not mark.exists()


WHOLE = pack_trace(make_trace(seconds=0.1))


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.3, 0.9, 0.99999])
def test_a_file_that_was_cut_short_is_refused(share):
    with pytest.raises(wx.TraceError, match=r"cut short|another kind of file"):
        wx.load_trace(WHOLE[: int(share * len(WHOLE))])


def changed(change) -> bytes:
    """Take a sound file apart, change its tensors and what it says of itself, and put it together again."""
    tensors, header = load(WHOLE), json.loads(WHOLE[8 : 8 + int.from_bytes(WHOLE[:8], "little")])
    facts = json.loads(header["__metadata__"][TRACE_ENTRY])
    change(tensors, facts)
    return save(tensors, {TRACE_ENTRY: json.dumps(facts)})


def of_tensors(**tensors):
    return lambda found, _: found.update(tensors)


def of_facts(*path, value):
    def change(_, facts):
        for name in path[:-1]:
            facts = facts[name]
        facts[path[-1]] = value

    return change


def lose(*names):
    return lambda found, _: [found.pop(name) for name in names]


STATES = load(WHOLE)["hidden_states"]
NORM = "model.encoder.layers.1.final_layer_norm.weight"
NOT_A_NUMBER = torch.full_like(STATES, float("nan"))
CHANGES = {
    "version": (of_facts("version", value=2), "Expected version 1 of the format; found 2"),
    "no facts": (lambda _, facts: facts.clear(), "Expected version 1 of the format; found None"),
    "a fact missing": (lambda _, facts: facts.pop("source"), "missing, or too much: source"),
    "a fact too many": (of_facts("more", value=1), "missing, or too much: more"),
    "no flag": (of_facts("normalized", value=1), "normalized: expected bool; found int"),
    "rate": (of_facts("sound", "sample_rate", value=8000), "expected 16000 Hz, found 8000"),
    "start": (of_facts("sound", "start", value=float("nan")), "expected a number of seconds"),
    "name": (of_facts("sound", "name", value=["a"]), "name: expected str; found list"),
    "config type": (of_facts("config", "encoder_layers", value="3"), "encoder_layers: expected a whole number"),
    "config size": (of_facts("config", "encoder_layers", value=10**9), "encoder_layers: expected 1 to 200"),
    "other depth": (of_facts("config", "encoder_layers", value=4), "hidden_states: expected [5,"),
    "heads": (of_facts("config", "encoder_attention_heads", value=5), "to divide encoder_embed_dim"),
    "activation": (of_facts("config", "activation_fn", value="evil"), "evil"),
    "convolutions": (of_facts("config", "conv_feature_layers", value="__import__('os')"), "expected lists of"),
    "hop": (of_facts("config", "conv_feature_layers", value="[(8, 400, 60000)] * 1"), "at least one frame"),
    "buckets": (of_facts("config", "num_buckets", value=16), "relative_attention_bias.weight: expected [16,"),
    "source": (of_facts("source", "notes", value=[1]), "expected names and reasons"),
    "format of source": (of_facts("source", "format", value="evil"), "expected names and reasons"),
    "provenance": (of_facts("source", "fields", value={"normalize": "evil"}), "expected names and reasons"),
    "no sound": (lose("samples"), "at least one frame of the config; found 0"),
    "no states": (lose("hidden_states"), "missing hidden_states"),
    "no weight": (lose(NORM), f"missing {NORM}"),
    "a weight too many": (of_tensors(**{"model.layer_norm.weight": torch.ones(3)}), "unexpected model.layer_norm"),
    "frames": (of_tensors(hidden_states=STATES[:, 1:].clone()), "hidden_states: expected"),
    "shape": (of_tensors(**{NORM: torch.ones(3)}), f"{NORM}: expected"),
    "type of states": (of_tensors(hidden_states=STATES.double()), "hidden_states: expected torch.float32"),
    "type of weights": (of_tensors(**{NORM: torch.ones(24).double()}), "weights of one floating point type"),
    "not a number": (of_tensors(hidden_states=NOT_A_NUMBER), "hidden_states holds NaN or infinity"),
    "infinity": (of_tensors(**{NORM: torch.full((24,), torch.inf)}), f"{NORM} holds NaN or infinity"),
}


@pytest.mark.parametrize("facts", ["", "[]", "{", '"text"'])
def test_a_description_that_is_none_is_refused(facts):
    with pytest.raises(wx.TraceError, match="Expected the description of the trace to be"):
        wx.load_trace(save(load(WHOLE), {TRACE_ENTRY: facts}))


@pytest.mark.parametrize("name", CHANGES)
def test_a_mislabelled_file_is_refused_with_the_reason(name):
    change, message = CHANGES[name]
    with pytest.raises(wx.TraceError, match="cannot be opened as a trace") as caught:
        wx.load_trace(changed(change))
    assert message in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_file_that_only_was_taken_apart_opens():
    assert repr(wx.load_trace(changed(lambda *_: None))) == repr(wx.load_trace(WHOLE))


def test_names_of_strangers_are_safe_to_print():
    content = changed(of_facts("sound", "name", value="\x1b[31mred\n" + "x" * 10_000))
    assert wx.load_trace(content).audio.name == "[31mred" + "x" * 248


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_header_is_read_or_refused(data):
    end = 8 + int.from_bytes(WHOLE[:8], "little")
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    try:
        trace = wx.load_trace(bytes(content))
    except wx.TraceError:
        return
    assert trace.attention(0).shape[-1] == trace.num_frames


def test_what_does_not_fit_in_memory_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 1000}))
    with pytest.raises(MemoryError, match=r"The tensors of trace need about .* Open it on a larger machine"):
        wx.load_trace(WHOLE)


def test_a_trace_full_of_nothing_is_not_saved(tmp_path):
    trace = make_trace()
    broken = dataclasses.replace(trace, hidden_states=trace.hidden_states * np.nan)
    with pytest.raises(ValueError, match="hidden_states holds NaN or infinity"):
        broken.save(tmp_path / "broken.safetensors")
    assert list(tmp_path.iterdir()) == []
