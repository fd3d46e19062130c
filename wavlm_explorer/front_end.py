"""From samples to frames: the convolutions that WavLM shares with wav2vec 2.0 and HuBERT."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from .modules import Fp32GroupNorm, Fp32LayerNorm, TransposeLast


class ConvFeatureExtractionModel(nn.Module):
    """A stack of strided convolutions over the waveform; each is conv -> dropout -> norm -> GELU.

    mode "default" norms once, after the first convolution, each channel over the whole clip (group norm); mode
    "layer_norm" norms after each, every frame by itself.

    Raises: ValueError for another mode.
    Source: WavLM `WavLM.py`; its 2-d convolutions, which no WavLM uses, are left out.
    """

    def __init__(
        self,
        conv_layers: Sequence[tuple[int, int, int]],
        dropout: float = 0.0,
        mode: str = "default",
        conv_bias: bool = False,
    ) -> None:
        super().__init__()
        if mode not in ("default", "layer_norm"):
            raise ValueError(f"mode: expected 'default' or 'layer_norm'; found {mode!r}")
        self.conv_layers = nn.ModuleList()
        in_channels = 1
        for index, (channels, kernel, stride) in enumerate(conv_layers):
            conv = nn.Conv1d(in_channels, channels, kernel, stride=stride, bias=conv_bias)
            nn.init.kaiming_normal_(conv.weight)
            block: list[nn.Module] = [conv, nn.Dropout(dropout)]
            if mode == "layer_norm":
                block.append(nn.Sequential(TransposeLast(), Fp32LayerNorm(channels), TransposeLast()))
            elif index == 0:
                block.append(Fp32GroupNorm(channels, channels))
            self.conv_layers.append(nn.Sequential(*block, nn.GELU()))
            in_channels = channels

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch channels frames"]:
        """[batch, samples] -> [batch, channels, frames].

        Raises: RuntimeError, from PyTorch, for fewer samples than one frame sees.
        """
        x = samples.unsqueeze(1)  # [batch, 1, samples]
        for block in self.conv_layers:
            x = block(x)
        return x
