"""Arrays to pictures: matplotlib figures for a notebook, a report and the page alike."""

from .accumulation import noise_corners, noise_steps
from .activations import activation_curves, gelu_difference, pre_activation_histogram
from .attention import attention_heads, attention_map, attention_row, attention_terms
from .bias import bias_curves, head_peaks, head_shares
from .birth import birth_course, birth_moment
from .bucket_strips import bucket_strips
from .buckets import bucket_function, bucket_matrix
from .channels import glu_frame
from .comparison import change_map, divergence_maps, similarity_curves, similarity_matrix
from .convolutions import noise_convolutions
from .decoding import decoding_differences, decoding_row, decoding_rows, decoding_work
from .depth import head_by_layer
from .effects import effect_by_layer, effect_on_attention, effect_on_heads, effect_over_time, importance_of_heads
from .front_end_gradients import first_steps_by_weight, gradients_by_weight
from .gate import gate_attention, gate_bias, gate_compounding, gate_formula, gate_over_time, gate_parts, gate_paths
from .glu import glu_channels, glu_regions, glu_types
from .glu_tracks import glu_channel, glu_terms
from .initial_weights import initial_histograms, spreads_by_layer, spreads_by_weight
from .labels import label_map
from .masks import extra_keys, mask_maps, mask_moves
from .noise import noise_attention, noise_effect, noise_mask, noise_sweep, noise_weight
from .norms import norm_before_after, norm_error_by_scale, norm_errors
from .positional_convolution import positional_kernel, positional_shift, positional_sizes
from .rows import content_row, table_row
from .style import DARK, LIGHT, Palette, Picture
from .waveform import frame_windows, heard_samples, waveform_frames

__all__ = [
    "DARK",
    "LIGHT",
    "Palette",
    "Picture",
    "activation_curves",
    "attention_heads",
    "attention_map",
    "attention_row",
    "attention_terms",
    "bias_curves",
    "birth_course",
    "birth_moment",
    "bucket_function",
    "bucket_matrix",
    "bucket_strips",
    "change_map",
    "content_row",
    "decoding_differences",
    "decoding_row",
    "decoding_rows",
    "decoding_work",
    "divergence_maps",
    "effect_by_layer",
    "effect_on_attention",
    "effect_on_heads",
    "effect_over_time",
    "extra_keys",
    "first_steps_by_weight",
    "frame_windows",
    "gate_attention",
    "gate_bias",
    "gate_compounding",
    "gate_formula",
    "gate_over_time",
    "gate_parts",
    "gate_paths",
    "gelu_difference",
    "glu_channel",
    "glu_channels",
    "glu_frame",
    "glu_regions",
    "glu_terms",
    "glu_types",
    "gradients_by_weight",
    "head_by_layer",
    "head_peaks",
    "head_shares",
    "heard_samples",
    "importance_of_heads",
    "initial_histograms",
    "label_map",
    "mask_maps",
    "mask_moves",
    "noise_attention",
    "noise_convolutions",
    "noise_corners",
    "noise_effect",
    "noise_mask",
    "noise_steps",
    "noise_sweep",
    "noise_weight",
    "norm_before_after",
    "norm_error_by_scale",
    "norm_errors",
    "positional_kernel",
    "positional_shift",
    "positional_sizes",
    "pre_activation_histogram",
    "similarity_curves",
    "similarity_matrix",
    "spreads_by_layer",
    "spreads_by_weight",
    "table_row",
    "waveform_frames",
]
