"""Arrays to pictures: matplotlib figures for a notebook, a report and the page alike."""

from .accumulation import noise_corners, noise_steps
from .attention import attention_heads, attention_map, attention_row, attention_terms
from .bias import bias_curves, head_peaks, head_shares
from .bucket_strips import bucket_strips
from .buckets import bucket_function, bucket_matrix
from .comparison import change_map, divergence_maps, similarity_curves, similarity_matrix
from .convolutions import noise_convolutions
from .gate import gate_attention, gate_bias, gate_compounding, gate_formula, gate_over_time, gate_parts, gate_paths
from .glu import glu_channels, glu_regions, glu_types
from .glu_tracks import glu_channel, glu_terms
from .labels import label_map
from .noise import noise_attention, noise_effect, noise_mask, noise_sweep, noise_weight
from .style import DARK, LIGHT, Palette, Picture

__all__ = [
    "DARK",
    "LIGHT",
    "Palette",
    "Picture",
    "attention_heads",
    "attention_map",
    "attention_row",
    "attention_terms",
    "bias_curves",
    "bucket_function",
    "bucket_matrix",
    "bucket_strips",
    "change_map",
    "divergence_maps",
    "gate_attention",
    "gate_bias",
    "gate_compounding",
    "gate_formula",
    "gate_over_time",
    "gate_parts",
    "gate_paths",
    "glu_channel",
    "glu_channels",
    "glu_regions",
    "glu_terms",
    "glu_types",
    "head_peaks",
    "head_shares",
    "label_map",
    "noise_attention",
    "noise_convolutions",
    "noise_corners",
    "noise_effect",
    "noise_mask",
    "noise_steps",
    "noise_sweep",
    "noise_weight",
    "similarity_curves",
    "similarity_matrix",
]
