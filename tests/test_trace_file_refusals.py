"""A file that is no trace, or not wholly one, is refused in words, and nothing in it is ever run."""

import io
import json
import pickle
import zipfile

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from payload import Payload
from safetensors.torch import load, save
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.checkpoints.kinds import TRACE_ENTRY
from wavlm_explorer.interventions import AttentionTo, GateFixed, HeadsOff, LayersSkipped
from wavlm_explorer.interventions.facts import to_facts
from wavlm_explorer.trace_files import pack_trace


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


def intervened(value):
    def change(_, facts):
        facts |= {"version": 2, "interventions": value}

    return change


def lose(*names):
    return lambda found, _: [found.pop(name) for name in names]


STATES = load(WHOLE)["hidden_states"]
NORM = "model.encoder.layers.1.final_layer_norm.weight"
NOT_A_NUMBER = torch.full_like(STATES, float("nan"))
CHANGES = {
    "version": (of_facts("version", value=3), "Expected version 1 or 2 of the format; found 3"),
    "no version": (of_facts("version", value=1.0), "version: expected int; found float"),
    "no facts": (lambda _, facts: facts.clear(), "Expected version 1 or 2 of the format; found None"),
    "no interventions": (of_facts("version", value=2), "missing, or too much: interventions"),
    "interventions of no list": (intervened({}), "interventions: expected list; found dict"),
    "interventions too early": (of_facts("interventions", value=[]), "missing, or too much: interventions"),
    "no intervention": (intervened(["x"]), "Intervention 0: expected a name among AttentionTo, AttentionUniform, "),
    "no such layer": (
        intervened(to_facts([LayersSkipped([0, 3])])),
        "no place in it: layer 3 is out of range: expected 0 to 2",
    ),
    "no such head": (intervened(to_facts([HeadsOff(heads=-4)])), "no place in it: head -4 is out of range"),
    "no such frame": (
        intervened(to_facts([AttentionTo(9)])),
        "no place in it: frame 9 is out of range: expected 0 to 3",
    ),
    "no number": (intervened(to_facts([GateFixed(float("nan"))])), "for the gate; found nan"),
    "too large a number": (intervened(to_facts([GateFixed(1e300)])), "from -1000 to 1000 for the gate; found 1e+300"),
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
