"""Names and shapes: what is missing, misspelt, unexpected or lies on its side."""

import torch

from .registry import TABLE, corruption, drop

# Names


@corruption("renamed-tensors")
def a_tensor_is_renamed(cfg, state):
    state["encoder.layers.2.fc1.linear.weights"] = state.pop("encoder.layers.2.fc1.linear.weight")


@corruption("renamed-tensors")
def a_gate_is_renamed(cfg, state):
    state["encoder.layers.1.self_attn.grep_b"] = state.pop("encoder.layers.1.self_attn.grep_a")


@corruption("renamed-tensors")
def one_tensor_has_a_prefix(cfg, state):
    state["module.encoder.layers.1.self_attn.q_proj.weight"] = state.pop("encoder.layers.1.self_attn.q_proj.weight")


@corruption("missing-tensors")
def a_tensor_is_dropped(cfg, state):
    del state["encoder.layers.4.fc2.weight"]


@corruption("missing-tensors")
def the_positional_convolution_is_dropped(cfg, state):
    for name in ("weight_g", "weight_v", "bias"):
        del state[f"encoder.pos_conv.0.{name}"]


@corruption("missing-tensors")
def weight_g_is_dropped(cfg, state):
    del state["encoder.pos_conv.0.weight_g"]


@corruption("missing-tensors")
def the_projection_is_dropped(cfg, state):
    del state["post_extract_proj.weight"]


@corruption("unexpected-tensors")
def a_stranger_is_added(cfg, state):
    state["encoder.layers.3.adapters_x.weight"] = torch.randn(4, 4)


@corruption("unexpected-tensors")
def a_layer_norm_is_added_to_a_convolution(cfg, state):
    state["feature_extractor.conv_layers.3.2.weight"] = torch.ones(128)


@corruption("unexpected-tensors")
def a_remnant_of_the_weight_norm_stays(cfg, state):
    state["encoder.pos_conv.0.weight"] = state["encoder.pos_conv.0.weight_v"].clone()


@corruption("unexpected-tensors")
def both_spellings_of_the_weight_norm(cfg, state):
    state["encoder.pos_conv.0.parametrizations.weight.original0"] = state["encoder.pos_conv.0.weight_g"].clone()


@corruption("layer-gap")
def a_layer_is_dropped(cfg, state):
    drop(state, "encoder.layers.3.")


@corruption("layer-gap")
def the_last_layer_is_dropped(cfg, state):
    drop(state, "encoder.layers.5.")


@corruption("layer-gap")
def the_first_layer_is_dropped(cfg, state):
    drop(state, "encoder.layers.0.")


@corruption("position-bias-missing")
def the_position_bias_is_dropped(cfg, state):
    del state[TABLE]


@corruption("position-bias-misplaced")
def the_position_bias_is_in_layer_3(cfg, state):
    state[TABLE.replace("layers.0", "layers.3")] = state.pop(TABLE)


@corruption("position-bias-misplaced")
def a_second_position_bias(cfg, state):
    state[TABLE.replace("layers.0", "layers.1")] = state[TABLE].clone()


@corruption("gate-missing")
def a_gate_is_dropped(cfg, state):
    for name in ("grep_a", "grep_linear.weight", "grep_linear.bias"):
        del state[f"encoder.layers.2.self_attn.{name}"]


@corruption("not-a-wavlm")
def all_gates_and_the_bias_are_dropped(cfg, state):
    for name in [name for name in state if "grep_" in name or name == TABLE]:
        del state[name]


# Shapes


@corruption("transposed-tensors")
def a_matrix_is_transposed(cfg, state):
    state["encoder.layers.1.fc2.weight"] = state["encoder.layers.1.fc2.weight"].T.contiguous()


@corruption("transposed-tensors")
def the_position_bias_is_transposed(cfg, state):
    state[TABLE] = state[TABLE].T.contiguous()


@corruption("transposed-tensors")
def the_gate_is_transposed(cfg, state):
    name = "encoder.layers.1.self_attn.grep_linear.weight"
    state[name] = state[name].T.contiguous()


@corruption("wrong-shapes")
def a_bias_is_cut(cfg, state):
    state["encoder.layers.1.fc2.bias"] = state["encoder.layers.1.fc2.bias"][:-1].clone()


@corruption("wrong-shapes")
def the_weight_norm_is_over_another_dimension(cfg, state):
    state["encoder.pos_conv.0.weight_g"] = torch.rand(192, 1, 1)


@corruption("wrong-shapes")
def grep_a_is_flat(cfg, state):
    state["encoder.layers.1.self_attn.grep_a"] = state["encoder.layers.1.self_attn.grep_a"].flatten()


@corruption("wrong-shapes")
def a_layer_of_another_size(cfg, state):
    for name in [name for name in state if name.startswith("encoder.layers.2.fc")]:
        state[name] = torch.randn([2 * length for length in state[name].shape]) * 0.04
