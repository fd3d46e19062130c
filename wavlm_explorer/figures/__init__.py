"""Arrays to pictures: matplotlib figures for a notebook, a report and the page alike."""

from .attention import attention_heads, attention_map, attention_terms
from .bias import bias_curves, gate_track
from .birth import birth_course, birth_moment
from .buckets import bucket_function, bucket_matrix
from .comparison import change_map, divergence_maps, similarity_curves, similarity_matrix
from .front_end_gradients import first_steps_by_weight, gradients_by_weight
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
from .initial_weights import initial_histograms, spreads_by_layer, spreads_by_weight
from .labels import label_map
from .noise import noise_attention, noise_effect, noise_mask, noise_over_steps, noise_weight
from .positional_convolution import positional_kernel, positional_shift, positional_sizes
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
    "birth_course",
    "birth_moment",
    "bucket_function",
    "bucket_matrix",
    "change_map",
    "divergence_maps",
    "first_steps_by_weight",
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
    "gradients_by_weight",
    "initial_histograms",
    "label_map",
    "noise_attention",
    "noise_effect",
    "noise_mask",
    "noise_over_steps",
    "noise_weight",
    "positional_kernel",
    "positional_shift",
    "positional_sizes",
    "similarity_curves",
    "similarity_matrix",
    "spreads_by_layer",
    "spreads_by_weight",
]
