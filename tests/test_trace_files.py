"""A trace opens elsewhere, without the checkpoint, and answers bit for bit, also under interventions."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch
from models import VARIANTS, make_audio, make_model
from oracles import TINY
from traces import make_trace

import wavlm_explorer as wx
from wavlm_explorer.checkpoints.kinds import TRACE_ENTRY
from wavlm_explorer.gates import GATE_SOURCES, gate_from
from wavlm_explorer.interventions import (
    AttentionTo,
    AttentionUniform,
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
    "layer_attention": lambda trace: [
        (of.query(), of.bias_curve(), of.bars()) for of in map(trace.layer_attention, (0, 1))
    ],
    "context": lambda trace: [trace.context(layer) for layer in range(trace.num_layers)],
    "plan": lambda trace: [(trace.plan.acting(layer, 2), trace.plan.skips(layer)) for layer in range(trace.num_layers)],
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


INTERVENED = {  # every kind that a file can hold
    "attention": [
        AttentionWithin(5, layers=1),
        AttentionTo(5, layers=1, heads=2),
        GateFixed(0.3, layers=slice(None, 2), heads=[0, -1]),
        HeadsOff(mean=True, layers=-1, heads=1),
        HeadsOff(layers=0, heads=0),
    ],
    "states": [
        FramesHidden(slice(4, 9)),
        LayersSkipped([1]),
        PositionFrom(0, heads=2),
        PositionOff(layers=2),
        ContentOff(layers=0, heads=[1]),
        AttentionUniform(layers=1, heads=slice(1, None)),
    ],
}


@pytest.fixture(scope="module", params=[*VARIANTS, "nano", *INTERVENED])
def pair(request, tmp_path_factory) -> tuple[Trace, Trace]:
    """A trace, and what comes out of its file."""
    model = wx.load_model("nano", "cpu") if request.param == "nano" else make_model(VARIANTS.get(request.param, TINY))
    audio = dataclasses.replace(make_audio(start=2.5), name="voice.wav")
    trace = wx.trace(model, audio, interventions=INTERVENED.get(request.param, ()))
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


def test_a_trace_full_of_nothing_is_not_saved(tmp_path):
    trace = make_trace()
    broken = dataclasses.replace(trace, hidden_states=trace.hidden_states * np.nan)
    with pytest.raises(ValueError, match="hidden_states holds NaN or infinity"):
        broken.save(tmp_path / "broken.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_states_of_another_trace_are_not_saved(tmp_path, tiny_trace):
    patched = tiny_trace.what_if([HeadsOff(layers=0), StatesPatched(1, make_trace(seconds=0.8), frames=3)])
    with pytest.raises(ValueError, match="StatesPatched takes its states from another trace, which the file would not"):
        patched.save(tmp_path / "patched.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_trace_without_interventions_is_written_as_ever(tiny_trace):
    for trace, version in ((tiny_trace, 1), (tiny_trace.what_if([HeadsOff()]), 2)):
        content = pack_trace(trace)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        facts = json.loads(header["__metadata__"][TRACE_ENTRY])
        assert facts["version"] == version
        assert ("interventions" in facts) == (version == 2)


def test_more_is_changed_in_a_loaded_trace_as_in_the_saved_one(pair):
    more = [HeadsOff(layers=2, heads=0), AttentionWithin(4)]
    ours, theirs = (trace.what_if(more) for trace in pair)
    assert ours.interventions == theirs.interventions == (*pair[0].interventions, *more)
    assert torch.equal(ours.hidden_states, theirs.hidden_states)
