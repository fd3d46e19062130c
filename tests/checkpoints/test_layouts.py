"""The three layouts' names, against the names that the implementations themselves give."""

import pytest
from models import VARIANTS
from oracles import TINY, make_original
from transformers import WavLMConfig as PortConfig
from transformers import WavLMForXVector, WavLMModel

from wavlm_explorer.checkpoints.huggingface import config_to_huggingface
from wavlm_explorer.checkpoints.layouts import name_in, original_name, recognise
from wavlm_explorer.wavlm import WavLM

EXPRESSIBLE = ["post-norm", "pre-norm"]


@pytest.mark.parametrize("variant", EXPRESSIBLE)
def test_names_in_the_port_are_the_port_s_own(variant):
    config = VARIANTS[variant]
    port = WavLMModel(PortConfig(**config_to_huggingface(config))).state_dict()
    ours = WavLM(config).state_dict()
    assert {name_in("huggingface", name): tensor.shape for name, tensor in ours.items()} == {
        name: tensor.shape for name, tensor in port.items()
    }


@pytest.mark.parametrize("variant", EXPRESSIBLE)
def test_names_lead_back(variant):
    norm = {"post-norm": ".2.", "pre-norm": ".2.1."}[variant]
    for name in WavLM(VARIANTS[variant]).state_dict():
        there = name_in("huggingface", name)
        back = original_name(f"wavlm.{there}", "huggingface", "wavlm.")
        assert back is not None
        assert back.replace(".norm.", norm) == name
        assert original_name(there, "huggingface", "wavlm.") is None


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_original_s_names_are_its_own(variant):
    names = list(make_original(VARIANTS[variant]).state_dict())
    assert [original_name(name, "microsoft") for name in names] == names
    assert recognise(names).most_common(1) == [(("microsoft", ""), len(names))]


def test_what_the_port_cannot_name():
    with pytest.raises(KeyError, match="fc1"):
        name_in("huggingface", "encoder.layers.0.fc1.linear.weight")
    for name in ("encoder.layers.0.self_attn.q_proj.weights", "encoder.layers.x.fc1.weight", "lm_head.weight", ""):
        assert original_name(name, "microsoft") is None
        assert original_name(name, "huggingface") is None


def test_prefixes_are_found_by_the_majority():
    names = [f"module.model.{name}" for name in WavLM(TINY).state_dict()] + ["layer_norm.weight", "ema.layer_norm.bias"]
    (layout, prefix), count = recognise(names).most_common(1)[0]
    assert (layout, prefix, count) == ("microsoft", "module.model.", len(names) - 2)


def test_a_head_s_names_do_not_hide_the_encoder_s():
    config = PortConfig(**config_to_huggingface(TINY), tdnn_dim=(8, 8, 8, 8, 8), xvector_output_dim=8)
    names = list(WavLMForXVector(config).state_dict())
    assert recognise(names).most_common(1)[0][0] == ("huggingface", "wavlm.")
    assert original_name("feature_extractor.weight", "huggingface", "wavlm.") is None  # the x-vector's linear layer
