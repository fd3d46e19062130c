"""Arrays to pictures: matplotlib figures for a notebook, a report and the page alike."""

from .attention import attention_heads, attention_map, attention_terms
from .bias import bias_curves, gate_track
from .buckets import bucket_function, bucket_matrix
from .channels import glu_frame
from .comparison import change_map, divergence_maps, similarity_curves, similarity_matrix
from .depth import head_by_layer
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
from .rows import content_row, table_row
from .style import DARK, LIGHT, Palette, Picture
from .waveform import frame_windows, heard_samples, waveform_frames

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
    "content_row",
    "divergence_maps",
    "frame_windows",
    "gate_attention",
    "gate_bias",
    "gate_compounding",
    "gate_formula",
    "gate_histogram",
    "gate_over_time",
    "gate_parts",
    "gate_paths",
    "gate_track",
    "glu_frame",
    "glu_terms",
    "head_by_layer",
    "heard_samples",
    "label_map",
    "noise_attention",
    "noise_effect",
    "noise_mask",
    "noise_over_steps",
    "noise_weight",
    "similarity_curves",
    "similarity_matrix",
    "table_row",
    "waveform_frames",
]
