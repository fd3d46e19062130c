"""Whatever is done to a checkpoint at random, the doctor answers, and says when a check failed only for real damage."""

import dataclasses
import json

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import TINY

from wavlm_explorer.audio import Audio
from wavlm_explorer.diagnosis import doctor
from wavlm_explorer.samples import load_sample
from wavlm_explorer.wavlm import WavLM

torch.manual_seed(0)
MODEL = WavLM(TINY)
NAMES = sorted(MODEL.state_dict())
SENTENCE = load_sample("sentence")
CLIP = Audio(SENTENCE.samples[8_000:14_000], name="sentence")

TENSOR_CHANGES = {
    "drop": lambda tensor: None,
    "flatten": lambda tensor: tensor.flatten(),
    "transpose": lambda tensor: tensor.transpose(0, -1),
    "empty": lambda tensor: tensor[:0],
    "scalar": lambda tensor: torch.tensor(1.0),
    "nan": lambda tensor: tensor * torch.nan,
    "infinity": lambda tensor: tensor / 0,
    "zero": lambda tensor: tensor * 0,
    "huge": lambda tensor: tensor * 1e38,
    "tiny": lambda tensor: tensor * 1e-42,
    "whole": lambda tensor: tensor.to(torch.int64),
    "complex": lambda tensor: tensor.to(torch.complex64),
    "truth": lambda tensor: tensor > 0,
    "half": lambda tensor: tensor.half(),
    "text": lambda tensor: "text",
    "one more axis": lambda tensor: tensor[None],
    "longer": lambda tensor: torch.cat([tensor, tensor]),
}
FIELDS = sorted(dataclasses.asdict(TINY))
VALUES = [None, True, False, 0, -1, 1, 3, 7, 10**9, 0.5, float("nan"), "", "six", "[(8,10,5)]", [], {}]


@settings(max_examples=120, deadline=None)
@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(TENSOR_CHANGES)), max_size=6),
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES), max_size=3),
    st.dictionaries(st.text(max_size=20), st.just(torch.ones(2)), max_size=2),
)
def test_no_damage_is_too_much(changes, fields, strangers):
    state = {name: tensor.clone() for name, tensor in MODEL.state_dict().items()} | strangers
    for name, change in changes.items():
        state[name] = TENSOR_CHANGES[change](state[name])
        if state[name] is None:
            del state[name]
    report = doctor({"cfg": dataclasses.asdict(TINY) | fields, "model": state}, CLIP)
    assert json.loads(report.to_json())["exit_code"] == report.exit_code
    assert [finding.found for finding in report.findings if "could not be made" in finding.found] == []
