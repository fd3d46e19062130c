"""Gates and position biases, and what only a clip shows."""

import torch

from .registry import TABLE, corruption, generator

# Gates


@corruption("gate-constant")
def grep_a_is_zero(cfg, state):
    state["encoder.layers.2.self_attn.grep_a"][0, 3] = 0


@corruption("gate-constant")
def grep_a_is_huge(cfg, state):
    state["encoder.layers.2.self_attn.grep_a"][0, 3] = -80


@corruption("dead-gate")
def a_gate_that_sums_to_nothing(cfg, state):
    weight = state["encoder.layers.2.self_attn.grep_linear.weight"].unflatten(0, (2, 4))
    state["encoder.layers.2.self_attn.grep_linear.weight"] = (weight - weight.mean(dim=1, keepdim=True)).flatten(0, 1)


@corruption("untrained-gate")
def a_gate_is_drawn_anew(cfg, state):
    state["encoder.layers.2.self_attn.grep_linear.weight"].normal_(std=0.02, generator=generator())


@corruption("untrained-gate")
def grep_a_is_reset(cfg, state):
    state["encoder.layers.2.self_attn.grep_a"].fill_(1)


@corruption("mixed-gate-rows")
def rows_of_the_gate_are_reordered(cfg, state):
    name = "encoder.layers.2.self_attn.grep_linear.weight"
    state[name] = state[name][[0, 4, 1, 5, 2, 6, 3, 7]]


@corruption("gate-at-its-ends")
def a_saturated_gate(cfg, state):
    state["encoder.layers.2.self_attn.grep_linear.weight"] *= 30


@corruption("saturated-gate")
def a_gate_that_stays_shut(cfg, state):
    state["encoder.layers.2.self_attn.grep_linear.bias"] -= 100


# The table of position biases


@corruption("flat-bias")
def a_head_without_positions(cfg, state):
    state[TABLE][:, 2] = 0


@corruption("repeated-bias")
def two_heads_with_equal_positions(cfg, state):
    state[TABLE][:, 2] = state[TABLE][:, 4]


@corruption("huge-bias")
def the_bias_scaled(cfg, state):
    state[TABLE] *= 100


@corruption("shuffled-bias")
def the_rows_are_shuffled(cfg, state):
    state[TABLE] = state[TABLE][torch.randperm(64, generator=generator())]


@corruption("shuffled-bias")
def one_column_is_shuffled(cfg, state):
    state[TABLE][:, 1] = state[TABLE][torch.randperm(64, generator=generator()), 1]


@corruption("untrained-bias")
def the_table_is_drawn_anew(cfg, state):
    state[TABLE].normal_(std=0.02, generator=generator())


@corruption("moved-rows")
def the_halves_are_exchanged(cfg, state):
    state[TABLE] = state[TABLE].roll(32, dims=0)


@corruption("moved-rows")
def the_rows_are_reversed(cfg, state):
    state[TABLE] = state[TABLE].flip(0)


# What only a clip shows


@corruption("collapsed-output")
def a_layer_that_loses_the_sound(cfg, state):
    state["encoder.layers.5.final_layer_norm.weight"] *= 1e-5


@corruption("collapsed-attention")
def scores_far_too_large(cfg, state):
    for name in ("q_proj", "k_proj"):
        state[f"encoder.layers.2.self_attn.{name}.weight"] *= 60


@corruption("moved-rows")
def the_rows_are_one_too_far(cfg, state):
    state[TABLE] = state[TABLE].roll(1, dims=0)


@corruption("positional-convolution")
def the_positional_convolution_was_not_loaded(cfg, state):
    drawn = 0.036 * torch.randn(192, 12, 16, generator=generator())
    state["encoder.pos_conv.0.weight_v"] = drawn
    state["encoder.pos_conv.0.weight_g"] = drawn.norm(dim=(0, 1), keepdim=True)


@corruption("positional-convolution")
def a_tap_of_the_positional_convolution_is_lost(cfg, state):
    state["encoder.pos_conv.0.weight_g"][..., 3] = 0
