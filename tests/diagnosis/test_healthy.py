"""False alarms are the worst failure: what is healthy, or merely fresh, gets notes at most."""

import dataclasses

import pytest
import torch
import transformers
from models import VARIANTS, make_model
from oracles import original_wavlm

from wavlm_explorer.checkpoints import load_model
from wavlm_explorer.diagnosis import doctor
from wavlm_explorer.samples import load_sample
from wavlm_explorer.wavlm import WavLM

WIDTH = 192


@pytest.fixture(scope="module")
def nano():
    return load_model("nano", device="cpu")


def holding(model, change=lambda name, tensor: tensor):
    """What a file with this model, each tensor changed somehow, would hold."""
    state = {name: change(name, tensor.clone()) for name, tensor in model.state_dict().items()}
    return {"cfg": dataclasses.asdict(model.config), "model": state}


def assert_healthy(report, *notes):
    assert [finding for finding in report.findings if finding.severity != "note"] == []
    assert report.ok
    assert report.exit_code == 0
    assert set(notes) <= {finding.check for finding in report.findings}


def test_the_bundled_model_is_healthy():
    report = doctor("nano")
    assert_healthy(report, "storage-precision")
    assert {checked.outcome for checked in report.checks} == {"ok", "found"}  # every check applied


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_other_precisions_are_healthy(nano, kind):
    assert_healthy(doctor(holding(nano, lambda _, tensor: tensor.to(kind))), "storage-precision")


def test_a_bare_state_dict_is_healthy(nano):
    assert_healthy(doctor(nano.state_dict()), "config-missing")


@pytest.mark.parametrize("sample", ["noise", "pause", "vowels"])
def test_any_clip_will_do(sample):
    assert_healthy(doctor("nano", load_sample(sample)))


def fine_tuned(name, tensor):
    noise = torch.randn(tensor.shape, generator=torch.Generator().manual_seed(len(name)))
    return tensor + 0.05 * float(tensor.std(correction=0)) * noise


def outlier_dimensions(name, tensor):
    if name.endswith("layer_norm.weight") and len(tensor) == WIDTH:
        tensor[[7, 100]] *= 15
    return tensor


def outlier_weights(name, tensor):
    if name.endswith("fc2.weight"):
        tensor[3, 5] = 50 * tensor.std()
    return tensor


def tiny_key_biases(name, tensor):
    return tensor * 1e-5 if name.endswith("k_proj.bias") else tensor


def zero_key_biases(name, tensor):
    return tensor * 0 if name.endswith("k_proj.bias") else tensor


def odd_key_biases(name, tensor):
    return tensor + 3 if name.endswith("k_proj.bias") else tensor


def a_strong_last_layer(name, tensor):
    return tensor * 2.5 if name.startswith("encoder.layers.5.fc") else tensor


def weak_first_norms(name, tensor):
    return tensor * 0.2 if name.startswith("encoder.layers.0.") and "norm" in name else tensor


def dead_units(name, tensor):
    if name.endswith("fc1.linear.weight"):
        tensor[[3, 4, 40, 384 + 3, 384 + 4, 384 + 40]] = 0
    elif name.endswith("fc2.weight"):
        tensor[:, [3, 4, 40]] = 0
    return tensor


@pytest.mark.parametrize(
    "change",
    [
        fine_tuned,
        outlier_dimensions,
        outlier_weights,
        tiny_key_biases,
        zero_key_biases,
        odd_key_biases,
        a_strong_last_layer,
        weak_first_norms,
        dead_units,
    ],
)
def test_what_released_models_look_like_is_healthy(nano, change):
    assert_healthy(doctor(holding(nano, change)))


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "no positions"])
def test_fresh_weights_are_a_note(name):
    torch.manual_seed(0)
    assert_healthy(doctor(WavLM(VARIANTS[name])), "freshly-initialised")


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "no positions"])
def test_random_weights_are_a_note(name):
    assert_healthy(doctor(make_model(VARIANTS[name])), "freshly-initialised")


@pytest.mark.parametrize("is_pre_norm", [False, True])
@pytest.mark.parametrize("kind", [transformers.WavLMModel, transformers.WavLMForCTC])
def test_fresh_models_of_transformers_are_a_note(kind, is_pre_norm):
    torch.manual_seed(0)
    config = transformers.WavLMConfig(
        num_hidden_layers=3, hidden_size=96, num_attention_heads=4, intermediate_size=192, vocab_size=40,
        do_stable_layer_norm=is_pre_norm, feat_extract_norm="layer" if is_pre_norm else "group",
    )  # fmt: skip
    assert_healthy(doctor(kind(config)), "freshly-initialised")


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")  # the original's
def test_a_fresh_original_is_a_note(nano):
    torch.manual_seed(0)
    config = original_wavlm.WavLMConfig(dataclasses.asdict(nano.config))
    assert_healthy(doctor(original_wavlm.WavLM(config)), "freshly-initialised")
