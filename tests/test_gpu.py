"""On a GPU everything is what it is on the CPU, up to rounding."""

import copy

import pytest
import torch
from models import VARIANTS, make_audio, make_model
from oracles import largest_difference, twins

import wavlm_explorer as wx
from wavlm_explorer import layer_attention
from wavlm_explorer.audio import Audio
from wavlm_explorer.checkpoints import load_model
from wavlm_explorer.encoder import TransformerEncoder
from wavlm_explorer.figures import DARK
from wavlm_explorer.interventions import (
    AttentionTo,
    AttentionWithin,
    ContentOff,
    FramesHidden,
    HeadsOff,
    LayersSkipped,
    PositionFrom,
    PositionOff,
)
from wavlm_explorer.modules import row_blocks
from wavlm_explorer.noise import Noise, noised_pass
from wavlm_explorer.tracing import Trace, trace
from wavlm_explorer.views import VIEWS, Exhibit
from wavlm_explorer.wavlm import WavLM

if not torch.cuda.is_available():
    pytest.skip("no GPU here", allow_module_level=True)

ROUNDING = 1e-4


@pytest.fixture(params=list(VARIANTS))
def both(request) -> tuple[Trace, Trace]:
    """One clip through each kind of model, on the CPU and on the GPU."""
    return traces(make_model(VARIANTS[request.param]))


def traces(model: WavLM, audio: Audio | None = None) -> tuple[Trace, Trace]:
    """The same model on the CPU and on the GPU, traced."""
    audio = make_audio() if audio is None else audio
    return trace(model, audio), trace(copy.deepcopy(model).to("cuda"), audio)


def assert_same(found, expected) -> None:
    assert found.device.type == "cpu"
    assert found.dtype == torch.float32
    assert largest_difference(found, expected) <= ROUNDING * max(1.0, float(expected.abs().max()))


def test_a_trace(both):
    on_cpu, on_gpu = both
    assert_same(on_gpu.hidden_states, on_cpu.hidden_states)
    assert_same(on_gpu.output, on_cpu.output)


def test_attention_and_what_it_is_made_of(both):
    on_cpu, on_gpu = both
    for layer in range(on_cpu.num_layers):
        assert_same(on_gpu.attention(layer), on_cpu.attention(layer))
        assert_same(
            on_gpu.attention(layer, heads=[0, 2], queries=slice(3, 9)), on_cpu.attention(layer, [0, 2], slice(3, 9))
        )
        assert_same(on_gpu.gate(layer), on_cpu.gate(layer))
        assert_same(on_gpu.attention_input(layer), on_cpu.attention_input(layer))
        assert_same(on_gpu.feed_forward_input(layer), on_cpu.feed_forward_input(layer))
        for found, expected in zip(on_gpu.attention_terms(layer, 1), on_cpu.attention_terms(layer, 1), strict=True):
            assert_same(found, expected)
        for found, expected in zip(on_gpu.terms_overview(layer, 1, 7), on_cpu.terms_overview(layer, 1, 7), strict=True):
            assert_same(found, expected)
        assert_same(on_gpu.mean_attention_overview(layer, 7), on_cpu.mean_attention_overview(layer, 7))


def test_measures_exact_and_sampled(both):
    on_cpu, on_gpu = both
    exact, sampled = on_gpu.measures(), on_gpu.sampled_measures(num_rows=11)
    expected = on_cpu.sampled_measures(num_rows=11)
    for name, numbers in on_cpu.measures().items():
        assert_same(exact[name], numbers)
    for name, numbers in sampled.items():
        assert_same(numbers.value, expected[name].value)
        assert_same(numbers.standard_error, expected[name].standard_error)


def test_the_glu():
    for of_cpu, of_gpu in zip(*(found.glu(0) for found in traces(make_model(VARIANTS["glu"]))), strict=True):
        assert_same(of_gpu, of_cpu)


def test_quant_noise():
    noise = Noise(layer=1, weight="fc1", p=0.4, block_size=8, draw=3)
    on_cpu, on_gpu = (noised_pass(clean, noise) for clean in traces(make_model()))
    assert torch.equal(on_gpu.mask, on_cpu.mask)
    assert_same(on_gpu.after, on_cpu.after)
    assert_same(on_gpu.trace.hidden_states, on_cpu.trace.hidden_states)
    assert_same(on_gpu.trace.attention(2), on_cpu.trace.attention(2))


@pytest.mark.parametrize("num_rows", [1, 7])
def test_long_clips_in_blocks(num_rows, monkeypatch):
    monkeypatch.setattr(row_blocks, "fused_block", lambda *_: row_blocks.BlockShape(3, num_rows))
    monkeypatch.setattr(layer_attention, "rows_at_once", lambda *_: num_rows)
    on_cpu, on_gpu = traces(make_model())
    assert_same(on_gpu.hidden_states, on_cpu.hidden_states)
    assert_same(on_gpu.attention_overview(1, cells=9), on_cpu.attention_overview(1, cells=9))


def test_long_sounds_in_chunks():
    on_cpu, on_gpu = traces(make_model(), make_audio(7.0))
    assert_same(on_gpu.hidden_states, on_cpu.hidden_states)


@pytest.mark.parametrize("need_weights", [True, False])
def test_attention_with_masks(need_weights):
    _, attention = twins("MultiheadAttention", 24, 3, has_relative_attention_bias=True, gru_rel_pos=True)
    x = torch.randn(23, 2, 24, generator=torch.Generator().manual_seed(0))
    padding = torch.arange(23)[None, :] >= torch.tensor([[23], [15]])
    with torch.no_grad():
        expected = attention(x, key_padding_mask=padding, need_weights=need_weights).output
        found = attention.to("cuda")(x.to("cuda"), key_padding_mask=padding.to("cuda"), need_weights=need_weights)
    assert_same(found.output.cpu(), expected)


def test_a_checkpoint_is_loaded_onto_the_gpu(tmp_path):
    wx.save_model(make_model(), tmp_path / "tiny.safetensors")
    for device in ("auto", "cuda", "cuda:0"):
        assert wx.load_model(tmp_path / "tiny.safetensors", device=device).device.type == "cuda"


def test_in_half_precision():
    model = make_model()
    expected = trace(model, make_audio())
    found = trace(model.to("cuda", torch.bfloat16), make_audio())
    difference = torch.linalg.vector_norm(found.hidden_states - expected.hidden_states)
    assert difference < 0.05 * torch.linalg.vector_norm(expected.hidden_states)
    assert found.attention(0).dtype == torch.float32


def test_training_on_the_gpu():
    model = make_model().to("cuda").train()
    encoder: TransformerEncoder = model.encoder
    frames = torch.randn(2, 20, model.config.encoder_embed_dim, device="cuda")
    encoder(frames).output.square().mean().backward()
    assert all(weight.grad is not None for name, weight in encoder.named_parameters() if "layer_norm" in name)


def test_what_does_not_fit_on_the_gpu_is_refused(monkeypatch):
    model = make_model().to("cuda")
    torch.cuda.empty_cache()
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (10_000, 80_000_000_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", torch.cuda.memory_allocated)
    with pytest.raises(MemoryError, match=r"39 frames .* 0\.0 GB are free on cuda:0\. Choose a shorter part"):
        trace(model, make_audio())


INTERVENTIONS = {
    "a head off": [HeadsOff(layers=1, heads=1)],
    "a head at its mean": [HeadsOff(layers=1, heads=1, mean=True)],
    "no content": [ContentOff(layers=[0, 2])],
    "near keys only": [AttentionWithin(3)],
    "one key only": [AttentionTo(4, heads=2)],
    "a layer skipped": [LayersSkipped(1)],
    "frames hidden": [FramesHidden(slice(3, 7)), ContentOff(heads=0)],
}


@pytest.mark.parametrize("name", INTERVENTIONS)
def test_interventions(both, name):
    on_cpu, on_gpu = (one.what_if(INTERVENTIONS[name]) for one in both)
    assert_same(on_gpu.hidden_states, on_cpu.hidden_states)
    assert_same(on_gpu.attention(2), on_cpu.attention(2))


def test_interventions_in_position(both):
    if both[0].model.config.relative_position_embedding:
        on_cpu, on_gpu = (one.what_if([PositionOff(layers=0), PositionFrom(0, heads=1, layers=1)]) for one in both)
        assert_same(on_gpu.output, on_cpu.output)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_page_is_drawn(view):
    _, on_gpu = traces(load_model("nano", device="cpu"), make_audio(1.0))
    items = list(view.exhibits(on_gpu, DARK, **view.defaults(on_gpu)))
    for exhibit in (item for item in items if isinstance(item, Exhibit)):
        assert exhibit.arrays()
        assert exhibit.picture.to_bytes("png", 30)
    assert items
