"""Numbers that are no weights."""

import torch

from .registry import TABLE, corruption, generator, head_of


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


@corruption("not-floating-point")
def numbers_of_the_wrong_kind(cfg, state):
    state["encoder.layers.3.fc2.weight"] = state["encoder.layers.3.fc2.weight"].to(torch.complex64)


@corruption("quantised")
def eight_bit_floating_point(cfg, state):
    for name in state:
        state[name] = state[name].to(torch.float8_e4m3fn)
