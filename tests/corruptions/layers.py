"""Layers that are not like their neighbours."""

import re

import torch

from .registry import TABLE, State, corruption, generator


@corruption("scale-outlier")
def ten_times_too_large(cfg, state):
    state["encoder.layers.3.self_attn.q_proj.weight"] *= 10


@corruption("scale-outlier")
def the_first_layer_ten_times_too_large(cfg, state):
    state["encoder.layers.0.fc2.weight"] *= 10


@corruption("scale-outlier")
def a_tenth(cfg, state):
    state["encoder.layers.2.fc1.linear.weight"] /= 10


@corruption("scale-outlier")
def a_hundred_times_too_large_a_bias(cfg, state):
    state["encoder.layers.2.self_attn.v_proj.bias"] *= 100


@corruption("scale-outlier")
def a_layer_norm_ten_times_too_large(cfg, state):
    state["encoder.layers.2.self_attn_layer_norm.weight"] *= 10


@corruption("scale-of-single-tensors")
def a_convolution_scaled(cfg, state):
    state["feature_extractor.conv_layers.4.0.weight"] *= 100


@corruption("layer-gap")
def layers_counted_from_1(cfg, state):
    for layer in reversed(range(6)):
        for name in [name for name in state if name.startswith(f"encoder.layers.{layer}.")]:
            state[name.replace(f"layers.{layer}.", f"layers.{layer + 1}.")] = state.pop(name)


@corruption("scale-of-single-tensors")
def a_convolution_ten_times_too_large(cfg, state):
    state["feature_extractor.conv_layers.3.0.weight"] *= 10


@corruption("scale-of-single-tensors")
def the_projection_scaled(cfg, state):
    state["post_extract_proj.weight"] *= 0.01


@corruption("scale-of-single-tensors")
def weight_g_scaled(cfg, state):
    state["encoder.pos_conv.0.weight_g"] *= 100


@corruption("layer-norm-values")
def a_negative_layer_norm(cfg, state):
    state["encoder.layers.2.final_layer_norm.weight"] *= -1


@corruption("layer-norm-values")
def weight_and_bias_exchanged(cfg, state):
    names = [f"encoder.layers.2.final_layer_norm.{kind}" for kind in ("weight", "bias")]
    state[names[0]], state[names[1]] = state[names[1]], state[names[0]]


@corruption("untrained-layer")
def a_layer_is_reset(cfg, state):
    for name in [name for name in state if name.startswith("encoder.layers.3.")]:
        if "norm.weight" in name or "grep_a" in name:
            state[name] = torch.ones_like(state[name])
        elif name.endswith("bias"):
            state[name] = torch.zeros_like(state[name])
        else:
            state[name] = 0.02 * torch.randn(state[name].shape, generator=generator())


@corruption("untrained-tensors")
def a_layer_norm_is_reset(cfg, state):
    state["encoder.layers.3.final_layer_norm.weight"].fill_(1)


@corruption("untrained-tensors")
def a_bias_is_reset(cfg, state):
    state["encoder.layers.3.fc2.bias"].zero_()


@corruption("untrained-tensors")
def the_first_norm_is_reset(cfg, state):
    state["layer_norm.weight"].fill_(1)


@corruption("repeated-tensors")
def a_layer_is_copied(cfg, state):
    for name in [name for name in state if name.startswith("encoder.layers.2.")]:
        state[name] = state[name.replace("layers.2", "layers.4")].clone()


@corruption("repeated-tensors")
def a_matrix_is_copied(cfg, state):
    state["encoder.layers.2.fc2.weight"] = state["encoder.layers.4.fc2.weight"].clone()


@corruption("repeated-tensors")
def keys_are_queries(cfg, state):
    state["encoder.layers.2.self_attn.k_proj.weight"] = state["encoder.layers.2.self_attn.q_proj.weight"].clone()


@corruption("scale-of-single-tensors")
def the_first_convolution_scaled(cfg, state):
    state["feature_extractor.conv_layers.0.0.weight"] *= 100


@corruption("scale-of-single-tensors")
def the_table_scaled_down(cfg, state):
    state[TABLE] *= 0.01


def reorder(state: State, order: list[int]) -> None:
    """Put the layers in another order; the table stays where it is."""
    old = dict(state)
    for name in old:
        found = re.fullmatch(r"encoder\.layers\.(\d+)\.(.+)", name)
        if found and name != TABLE:
            state[f"encoder.layers.{order.index(int(found[1]))}.{found[2]}"] = old[name]


@corruption("layer-order")
def two_layers_exchanged(cfg, state):
    reorder(state, [0, 4, 2, 3, 1, 5])


@corruption("layer-order")
def two_neighbours_exchanged(cfg, state):
    reorder(state, [0, 1, 3, 2, 4, 5])


@corruption("layer-order")
def layers_rotated(cfg, state):
    reorder(state, [2, 3, 4, 5, 0, 1])
