"""Ways in which a checkpoint goes wrong: each spoils one thing, and names the check that has to find it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

State = dict[str, Tensor]
Spoil = Callable[[dict[str, Any], State], None]
CORRUPTIONS: dict[str, tuple[str, Spoil]] = {}

LAYER = "encoder.layers.{}."
ATTENTION = LAYER + "self_attn."
TABLE = "encoder.layers.0.self_attn.relative_attention_bias.weight"


def corruption(check: str) -> Callable[[Spoil], Spoil]:
    """Register a function that spoils (cfg, state) in place, and the check that must name it."""

    def register(spoil: Spoil) -> Spoil:
        CORRUPTIONS[spoil.__name__] = (check, spoil)
        return spoil

    return register


def head_of(state: State, name: str, head: int, num_heads: int = 6) -> Tensor:
    """The rows (of the output projection, the columns) of one head, as a view."""
    weight = state[name]
    weight = weight.T if "out_proj" in name else weight
    return weight.unflatten(0, (num_heads, -1))[head]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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


def drop(state: State, prefix: str) -> None:
    for name in [name for name in state if name.startswith(prefix)]:
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


# Config


@corruption("config-contradicts-shapes")
def the_config_is_of_base(cfg, state):
    cfg.update(encoder_layers=12, encoder_embed_dim=768, encoder_ffn_embed_dim=3072, encoder_attention_heads=12)


@corruption("config-contradicts-shapes")
def the_config_has_other_heads(cfg, state):
    cfg["encoder_attention_heads"] = 12


@corruption("config-contradicts-shapes")
def the_config_has_other_buckets(cfg, state):
    cfg["num_buckets"] = 320


@corruption("config-contradicts-shapes")
def the_config_has_fewer_layers(cfg, state):
    cfg["encoder_layers"] = 4


@corruption("config-contradicts-shapes")
def the_config_has_more_layers(cfg, state):
    cfg["encoder_layers"] = 8


@corruption("config-contradicts-shapes")
def the_config_has_another_front_end(cfg, state):
    cfg["extractor_mode"] = "layer_norm"


@corruption("config-contradicts-shapes")
def the_config_has_another_positional_convolution(cfg, state):
    cfg["conv_pos"] = 128


@corruption("config-contradicts-shapes")
def the_config_has_other_groups(cfg, state):
    cfg["conv_pos_groups"] = 8


@corruption("config-contradicts-shapes")
def the_config_has_no_glu(cfg, state):
    cfg["activation_fn"] = "gelu"


@corruption("config-contradicts-shapes")
def the_config_has_biases_in_convolutions(cfg, state):
    cfg["conv_bias"] = True


@corruption("config-contradicts-shapes")
def the_config_has_other_convolutions(cfg, state):
    cfg["conv_feature_layers"] = "[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2"


@corruption("switched-off")
def the_config_has_no_gate(cfg, state):
    cfg["gru_rel_pos"] = False


@corruption("switched-off")
def the_config_has_no_positions(cfg, state):
    cfg["relative_position_embedding"] = False


@corruption("switched-off")
def the_config_is_the_default(cfg, state):
    for name in list(cfg):
        if name not in ("encoder_layers", "encoder_embed_dim"):
            del cfg[name]
    cfg.update(gru_rel_pos=False, relative_position_embedding=False, max_distance=1280)


@corruption("norm-order")
def the_config_has_the_other_norm_order(cfg, state):
    cfg["layer_norm_first"] = True


@corruption("maximum-distance")
def the_config_has_a_short_distance(cfg, state):
    cfg["max_distance"] = 10


@corruption("frame-rate")
def the_config_has_other_strides(cfg, state):
    cfg["conv_feature_layers"] = cfg["conv_feature_layers"].replace("10,5", "10,4")


@corruption("odd-settings")
def the_config_drops_all_layers(cfg, state):
    cfg["encoder_layerdrop"] = 1.5


@corruption("readable")
def the_config_has_a_text_for_a_number(cfg, state):
    cfg["encoder_layers"] = "six"


@corruption("readable")
def the_config_runs_code(cfg, state):
    cfg["conv_feature_layers"] = "__import__('os').system('true')"


# Values


@corruption("not-finite")
def nan_in_one_head(cfg, state):
    head_of(state, "encoder.layers.2.self_attn.q_proj.weight", 4)[3, 5] = torch.nan


@corruption("not-finite")
def infinity_in_a_bias(cfg, state):
    state["encoder.layers.2.fc2.bias"][7] = -torch.inf


@corruption("not-finite")
def nan_in_grep_a(cfg, state):
    state["encoder.layers.5.self_attn.grep_a"][0, 2] = torch.nan


@corruption("huge-values")
def a_huge_number(cfg, state):
    state["encoder.layers.1.fc1.linear.weight"][10, 10] = 1e7


@corruption("huge-values")
def a_tensor_with_swapped_bytes(cfg, state):
    name = "encoder.layers.3.self_attn.v_proj.weight"
    weight = state[name] * 1.2345678  # uses all bits
    swapped = torch.frombuffer(bytearray(weight.numpy().byteswap().tobytes()), dtype=torch.float32).view_as(weight)
    state[name] = swapped.nan_to_num(posinf=1e30, neginf=-1e30)


@corruption("spikes")
def a_flipped_bit(cfg, state):
    state["encoder.layers.1.fc1.linear.weight"][10, 10] = 60.0


@corruption("all-zero")
def a_matrix_of_zeros(cfg, state):
    state["encoder.layers.2.self_attn.v_proj.weight"].zero_()


@corruption("all-zero")
def a_table_of_zeros(cfg, state):
    state[TABLE].zero_()


@corruption("all-zero")
def a_layer_norm_of_zeros(cfg, state):
    state["encoder.layers.2.final_layer_norm.weight"].zero_()


@corruption("all-zero")
def weight_g_of_zeros(cfg, state):
    state["encoder.pos_conv.0.weight_g"].zero_()


@corruption("all-zero")
def a_gate_of_zeros(cfg, state):
    state["encoder.layers.4.self_attn.grep_linear.weight"].zero_()


@corruption("constant-tensors")
def a_constant_matrix(cfg, state):
    state["encoder.layers.2.fc2.weight"].fill_(0.01)


@corruption("constant-tensors")
def a_constant_layer_norm(cfg, state):
    state["encoder.layers.2.final_layer_norm.weight"].fill_(0.5)


@corruption("cut-short")
def half_a_tensor(cfg, state):
    weight = state["encoder.layers.3.fc1.linear.weight"]
    weight.view(-1)[weight.numel() // 2 :] = 0


@corruption("many-zeros")
def quantisation_noise(cfg, state):
    weight = state["encoder.layers.3.fc2.weight"]
    kept = torch.rand(192, 48, generator=generator()).repeat_interleave(8, dim=1) > 0.3
    state["encoder.layers.3.fc2.weight"] = weight * kept / 0.7


@corruption("many-zeros")
def a_pruned_tensor(cfg, state):
    weight = state["encoder.layers.3.fc2.weight"]
    weight[weight.abs() < weight.abs().median()] = 0


@corruption("shifted")
def absolute_values(cfg, state):
    state["encoder.layers.3.fc2.weight"].abs_()


@corruption("quantised")
def rounded_to_bytes(cfg, state):
    weight = state["encoder.layers.3.fc2.weight"]
    scale = weight.abs().max() / 127
    state["encoder.layers.3.fc2.weight"] = (weight / scale).round() * scale


@corruption("quantised")
def rounded_to_bytes_by_row(cfg, state):
    weight = state["encoder.layers.3.fc1.linear.weight"]
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    state["encoder.layers.3.fc1.linear.weight"] = (weight / scale).round() * scale


@corruption("not-floating-point")
def whole_numbers(cfg, state):
    state["encoder.layers.3.fc2.weight"] = (state["encoder.layers.3.fc2.weight"] * 100).to(torch.int8)


@corruption("not-floating-point")
def complex_numbers(cfg, state):
    state["encoder.layers.3.fc2.bias"] = state["encoder.layers.3.fc2.bias"].to(torch.complex64)


@corruption("denormal-numbers")
def denormals(cfg, state):
    state["encoder.layers.3.fc2.weight"] = state["encoder.layers.3.fc2.weight"] * 1e-39


# Layers against each other


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


# Heads


@corruption("identical-heads")
def two_heads_made_equal(cfg, state):
    for name in ("q_proj", "k_proj", "v_proj"):
        for kind in ("weight", "bias"):
            full = f"encoder.layers.2.self_attn.{name}.{kind}"
            head_of(state, full, 1).copy_(head_of(state, full, 4))


@corruption("identical-heads")
def two_heads_with_equal_queries(cfg, state):
    head_of(state, "encoder.layers.2.self_attn.q_proj.weight", 1).copy_(
        head_of(state, "encoder.layers.2.self_attn.q_proj.weight", 4)
    )


@corruption("identical-heads")
def two_heads_with_equal_outputs(cfg, state):
    head_of(state, "encoder.layers.2.self_attn.out_proj.weight", 1).copy_(
        head_of(state, "encoder.layers.2.self_attn.out_proj.weight", 4)
    )


@corruption("dead-heads")
def a_head_without_values(cfg, state):
    head_of(state, "encoder.layers.2.self_attn.v_proj.weight", 1).zero_()


@corruption("dead-heads")
def a_head_without_outputs(cfg, state):
    head_of(state, "encoder.layers.2.self_attn.out_proj.weight", 1).zero_()


@corruption("dead-heads")
def a_head_of_zeros(cfg, state):
    for name in ("q_proj", "k_proj", "v_proj"):
        for kind in ("weight", "bias"):
            head_of(state, f"encoder.layers.5.self_attn.{name}.{kind}", 0).zero_()


@corruption("zero-rows")
def rows_of_zeros(cfg, state):
    state["encoder.layers.2.fc1.linear.weight"][40:44] = 0


@corruption("zero-rows")
def a_dead_channel(cfg, state):
    state["feature_extractor.conv_layers.2.0.weight"][5] = 0


@corruption("repeated-rows")
def repeated_rows(cfg, state):
    state["encoder.layers.2.fc1.linear.weight"][100:140] = state["encoder.layers.2.fc1.linear.weight"][0]


@corruption("mismatched-pairs")
def a_square_matrix_is_transposed(cfg, state):
    name = "encoder.layers.2.self_attn.q_proj.weight"
    state[name] = state[name].T.contiguous()


@corruption("mismatched-pairs")
def heads_are_reordered(cfg, state):
    name = "encoder.layers.2.self_attn.q_proj.weight"
    state[name] = state[name].unflatten(0, (6, -1))[[3, 4, 5, 0, 1, 2]].flatten(0, 1)


@corruption("mismatched-pairs")
def values_are_outputs(cfg, state):
    names = [f"encoder.layers.2.self_attn.{name}.weight" for name in ("v_proj", "out_proj")]
    state[names[0]], state[names[1]] = state[names[1]], state[names[0]]


@corruption("mismatched-pairs")
def keys_of_another_layer(cfg, state):
    names = [f"encoder.layers.{layer}.self_attn.k_proj.weight" for layer in (1, 4)]
    state[names[0]], state[names[1]] = state[names[1]], state[names[0]]


@corruption("mismatched-pairs")
def a_matrix_is_drawn_anew(cfg, state):
    state["encoder.layers.2.fc2.weight"].normal_(std=0.04, generator=generator())


@corruption("mismatched-pairs")
def rows_are_reversed(cfg, state):
    state["encoder.layers.2.fc1.linear.weight"] = state["encoder.layers.2.fc1.linear.weight"].flip(0)


@corruption("mixed-up-roles")
def all_values_are_outputs(cfg, state):
    for layer in range(6):
        names = [f"encoder.layers.{layer}.self_attn.{name}.weight" for name in ("v_proj", "out_proj")]
        state[names[0]], state[names[1]] = state[names[1]], state[names[0]]


@corruption("mixed-up-roles")
def projections_cut_in_another_order(cfg, state):
    for layer in range(6):
        for kind in ("weight", "bias"):
            q, k, v = (f"encoder.layers.{layer}.self_attn.{letter}_proj.{kind}" for letter in "qkv")
            state[q], state[k], state[v] = state[v], state[q], state[k]


@corruption("mixed-up-roles")
def all_queries_are_transposed(cfg, state):
    for layer in range(6):
        name = f"encoder.layers.{layer}.self_attn.q_proj.weight"
        state[name] = state[name].T.contiguous()


@corruption("exchanged-queries")
def queries_and_keys_exchanged(cfg, state):
    exchange_queries(state, 3)


@corruption("exchanged-queries")
def all_queries_and_keys_exchanged(cfg, state):
    for layer in range(6):
        exchange_queries(state, layer)


def exchange_queries(state: State, layer: int) -> None:
    for kind in ("weight", "bias"):
        q, k = (f"encoder.layers.{layer}.self_attn.{letter}_proj.{kind}" for letter in "qk")
        state[q], state[k] = state[k], state[q]


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
