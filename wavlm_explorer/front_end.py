"""From samples to frames: the convolutions that WavLM shares with wav2vec 2.0 and HuBERT."""

from collections.abc import Callable, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .modules import Fp32GroupNorm, Fp32LayerNorm, TransposeLast

FRAMES_AT_ONCE = {"cpu": 100}  # 2 s: what the first convolution makes of them stays in the caches of a CPU
FRAMES_AT_ONCE_ELSEWHERE = 1000
WINDOWS_AT_ONCE = 1 << 16


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
        self.hop_samples, self.receptive_field_samples = 1, 1
        for _, kernel, stride in conv_layers:
            self.receptive_field_samples += (kernel - 1) * self.hop_samples
            self.hop_samples *= stride

    def forward(
        self, samples: Float[Tensor, "batch samples"], report: Callable[[float], object] = lambda _: None
    ) -> Float[Tensor, "batch channels frames"]:
        """[batch, samples] -> [batch, channels, frames].

        Without gradients it goes by chunks of time, so that the memory it needs does not grow with the clip; `report`
        is then called after each with the share of the clip done, 0 to 1.

        Raises: RuntimeError, from PyTorch, for fewer samples than one frame sees.
        """
        if self.training or torch.is_grad_enabled() or samples.shape[-1] < self.receptive_field_samples:
            x = samples.unsqueeze(1)  # [batch, 1, samples]
            for block in self.conv_layers:
                x = block(x)
            return x
        return torch.stack([self._by_chunks(clip, report) for clip in samples])

    def blocks_for(self, clip: Float[Tensor, " samples"]) -> list[Callable[[Tensor], Tensor]]:
        """The blocks in their order, made so that each frame of this clip can be heard by itself.

        A group norm is held at the mean and variance that it has over the whole clip.
        """
        first, *others = self.conv_layers
        if isinstance(cast(nn.Sequential, first)[2], Fp32GroupNorm):
            first = self._with_norm_folded_in(clip)
        return [first, *others]

    def _by_chunks(
        self, clip: Float[Tensor, " samples"], report: Callable[[float], object]
    ) -> Float[Tensor, "channels frames"]:
        first, *others = self.blocks_for(clip)
        num_frames = (len(clip) - self.receptive_field_samples) // self.hop_samples + 1
        at_once = FRAMES_AT_ONCE.get(clip.device.type, FRAMES_AT_ONCE_ELSEWHERE)
        chunks = []
        for begin in range(0, num_frames, at_once):
            end = min(begin + at_once, num_frames)
            seen = slice(begin * self.hop_samples, (end - 1) * self.hop_samples + self.receptive_field_samples)
            x = first(clip[seen][None])  # [channels, time]
            for block in others:
                x = block(x)
            chunks.append(x)
            report(end / num_frames)
        return torch.cat(chunks, dim=-1)

    def _with_norm_folded_in(self, clip: Float[Tensor, " samples"]) -> Callable[[Tensor], Tensor]:
        """The first block for this clip, its group norm turned into another kernel and bias.

        A channel is w x + b for each window x of the clip: its mean is w m + b and its variance w' C w, with the mean m
        [kernel] and the covariance C [kernel, kernel] of the windows. So no channel need be held over the whole clip.
        """
        conv, _, norm, activation = cast(tuple[nn.Conv1d, nn.Dropout, Fp32GroupNorm, nn.GELU], self.conv_layers[0])
        kernel, stride = conv.kernel_size[0], conv.stride[0]
        weight, gain, shift = (_doubled(tensor) for tensor in (conv.weight[:, 0], norm.weight, norm.bias))
        mean, covariance = _moments(_doubled(clip).unfold(0, kernel, stride))
        variance = ((weight @ covariance) * weight).sum(dim=1)
        scale = gain / torch.sqrt(variance + norm.eps)
        bias = shift - scale * (weight @ mean)  # the convolution's own bias is lost in the norm
        folded = [tensor.to(conv.weight) for tensor in ((scale[:, None] * weight)[:, None], bias)]
        return lambda x: activation(F.conv1d(x, *folded, stride=stride))


def _doubled(tensor: Tensor) -> Tensor:
    """In float64; on the CPU where the device has no such numbers."""
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


def _moments(
    windows: Float[Tensor, "windows kernel"],
) -> tuple[Float[Tensor, " kernel"], Float[Tensor, "kernel kernel"]]:
    """Mean and covariance of the windows."""
    kernel = windows.shape[1]
    total, products = windows.new_zeros(kernel), windows.new_zeros(kernel, kernel)
    for part in windows.split(WINDOWS_AT_ONCE):
        total += part.sum(dim=0)
        products += part.T @ part
    mean = total / len(windows)
    return mean, products / len(windows) - torch.outer(mean, mean)
