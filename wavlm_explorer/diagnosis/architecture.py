"""Family: architecture against config. Does the file's config describe the tensors beside it?"""

import dataclasses
from collections.abc import Iterator
from typing import Any

from ..config import BASE, FIELD_NAMES, LARGE, WavLMConfig, parse_conv_layers
from ..decoding import SAMPLE_RATE
from .check import Check, Problem, check, listing
from .subject import Subject

RELEASED_FRAME_MS = 20
SIZES = ("encoder_layers", "encoder_embed_dim", "encoder_ffn_embed_dim", "encoder_attention_heads")
SWITCHES = {"gru_rel_pos": "the gate", "relative_position_embedding": "position biases"}
GEOMETRIES = {"Base or Base+": BASE, "Large": LARGE}
PROBABILITIES = (
    "dropout", "attention_dropout", "activation_dropout", "encoder_layerdrop", "dropout_input", "dropout_features",
    "mask_prob", "mask_channel_prob",
)  # fmt: skip


def contradictions(subject: Subject) -> dict[str, tuple[Any, Any]]:
    """Fields that the file's config and the tensors' shapes tell differently: name -> (config, shapes)."""
    says, shapes = subject.checkpoint.config_says, subject.checkpoint.shapes_say
    return {name: (says[name], shapes[name]) for name in shapes if name in says and not _agree(name, says, shapes)}


def _agree(name: str, says: Any, shapes: Any) -> bool:
    if name != "conv_feature_layers":
        return says[name] == shapes[name]
    try:  # a stride leaves no mark on a shape
        ours, theirs = (parse_conv_layers(fields[name]) for fields in (says, shapes))
    except ValueError:
        return False
    return [layer[:2] for layer in ours] == [layer[:2] for layer in theirs]


def released(subject: Subject) -> tuple[str, WavLMConfig] | None:
    """Return the release whose sizes the tensors have."""
    shapes = subject.checkpoint.shapes_say
    for name, config in GEOMETRIES.items():
        if all(shapes.get(field) == getattr(config, field) for field in SIZES):
            return name, config
    return None


@check("error")
def config_contradicts_shapes(subject: Subject) -> Iterator[Problem]:
    """No field of the file's config contradicts the tensors' shapes."""
    different = contradictions(subject)
    says = subject.checkpoint.config_says
    other = next(
        (
            name
            for name, config in GEOMETRIES.items()
            if len(different) > 1 and all(says.get(field) == getattr(config, field) for field in SIZES)
        ),
        "",
    )
    whose = f" The config is that of {other}." if other else ""
    for name, (config, shapes) in different.items():
        if name not in SWITCHES:
            yield Problem(
                name,
                f"The config says {config!r}; the tensors say {shapes!r}.{whose}",
                f"Use the config that belongs to this file, or override it: {name}={shapes!r}.",
            )


@check("error")
def switched_off(subject: Subject) -> Iterator[Problem]:
    """The config does not switch off what the tensors are there for; the original's default config does.

    A model built from it and loaded with strict=False silently leaves these tensors out.
    """
    for name, (config, _) in contradictions(subject).items():
        if name in SWITCHES:
            verb = "are tensors of it" if not config else "is no tensor of it"
            yield Problem(
                name,
                f"The config says {config!r} to {SWITCHES[name]}; there {verb}.",
                "This is what the original's default config says. Use the checkpoint's own, or override "
                f"{name}={not config}."
                if not config
                else "The tensors were lost, or the config is another model's.",
            )
    for name in _silent_switches(subject):
        yield Problem(
            name,
            f"The config is silent on {SWITCHES[name]}, for which the original's code then takes its default: none.",
            f"They are used here, as the tensors are there. Add {name}=True to the config.",
            "warning",
        )


def _silent_switches(subject: Subject) -> list[str]:
    checkpoint = subject.checkpoint
    is_silent = bool(checkpoint.config_says) and checkpoint.layout == "microsoft"
    return [
        name for name in SWITCHES if is_silent and checkpoint.fields[name] == "inferred" and checkpoint.shapes_say[name]
    ]


@check("note")
def config_missing(subject: Subject) -> Iterator[Problem]:
    """The file tells its own config; what had to be assumed is named."""
    fields = subject.checkpoint.fields
    assumed = [
        name
        for name in ("layer_norm_first", "max_distance", "normalize", "activation_fn", "num_buckets", "conv_pos_groups")
        if fields.get(name) == "assumed" and subject.checkpoint.config is not None
    ]
    if not subject.checkpoint.config_says:
        values = [f"{name}={getattr(subject.config, name)!r}" for name in assumed]
        yield Problem(
            subject.checkpoint.name,
            "The file has no config. What shapes cannot tell is assumed as in the nearest release: "
            f"{listing(values) or 'nothing'}.",
            "If you know better, override it: doctor(..., max_distance=800).",
        )
    elif assumed:
        values = [f"{name}={getattr(subject.config, name)!r}" for name in assumed]
        yield Problem(
            "config", f"The config is silent on {listing(values)}: assumed.", "Override what you know better."
        )


@check("warning", "config")
def maximum_distance(subject: Subject) -> Iterator[Problem]:
    """max_distance is that of the releases: 800 with 320 buckets; the original's default of 1280 is no release's.

    No shape reveals it: distances beyond 80 frames land in other rows of the table.
    """
    config, known = subject.config, subject.checkpoint.fields.get("max_distance")
    if not config.relative_position_embedding:
        return
    if config.max_distance <= config.num_buckets // 4:
        yield Problem(
            "max_distance",
            f"{config.max_distance} frames with {config.num_buckets} buckets: not above {config.num_buckets // 4}, the "
            "distances that have a bucket of their own.",
            "The bucket function is not defined. Released models have 800 with 320.",
            "error",
        )
    elif config.num_buckets == BASE.num_buckets and config.max_distance != BASE.max_distance:
        why = "the original's default, which no release has" if config.max_distance == 1280 else "no release has it"
        yield Problem(
            "max_distance",
            f"{config.max_distance} frames ({known}): {why}. Distances beyond {config.num_buckets // 4} frames are "
            "looked up in other rows than with 800.",
            "Unless you trained it so, override max_distance=800.",
        )


@check("warning", "config")
def unlike_release(subject: Subject) -> Iterator[Problem]:
    """A checkpoint of a release's sizes has its norm order and front end; shapes cannot tell the norm order."""
    found = released(subject)
    if found is None:
        return
    name, release = found
    for field in ("layer_norm_first", "activation_fn"):
        ours, theirs = getattr(subject.config, field), getattr(release, field)
        is_assumed = subject.checkpoint.fields.get(field) == "assumed"
        if ours != theirs and not (field == "activation_fn" and ours in ("glu", "gelu_accurate", "gelu_fast")):
            yield Problem(
                field,
                f"{ours!r} ({'assumed' if is_assumed else 'so says the config'}); {name}, whose sizes these are, has "
                f"{theirs!r}.",
                f"Weights load either way, and compute nonsense the wrong way. Set {field}={theirs!r}.",
            )


@check("warning", "config")
def input_normalization(subject: Subject) -> Iterator[Problem]:
    """Whether the waveform is normalised goes with the front end, as in the releases.

    A group norm makes the model blind to gain and offset, so there it hardly matters (a note); a layer norm in each
    convolution passes an offset on.
    """
    config = subject.config
    wants = config.extractor_mode == "layer_norm"
    if config.normalize == wants:
        return
    if wants:
        yield Problem(
            "normalize",
            "The config expects the waveform as it is; every release with layer norms in its convolutions (Large) "
            "expects mean 0 and variance 1.",
            "Override normalize=True unless you trained it otherwise: an offset in the recording changes the result.",
        )
    else:
        yield Problem(
            "normalize",
            "The config expects a normalised waveform; Base and Base+ were trained on the waveform as it is.",
            "With a group norm in the front end it makes almost no difference: see the figures on the clip.",
            "note",
        )


@check("warning", "config")
def frame_rate(subject: Subject) -> Iterator[Problem]:
    """The convolutions make a frame of every 20 ms at 16 kHz; strides and rate are in the config only."""
    rate = (subject.checkpoint.contents.preprocessor or {}).get("sampling_rate", SAMPLE_RATE)
    if rate != SAMPLE_RATE:
        yield Problem(
            "sampling_rate",
            f"preprocessor_config.json asks for sound at {rate!r} Hz; every WavLM has heard {SAMPLE_RATE} only.",
            f"Correct it to {SAMPLE_RATE}, and resample what you give the model.",
        )
    milliseconds = 1000 * subject.config.frame_seconds
    if abs(milliseconds - RELEASED_FRAME_MS) > 0.01:
        yield Problem(
            "conv_feature_layers",
            f"The strides make a frame every {milliseconds:g} ms; every WavLM has one every {RELEASED_FRAME_MS} ms.",
            "Compare conv_feature_layers with the original's: [(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2.",
        )


@check("warning", "config")
def odd_settings(subject: Subject) -> Iterator[Problem]:
    """Probabilities lie between 0 and 1, activations are ones that WavLM was trained with."""
    config = subject.config
    for name in PROBABILITIES:
        value = getattr(config, name)
        if not 0 <= value < 1:
            yield Problem(name, f"{value!r} is no probability below 1.", "Correct the config before training.")
    if config.activation_fn not in ("gelu", "gelu_accurate", "gelu_fast", "glu"):
        yield Problem(
            "activation_fn",
            f"{config.activation_fn!r}; every WavLM was trained with gelu.",
            "Override activation_fn='gelu'.",
        )


@check("warning")
def config_of_another_model(subject: Subject) -> Iterator[Problem]:
    """A Hugging Face config beside the weights is that of a WavLM."""
    kind = subject.checkpoint.cfg.get("model_type")
    if subject.checkpoint.contents.config is not None and kind not in (None, "wavlm"):
        yield Problem(
            "model_type",
            f"config.json says {kind!r}; the tensors are those of a WavLM.",
            "transformers would build another model and drop what it has no place for. Set model_type to 'wavlm'.",
        )


@check("note")
def overridden(subject: Subject) -> Iterator[Problem]:
    """Fields that you have overridden are named."""
    names = [name for name in FIELD_NAMES if subject.checkpoint.fields.get(name) == "overridden"]
    if names and subject.checkpoint.config is not None:
        values = dataclasses.asdict(subject.config)
        yield Problem("config", f"Overridden: {listing([f'{name}={values[name]!r}' for name in names])}.", "")


CHECKS: tuple[Check, ...] = (
    config_contradicts_shapes,
    switched_off,
    config_missing,
    maximum_distance,
    unlike_release,
    input_normalization,
    frame_rate,
    odd_settings,
    config_of_another_model,
    overridden,
)
