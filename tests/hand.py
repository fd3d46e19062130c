"""One layer of WavLM written out in numpy, in float64, with any term of one head's attention changed on the way."""

import math
from collections.abc import Callable

import numpy as np
import torch

from wavlm_explorer.modules import relative_position_buckets
from wavlm_explorer.wavlm import WavLM

Change = Callable[[np.ndarray], np.ndarray]


def layer_by_hand(model: WavLM, layer: int, x: np.ndarray, head: int = 0, **changes: Change) -> dict[str, np.ndarray]:
    """One layer in float64: its attention's terms for every head, changed for one of them, and what leaves it.

    changes: of the head's content [T, T], bias [T, T], gate [T], weights [T, T] and context [T, d], in this order.
    """
    block, config = model.encoder.block(layer), model.config
    numbers = {name: value.detach().double().numpy() for name, value in block.state_dict().items()}

    def linear(name: str, y: np.ndarray) -> np.ndarray:
        return y @ numbers[f"{name}.weight"].T + numbers[f"{name}.bias"]

    def norm(name: str, y: np.ndarray) -> np.ndarray:
        y = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5)
        return y * numbers[f"{name}.weight"] + numbers[f"{name}.bias"]

    entering = norm("self_attn_layer_norm", x) if config.layer_norm_first else x
    heads, num_frames = config.encoder_attention_heads, len(x)
    q, k, v, raw = (
        part.reshape(num_frames, heads, -1).transpose(1, 0, 2)
        for part in (*(linear(f"self_attn.{name}_proj", entering) for name in "qkv"), entering)
    )
    terms = {"content": q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1]), "gate": np.ones((heads, num_frames))}
    terms["bias"] = np.zeros_like(terms["content"])
    if config.relative_position_embedding:
        table = model.encoder.block(0).self_attn.relative_attention_bias.weight.detach().double().numpy()
        buckets = relative_position_buckets(num_frames, config.num_buckets, config.max_distance)
        terms["bias"] = table[buckets].transpose(2, 0, 1)
    if config.gru_rel_pos:
        z = (raw @ numbers["self_attn.grep_linear.weight"].T + numbers["self_attn.grep_linear.bias"]).reshape(
            heads, num_frames, 2, 4
        )
        a, b = (1 / (1 + np.exp(-z.sum(-1)))).transpose(2, 0, 1)
        terms["gate"] = a * (b * numbers["self_attn.grep_a"].reshape(heads, 1) - 1) + 2

    def change(name: str) -> None:
        if name in changes:
            terms[name] = terms[name].copy()
            terms[name][head] = changes[name](terms[name][head])

    for name in ("content", "bias", "gate"):
        change(name)
    logits = terms["content"] + terms["gate"][..., None] * terms["bias"]
    terms["weights"] = np.exp(logits - logits.max(-1, keepdims=True))
    terms["weights"] /= terms["weights"].sum(-1, keepdims=True)
    change("weights")
    terms["context"] = terms["weights"] @ v
    change("context")
    y = x + linear("self_attn.out_proj", terms["context"].transpose(1, 0, 2).reshape(num_frames, -1))
    y = y if config.layer_norm_first else norm("self_attn_layer_norm", y)
    with torch.no_grad():
        inner = norm("final_layer_norm", y) if config.layer_norm_first else y
        activated = block.double().activation_fn(block.fc1(torch.from_numpy(inner)))
        terms["leaves"] = y + block.fc2(activated).numpy()
        block.float()
    terms["leaves"] = terms["leaves"] if config.layer_norm_first else norm("final_layer_norm", terms["leaves"])
    return terms
