"""WavLM, assembled from modules/: the front end, a projection, and the transformer."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from .config import WavLMConfig
from .encoder import TransformerEncoder
from .front_end import ConvFeatureExtractionModel
from .modules import GradMultiply, Linear
from .source import Source
from .span_masking import compute_mask_indices


class WavLM(nn.Module):
    """The speech model: [batch, samples] at 16 kHz -> [batch, frames, width], a frame every 20 ms.

    It has the original's state-dict keys and gives the original's numbers. `config` says what it is made of; `source`
    where the weights come from and how each field of the config is known.

    Source: arXiv 2110.13900 and WavLM `WavLM.py`.
    """

    source: Source = Source()

    def __init__(self, config: WavLMConfig) -> None:
        super().__init__()
        self.config = config
        conv_layers = config.conv_layers
        channels, width = conv_layers[-1].channels, config.encoder_embed_dim
        self.feature_extractor = ConvFeatureExtractionModel(
            conv_layers, mode=config.extractor_mode, conv_bias=config.conv_bias
        )
        self.post_extract_proj = Linear(channels, width) if channels != width else None
        self.dropout_input = nn.Dropout(config.dropout_input)
        self.mask_emb = nn.Parameter(torch.empty(width).uniform_())
        self.encoder = TransformerEncoder(config)
        self.layer_norm = nn.LayerNorm(channels)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.mask_emb.device

    def extract_frames(
        self, source: Shaped[Tensor, "..."], report: Callable[[float], object] = lambda _: None
    ) -> Float[Tensor, "batch frames channels"]:
        """The front end's frames, normed; the gradient into the convolutions is scaled by `feature_grad_mult`.

        report: called with the share of the convolutions done, 0 to 1, where they go by chunks.

        Raises: ValueError for an input that is not [batch, samples] of floats, or shorter than one frame.
        """
        self._check_source(source)
        scale = self.config.feature_grad_mult
        with torch.set_grad_enabled(torch.is_grad_enabled() and scale > 0):
            features = self.feature_extractor(source, report)
        if scale not in (0, 1):
            features = GradMultiply.apply(features, scale)
        return self.layer_norm(features.transpose(1, 2))

    def project(self, frames: Float[Tensor, "batch frames channels"]) -> Float[Tensor, "batch frames width"]:
        """What enters the encoder: the front end's frames, brought to the width of the transformer."""
        return self.dropout_input(frames if self.post_extract_proj is None else self.post_extract_proj(frames))

    def extract_features(
        self,
        source: Shaped[Tensor, "..."],
        padding_mask: Shaped[Tensor, "..."] | None = None,
        mask: bool = False,
        ret_conv: bool = False,
        output_layer: int | None = None,
        ret_layer_results: bool = False,
    ) -> tuple:
        """Run the model: (features, frame padding mask), with the signature and the results of the original.

        source: [batch, samples]. mask: hide spans, as in pre-training.
        padding_mask: [batch, samples] or [batch, frames], true where it is padding; None for none.
        ret_conv: return what enters the encoder [batch, frames, width], masked and padded, not what leaves it.
        output_layer: return that layer's output (counted from 1), without a final norm, and run no further.
        ret_layer_results: features is (features, layer_results), the latter filled where an `output_layer` is given:
            the input of layer 0 and each layer's output, [frames, batch, width], each paired with None.

        Raises: ValueError for an input that is not [batch, samples], or too short, or a mask that does not fit.
        """
        features = self.project(self.extract_frames(source))
        if padding_mask is not None:
            padding_mask = self.forward_padding_mask(features, padding_mask)
        if mask:
            features, _ = self.apply_mask(features, padding_mask)
        layer = None if output_layer is None else output_layer - 1
        output, layer_results = self.encoder(features, padding_mask=padding_mask, layer=layer)
        if ret_conv:
            output = features if padding_mask is None else features.masked_fill(padding_mask.unsqueeze(-1), 0)
        return ((output, layer_results) if ret_layer_results else output), padding_mask

    def apply_mask(
        self, x: Float[Tensor, "batch frames width"], padding_mask: Bool[Tensor, "batch frames"] | None
    ) -> tuple[Float[Tensor, "batch frames width"], Bool[Tensor, "batch frames"] | None]:
        """Hide spans of frames behind `mask_emb`, spans of channels behind zeros; return which frames were hidden."""
        config, hidden = self.config, None
        if config.mask_prob > 0:
            hidden = compute_mask_indices(
                (x.shape[0], x.shape[1]),
                padding_mask,
                config.mask_prob,
                config.mask_length,
                config.mask_selection,
                config.mask_other,
                min_masks=2,
                no_overlap=config.no_mask_overlap,
                min_space=config.mask_min_space,
            )
            hidden = torch.from_numpy(hidden).to(x.device)
            x = torch.where(hidden.unsqueeze(-1), self.mask_emb.to(x.dtype), x)
        if config.mask_channel_prob > 0:
            channels = compute_mask_indices(
                (x.shape[0], x.shape[2]),
                None,
                config.mask_channel_prob,
                config.mask_channel_length,
                config.mask_channel_selection,
                config.mask_channel_other,
                no_overlap=config.no_mask_channel_overlap,
                min_space=config.mask_channel_min_space,
            )
            x = x.masked_fill(torch.from_numpy(channels).to(x.device).unsqueeze(1), 0)
        return x, hidden

    def forward_padding_mask(
        self, features: Float[Tensor, "batch frames width"], padding_mask: Shaped[Tensor, "..."]
    ) -> Bool[Tensor, "batch frames"]:
        """Turn a mask over samples into one over frames: padding where all samples of a frame's share are.

        The samples are shared out evenly, the last few left over; so one or two frames beyond the end of the speech
        count as speech, as in the original.

        Raises: ValueError for a mask with fewer entries than there are frames (the original then masks them all).
        """
        batch, num_frames = features.shape[:2]
        if padding_mask.ndim != 2 or padding_mask.shape[0] != batch or padding_mask.shape[1] < num_frames:
            raise ValueError(
                f"padding_mask: expected [{batch}, samples], true where padded; found {list(padding_mask.shape)} for "
                f"{num_frames} frames"
            )
        share = padding_mask.shape[1] // num_frames
        return padding_mask[:, : share * num_frames].bool().view(batch, num_frames, share).all(dim=-1)

    def _check_source(self, source: Tensor) -> None:
        least = self.config.receptive_field_samples
        if source.ndim != 2 or not source.is_floating_point() or source.shape[1] < least:
            raise ValueError(
                f"source: expected float samples [batch, samples] at 16 kHz, at least {least} of them (one frame); "
                f"found {list(source.shape)} {source.dtype}"
            )


def make_empty(config: WavLMConfig) -> WavLM:
    """Make a model whose tensors have shapes but no memory: to be filled in, or only looked at.

    Raises: ValueError for a config that describes no model.
    """
    try:
        with torch.device("meta"):
            return WavLM(config)
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"No WavLM has such a config: {error}") from None
