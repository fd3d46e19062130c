"""Masks: frames that must not be looked at, and keys that are no frames."""

from collections.abc import Iterator

from ..figures.masks import extra_keys, mask_maps, mask_moves
from ..figures.style import Palette
from ..masks import BOTH, CAUSAL, MASK_KINDS, MaskedAttention, extra_key_weights, masked_attention
from ..tracing import Trace
from .view import Choice, Exhibit, Item, Lesson, Option, View, WholeNumber, choose_head, choose_layer

LESSON = Lesson(
    what=(
        "A **mask** adds minus infinity to the logits of keys that must not be seen. The softmax makes 0 of them, and "
        "what they had goes to the keys that are left. *Key padding* hides the frames behind the end of a shorter clip "
        "in a batch; a *causal* mask hides the future, so that a model can run while somebody speaks. WavLM itself "
        "is run on whole clips and hides nothing: here its own heads are tried under masks."
    ),
    equation=(
        r"\begin{split} A_{ij} &= \operatorname{softmax}_j\!\big(\ell_{ij} + M_{ij}\big) \\[4pt] M_{ij} &= "
        r"\begin{cases} -\infty & \text{key } j \text{ is hidden from } i \\ 0 & \text{else} \end{cases} \end{split}"
    ),
    symbols=(
        (r"\ell_{ij}", "the logit: content and gated position"),
        (r"M_{ij}", "the mask: key_padding_mask hides a key from all frames, attn_mask from some"),
        (r"A_{ij}", "the attention that is left; a row still sums to 1"),
    ),
    try_this=(
        "With *nano* and the sample sentence, take layer 5 and the causal mask. Head 5 looks ahead and loses nearly "
        "everything it looked at, head 4 loses a quarter. Then hide all frames by key padding, from frame 0 on: "
        "what do the rows sum to, and where does the attention go if there are two keys more?"
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, head, kind of mask, and where padding begins."""
    frames = trace.num_frames
    return (
        choose_layer(trace),
        choose_head(trace),
        Option("mask", "Mask", "key_padding_mask, a causal attn_mask, or both.", MASK_KINDS, MASK_KINDS[0]),
        WholeNumber(
            "padding_start",
            "Padding from frame",
            "From this frame on, keys are padding.",
            0,
            frames,
            max(1, 3 * frames // 4),
        ),
    )


def exhibits(trace: Trace, palette: Palette, layer: int, head: int, mask: str, padding_start: int) -> Iterator[Item]:
    """Yield the head's map without and with the mask, what it moves, and what two further keys would take."""
    attention = masked_attention(trace, layer, head, mask, padding_start)
    times = trace.frame_times.numpy()
    yield Exhibit(
        "mask_maps",
        mask_maps(trace, attention, f"Layer {layer} · head {head}", palette),
        f"{_name(trace, mask, padding_start)} {float(attention.hidden.float().mean()):.0%} of all cells are hidden.",
        lambda: {
            "without_mask": attention.plain.numpy(),
            "hidden": attention.hidden.numpy(),
            "with_mask": attention.masked.numpy(),
            "frame_times": times,
        },
    )
    yield Exhibit(
        "mask_moves",
        mask_moves(trace, attention, palette),
        describe_moves(attention),
        lambda: {
            "moved": attention.moved.numpy(),
            "row_sums": attention.masked.sum(dim=-1).numpy(),
            "frame_times": times,
        },
        share=0.5,
    )
    weights = extra_key_weights(trace, layer, head, mask, padding_start)
    learned, zero = weights.mean(dim=0).tolist()
    largest = int(weights.sum(dim=1).argmax())
    yield Exhibit(
        "demonstration_extra_keys",
        extra_keys(trace, weights, attention, palette),
        "A **demonstration**, for released models have no such keys: add_bias_kv adds a learned key (here as it is "
        "first drawn), add_zero_attn one of zeros. No mask hides them: a place to look at when there is nothing to "
        f"see. On average they take {learned:.2%} and {zero:.2%}; the most, {float(weights[largest].sum()):.1%}, from "
        f"frame {largest}.",
        lambda: {"add_bias_kv": weights[:, 0].numpy(), "add_zero_attn": weights[:, 1].numpy(), "frame_times": times},
        share=0.5,
    )


def _name(trace: Trace, mask: str, padding_start: int) -> str:
    padded = trace.num_frames - padding_start
    padding = f"the last {padded} of {trace.num_frames} keys are padding" if padded else "no key is padding"
    if mask == CAUSAL:
        return "No frame looks ahead."
    return f"{padding[0].upper()}{padding[1:]}." if mask != BOTH else f"No frame looks ahead, and {padding}."


def describe_moves(attention: MaskedAttention) -> str:
    """Say in words what the rows sum to, and how much of the attention the mask takes away."""
    blind = attention.hidden.all(dim=-1)
    seeing = attention.masked[~blind].sum(dim=-1)
    if not len(seeing):
        return (
            "No frame has a key left: every row is 0, and nothing is gathered. (The original's weights are NaN here.)"
        )
    error = float((seeing - 1).abs().max())
    rest = f"; {int(blind.sum())} rows have no key left and are 0" if blind.any() else ""
    moved = attention.moved
    return (
        f"Rows still sum to 1 (within {error:.0e}){rest}. On average {float(moved.mean()):.0%} of a frame's attention "
        f"lay on keys that are hidden now, at most {float(moved.max()):.0%}; the keys that are left share it."
    )


VIEW = View("masks", "Masks", "visibility_off", LESSON, exhibits, choices, order=64)
