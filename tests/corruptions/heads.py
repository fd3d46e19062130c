"""Heads that are dead, copied or mixed up."""

from .registry import State, corruption, generator, head_of


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


@corruption("exchanged-values")
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


def exchange_with_values(state: State, letter: str, layer: int, kinds: tuple[str, ...] = ("weight", "bias")) -> None:
    for kind in kinds:
        one, other = (f"encoder.layers.{layer}.self_attn.{name}_proj.{kind}" for name in (letter, "v"))
        state[one], state[other] = state[other], state[one]


@corruption("exchanged-values")
def queries_and_values_exchanged(cfg, state):
    exchange_with_values(state, "q", 3)


@corruption("exchanged-values")
def keys_and_values_exchanged_but_for_their_biases(cfg, state):
    exchange_with_values(state, "k", 1, ("weight",))


@corruption("mixed-up-roles")
def heads_and_channels_interleaved(cfg, state):
    for layer in range(6):
        for letter in "qkv":
            name = f"encoder.layers.{layer}.self_attn.{letter}_proj.weight"
            state[name] = state[name].unflatten(0, (6, 32)).transpose(0, 1).flatten(0, 1).contiguous()


@corruption("exchanged-halves")
def value_and_gate_exchanged(cfg, state):
    for kind in ("weight", "bias"):
        state[f"encoder.layers.2.fc1.linear.{kind}"] = state[f"encoder.layers.2.fc1.linear.{kind}"].roll(384, dims=0)
