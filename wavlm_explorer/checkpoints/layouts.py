"""How the original, Hugging Face's port and torchaudio's port name the same tensors.

Source: state dicts of s3prl 0.4.18, transformers 5.23 and torchaudio 2.11, compared name by name.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from .checkpoint import Layout

# Original, Hugging Face, torchaudio. "#" is a number, "*" the last part of a name: weight, bias, ...
# `norm` and `in_proj` are settled later: where the front end's norms sit depends on its kind, and packed projections
# are cut in three.
NAMES = (
    ("mask_emb", "masked_spec_embed", "mask_emb"),
    ("feature_extractor.conv_layers.#.0.*", "feature_extractor.conv_layers.#.conv.*", ""),
    ("feature_extractor.conv_layers.#.norm.*", "feature_extractor.conv_layers.#.layer_norm.*", ""),
    ("layer_norm.*", "feature_projection.layer_norm.*", "encoder.feature_projection.layer_norm.*"),
    ("post_extract_proj.*", "feature_projection.projection.*", "encoder.feature_projection.projection.*"),
    ("encoder.pos_conv.0.*", "encoder.pos_conv_embed.conv.*", "encoder.transformer.pos_conv_embed.conv.*"),
    ("encoder.layer_norm.*", "encoder.layer_norm.*", "encoder.transformer.layer_norm.*"),
    ("layer.self_attn.@_proj.*", "layer.attention.@_proj.*", "layer.attention.attention.@_proj.*"),
    ("layer.self_attn.in_proj_*", "layer.attention.in_proj_*", "layer.attention.attention.in_proj_*"),
    ("layer.self_attn.grep_linear.*", "layer.attention.gru_rel_pos_linear.*", ""),
    ("layer.self_attn.grep_a", "layer.attention.gru_rel_pos_const", ""),
    ("layer.self_attn.relative_attention_bias.*", "layer.attention.rel_attn_embed.*", ""),
    ("layer.self_attn_layer_norm.*", "layer.layer_norm.*", ""),
    ("layer.fc1.*", "layer.feed_forward.intermediate_dense.*", ""),
    ("layer.fc2.*", "layer.feed_forward.output_dense.*", ""),
    ("layer.final_layer_norm.*", "layer.final_layer_norm.*", ""),
)
LAYER = {
    "microsoft": "encoder.layers.#",
    "huggingface": "encoder.layers.#",
    "torchaudio": "encoder.transformer.layers.#",
}
PATTERNS = {"#": r"(\d{1,4})", "@": "(q|k|v|out)", "*": r"((?:linear\.)?(?:weight|bias)(?:_[gv])?)"}

# The two tensors of a weight norm, as PyTorch has spelled them since 2.1.
WEIGHT_NORM_SPELLINGS = {
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}


class Rule(NamedTuple):
    """One line of the table for one layout: its pattern, and the two templates to write names with."""

    pattern: re.Pattern[str]
    original: str
    theirs: str


def _rules(layout: Layout) -> tuple[Rule, ...]:
    column = ("microsoft", "huggingface", "torchaudio").index(layout)
    rules = []
    for names in NAMES:
        original = _full(names[0], "microsoft")
        theirs = _full(names[column] or names[1], layout)
        pattern = re.sub(r"[#@*]", lambda hole: PATTERNS[hole[0]], theirs.replace(".", r"\."))
        if column == 0:  # the original's own norms, by the place that they have there
            pattern = pattern.replace(r"\.norm", r"\.(?:2\.1|2)")
        rules.append(Rule(re.compile(rf"((?:.*\.)?){pattern}"), original, theirs))
    return tuple(rules)


def _full(name: str, layout: Layout) -> str:
    return re.sub(r"^layer\.", LAYER[layout] + ".", name)


RULES: dict[Layout, tuple[Rule, ...]] = {
    "microsoft": _rules("microsoft"),
    "huggingface": _rules("huggingface"),
    "torchaudio": _rules("torchaudio"),
}


def plain_name(name: str) -> str:
    """Spell a weight norm's tensors in the original's way."""
    for new, old in WEIGHT_NORM_SPELLINGS.items():
        name = name.replace(new, old)
    return name


def original_name(name: str, layout: Layout, prefix: str = "") -> str | None:
    """Return the original's name of a tensor, None for a name that the layout does not know.

    The ports call every norm of the front end `layer_norm`; it is called `feature_extractor.conv_layers.#.norm` here
    until it is known which kind of front end there is.
    """
    if not name.startswith(prefix):
        return None
    name = plain_name(name[len(prefix) :])
    for rule in RULES[layout]:
        found = rule.pattern.fullmatch(name)
        if found and not found[1]:
            return name if layout == "microsoft" else _fill(rule.original, found.groups()[1:])
    return None


def name_in(layout: Layout, original: str) -> str:
    """Return how a layout names one of the original's tensors.

    Raises: KeyError for a tensor that the layout has no name for.
    """
    if layout == "microsoft":
        return original
    for ours, rule in zip(RULES["microsoft"], RULES[layout], strict=True):
        found = ours.pattern.fullmatch(original)
        if found and not found[1] and ".linear." not in original:
            theirs = _fill(rule.theirs, found.groups()[1:])
            for new, old in WEIGHT_NORM_SPELLINGS.items():
                theirs = re.sub(rf"{old}$", new, theirs)
            return theirs
    raise KeyError(original)


def recognise(names: Iterable[str]) -> Counter[tuple[Layout, str]]:
    """Count, for each layout and each prefix before its names, how many names it explains."""
    votes: Counter[tuple[Layout, str]] = Counter()
    for name in map(plain_name, names):
        for layout, rules in RULES.items():
            votes.update({(layout, found[1]) for rule in rules if (found := rule.pattern.fullmatch(name))})
    return votes


def _fill(template: str, parts: Iterable[str]) -> str:
    rest = iter(parts)
    return re.sub(r"[#@*]", lambda _: next(rest), template)
