"""What a WavLM is made of: the original's fields and defaults, and the three released models."""

import ast
import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

SAMPLE_RATE = 16_000  # Hz


MAX_CONV_LAYERS = 64
LARGEST = {  # far beyond any WavLM, and still harmless
    "encoder_layers": 200,
    "encoder_embed_dim": 1 << 16,
    "encoder_ffn_embed_dim": 1 << 18,
    "encoder_attention_heads": 1 << 10,
    "num_buckets": 1 << 16,
    "max_distance": 1 << 20,
    "conv_pos": 1 << 12,
    "conv_pos_groups": 1 << 16,
}
ARTICLES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


class ConvLayer(NamedTuple):
    """One convolution of the front end."""

    channels: int
    kernel: int  # samples of the layer below
    stride: int


@dataclass(frozen=True)
class WavLMConfig:
    """The fields of the original's config, under its names and with its defaults.

    The defaults are no WavLM (no relative positions, no gate): start from BASE, BASE_PLUS or LARGE.

    Raises: ValueError for fields that contradict each other.
    Source: WavLM `WavLM.py`.
    """

    extractor_mode: str = "default"  # "default": one group norm, in the first convolution; "layer_norm": a norm in each
    encoder_layers: int = 12
    encoder_embed_dim: int = 768
    encoder_ffn_embed_dim: int = 3072
    encoder_attention_heads: int = 12
    activation_fn: str = "gelu"  # "glu" makes the feed-forward's first layer a GLU_Linear with swish
    layer_norm_first: bool = False  # pre-norm (Large) or post-norm (Base)
    conv_feature_layers: str = "[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2"  # (channels, kernel, stride)
    conv_bias: bool = False
    feature_grad_mult: float = 1.0
    normalize: bool = False  # the waveform is expected with mean 0 and variance 1; the model itself never does it

    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.0
    encoder_layerdrop: float = 0.0
    dropout_input: float = 0.0
    dropout_features: float = 0.0

    mask_length: int = 10  # frames
    mask_prob: float = 0.65
    mask_selection: str = "static"
    mask_other: float = 0
    no_mask_overlap: bool = False
    mask_min_space: int = 1
    mask_channel_length: int = 10
    mask_channel_prob: float = 0.0
    mask_channel_selection: str = "static"
    mask_channel_other: float = 0
    no_mask_channel_overlap: bool = False
    mask_channel_min_space: int = 1

    conv_pos: int = 128  # kernel of the positional convolution, frames
    conv_pos_groups: int = 16
    relative_position_embedding: bool = False
    num_buckets: int = 320
    max_distance: int = 1280  # frames; every released model has 800
    gru_rel_pos: bool = False  # the gate

    def __post_init__(self) -> None:
        self._check_types()
        width, heads = self.encoder_embed_dim, self.encoder_attention_heads
        if self.extractor_mode not in ("default", "layer_norm"):
            raise ValueError(f"extractor_mode: expected 'default' or 'layer_norm'; found {self.extractor_mode!r}")
        if heads < 1 or width % heads:
            raise ValueError(f"expected encoder_attention_heads to divide encoder_embed_dim; found {heads} and {width}")
        if self.conv_pos_groups < 1 or width % self.conv_pos_groups:
            raise ValueError(
                f"expected conv_pos_groups to divide encoder_embed_dim; found {self.conv_pos_groups} and {width}"
            )
        parse_conv_layers(self.conv_feature_layers)

    def _check_types(self) -> None:
        """Files come from strangers: each field must be of its default's type, and no size beyond all reason."""
        for field in dataclasses.fields(self):
            value, kind = getattr(self, field.name), type(field.default)
            is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if not (is_number if kind is float else type(value) is kind):
                raise ValueError(f"{field.name}: expected {ARTICLES[kind]}; found {value!r}")
        for name, largest in LARGEST.items():
            if not 1 <= getattr(self, name) <= largest:
                raise ValueError(f"{name}: expected 1 to {largest}; found {getattr(self, name)}")

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "WavLMConfig":
        """Make a config from the `cfg` of a checkpoint, whose further fields (of pre-training) are left out."""
        return cls(**{name: value for name, value in fields.items() if name in FIELD_NAMES})

    @property
    def conv_layers(self) -> list[ConvLayer]:
        """The convolutions of the front end, first to last."""
        return parse_conv_layers(self.conv_feature_layers)

    @property
    def hop_samples(self) -> int:
        """Samples from one frame to the next: 320, that is 20 ms, in the released models."""
        hop = 1
        for layer in self.conv_layers:
            hop *= layer.stride
        return hop

    @property
    def receptive_field_samples(self) -> int:
        """Samples that one frame sees: 400, that is 25 ms, in the released models."""
        seen = 1
        for layer in reversed(self.conv_layers):
            seen = (seen - 1) * layer.stride + layer.kernel
        return seen

    @property
    def frame_seconds(self) -> float:
        """Seconds from one frame to the next."""
        return self.hop_samples / SAMPLE_RATE

    def num_frames(self, num_samples: int) -> int:
        """Frames that the front end makes of so many samples; 0 if they are fewer than one frame sees."""
        for layer in self.conv_layers:
            num_samples = (num_samples - layer.kernel) // layer.stride + 1
        return max(num_samples, 0)


FIELD_NAMES = tuple(field.name for field in dataclasses.fields(WavLMConfig))


def parse_conv_layers(text: str) -> list[ConvLayer]:
    """Read "[(512,10,5)] + [(512,3,2)] * 4": lists of (channels, kernel, stride), added and repeated, nothing else.

    The original evaluates this field, which comes out of a file, as Python; here it is only read.

    Raises: ValueError for any other expression, or more than 64 layers.
    """
    try:
        layers = _read_list(ast.parse(text, mode="eval").body)
        return [ConvLayer(*layer) for layer in layers]
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(
            "conv_feature_layers: expected lists of (channels, kernel, stride) joined by + and repeated by *, such as "
            f"'[(512,10,5)] + [(512,3,2)] * 4'; found {str(text)[:120]!r} ({error})"
        ) from None


def format_conv_layers(layers: Iterable[tuple[int, int, int]]) -> str:
    """Write (channels, kernel, stride) of each layer as the released configs do, equal neighbours as one."""
    runs = [(layer, len(list(equal))) for layer, equal in itertools.groupby(layers)]
    return " + ".join(
        f"[({channels},{kernel},{stride})]" + (f" * {times}" if times > 1 else "")
        for (channels, kernel, stride), times in runs
    )


def _read_list(node: ast.expr) -> list[tuple[int, int, int]]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        layers = _read_list(node.left) + _read_list(node.right)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        times = ast.literal_eval(node.right)
        layers = _read_list(node.left) * min(times, MAX_CONV_LAYERS + 1)
    else:
        layers = ast.literal_eval(node)
    if not isinstance(layers, list) or not 0 < len(layers) <= MAX_CONV_LAYERS:
        raise ValueError(f"not a list of 1 to {MAX_CONV_LAYERS} layers")
    for layer in layers:
        if (
            not isinstance(layer, tuple | list)
            or len(layer) != 3
            or not all(type(number) is int and 0 < number < 1 << 16 for number in layer)
        ):
            raise ValueError(f"{layer} is not three positive whole numbers")
    return layers


BASE = WavLMConfig(
    relative_position_embedding=True, gru_rel_pos=True, max_distance=800, encoder_layerdrop=0.05, feature_grad_mult=0.1
)
BASE_PLUS = BASE
LARGE = dataclasses.replace(
    BASE,
    extractor_mode="layer_norm",
    encoder_layers=24,
    encoder_embed_dim=1024,
    encoder_ffn_embed_dim=4096,
    encoder_attention_heads=16,
    layer_norm_first=True,
    normalize=True,
    encoder_layerdrop=0.1,
    feature_grad_mult=1.0,
)
