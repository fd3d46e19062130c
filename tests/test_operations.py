"""The arithmetic of a pass, against PyTorch's own count."""

import dataclasses

import pytest
import torch
from models import VARIANTS, make_audio, make_model
from torch.utils.flop_counter import FlopCounterMode

from wavlm_explorer.operations import count_operations


@pytest.mark.parametrize("variant", ["post-norm", "pre-norm", "glu"])
def test_operations_are_those_that_pytorch_counts(variant):
    config = dataclasses.replace(VARIANTS[variant], gru_rel_pos=False)
    model, samples = make_model(config), torch.tensor(make_audio().samples)
    counter = FlopCounterMode(display=False)
    with counter:
        model.extract_features(samples[None])
    assert count_operations(config, len(samples)).total == counter.get_total_flops()
