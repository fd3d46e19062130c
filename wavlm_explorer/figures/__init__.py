"""Arrays to pictures: matplotlib figures for a notebook, a report and the page alike."""

from .attention import attention_heads, attention_map, attention_terms
from .bias import bias_curves, gate_track
from .buckets import bucket_function, bucket_matrix
from .comparison import change_map, divergence_maps, similarity_curves, similarity_matrix
from .effects import (
    effect_by_layer,
    effect_on_attention,
    effect_on_heads,
    effect_over_time,
    importance_of_heads,
)
from .gate import (
    gate_attention,
    gate_bias,
    gate_compounding,
    gate_formula,
    gate_over_time,
    gate_parts,
    gate_paths,
)
from .glu import gate_histogram, glu_terms
from .labels import label_map
from .noise import noise_attention, noise_effect, noise_mask, noise_over_steps, noise_weight
from .style import DARK, LIGHT, Palette, Picture

__all__ = [
    "DARK",
    "LIGHT",
    "Palette",
    "Picture",
    "attention_heads",
    "attention_map",
    "attention_terms",
    "bias_curves",
    "bucket_function",
    "bucket_matrix",
    "change_map",
    "divergence_maps",
    "effect_by_layer",
    "effect_on_attention",
    "effect_on_heads",
    "effect_over_time",
    "gate_attention",
    "gate_bias",
    "gate_compounding",
    "gate_formula",
    "gate_histogram",
    "gate_over_time",
    "gate_parts",
    "gate_paths",
    "gate_track",
    "glu_terms",
    "importance_of_heads",
    "label_map",
    "noise_attention",
    "noise_effect",
    "noise_mask",
    "noise_over_steps",
    "noise_weight",
    "similarity_curves",
    "similarity_matrix",
]
