"""WavLM's building blocks, faithful to the original: same names, arguments, state-dict keys and numbers.

They need nothing but PyTorch (and jaxtyping, for shapes), and may be read or lifted out on their own. Where the
original fails or ignores an argument, these work: docs/deviations.md lists each case.
"""

from .activations import Swish, gelu, gelu_accurate, get_activation_fn
from .attention import AttentionOutput, MultiheadAttention
from .gate import GateTerms, gate_terms
from .glu import GLU_Linear, GLUTerms
from .gradients import GradMultiply
from .initialization import init_bert_params
from .inputs import additive_mask
from .linear import Linear
from .norms import Fp32GroupNorm, Fp32LayerNorm
from .positions import distance_buckets, relative_position_buckets
from .quantization import draw_block_mask, noised_weight, quant_noise
from .row_blocks import attend_in_blocks, fused_block, rows_at_once
from .shapes import SamePad, TransposeLast

__all__ = [
    "AttentionOutput",
    "Fp32GroupNorm",
    "Fp32LayerNorm",
    "GLUTerms",
    "GLU_Linear",
    "GateTerms",
    "GradMultiply",
    "Linear",
    "MultiheadAttention",
    "SamePad",
    "Swish",
    "TransposeLast",
    "additive_mask",
    "attend_in_blocks",
    "distance_buckets",
    "draw_block_mask",
    "fused_block",
    "gate_terms",
    "gelu",
    "gelu_accurate",
    "get_activation_fn",
    "init_bert_params",
    "noised_weight",
    "quant_noise",
    "relative_position_buckets",
    "rows_at_once",
]
