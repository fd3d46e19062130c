"""The initial weights of a BERT-like encoder."""

import torch
from torch import Tensor, nn

from .attention import MultiheadAttention

INITIAL_STD = 0.02


@torch.no_grad()
def _redraw(weight: Tensor, generator: torch.Generator | None) -> None:
    device = weight.device if weight.is_meta else "cpu"
    weight.copy_(torch.empty_like(weight, device=device).normal_(mean=0.0, std=INITIAL_STD, generator=generator))


def init_bert_params(module: nn.Module, generator: torch.Generator | None = None) -> None:
    """Redraw one module's weights from N(0, 0.02); meant for `model.apply(init_bert_params)`.

    Linear: weight redrawn, bias 0. Embedding: weight redrawn, padding row 0. MultiheadAttention: its query, key and
    value projections once more (`apply` came to them as Linear modules before). All others stay as they are.

    The draws are made on the CPU, so a seed gives the same weights on every device; `generator`, where given, is of it.

    Source: fairseq `modules/transformer_sentence_encoder.py`.
    """
    if isinstance(module, nn.Linear):
        _redraw(module.weight, generator)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding):
        _redraw(module.weight, generator)
        if module.padding_idx is not None:
            nn.init.zeros_(module.weight[module.padding_idx])
    if isinstance(module, MultiheadAttention):
        for projection in (module.q_proj, module.k_proj, module.v_proj):
            _redraw(projection.weight, generator)
