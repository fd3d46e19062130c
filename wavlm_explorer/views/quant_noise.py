"""Quant noise: what becomes of a clip when blocks of one weight are switched off."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from ..accumulation import StepRecord, accumulate
from ..convolutions import NUM_CHANNELS, noised_convolutions
from ..effects import attention_change
from ..figures.accumulation import noise_corners, noise_steps
from ..figures.attention_change import MAP_CELLS
from ..figures.convolutions import noise_convolutions
from ..figures.noise import (
    WEIGHT_CELLS,
    noise_attention,
    noise_effect,
    noise_mask,
    noise_sweep,
    noise_weight,
)
from ..figures.style import Palette
from ..noise import TABLE_NAME, Noise, NoisedPass, block_sizes, fit_noise, noised_pass, relative_changes, weight_names
from ..noise_effects import attention_moved, known_layer_sweep, layer_sweep, sampling_step, sweep_operations
from ..tracing import Trace
from ..wording import name_growth, name_length, name_share
from .view import (
    Choice,
    Exhibit,
    Fraction,
    Item,
    Lesson,
    Note,
    Offer,
    Option,
    Redraw,
    View,
    WholeNumber,
    Working,
    choose_head,
    choose_layer,
)

LARGEST_P = 0.9
DEFAULT_BLOCK = "8"  # as of the original
MOST_STEPS = 50
LOGIT_WEIGHTS = ("q_proj", "k_proj", TABLE_NAME)  # these change the attention of their own layer, others later ones
QUICK_OPERATIONS = 30e9  # about a second of one core
SHOWN_NUMBERS = 3  # of a block, in the equation

LESSON = Lesson(
    what=(
        "Small models store weights coarsely. **Quantisation noise** prepares a model for that while it is trained: at "
        "each step it switches off random *blocks* of a weight and makes the rest larger, so that no single number "
        "becomes indispensable. Here it is tried on a **copy** of one weight of the loaded model; the model itself is "
        "never changed. WavLM was released with this noise off; its code, `quant_noise`, is here as it is in the "
        "original, with a surprise: in training it **overwrites** the weight at every step and never takes it back."
    ),
    equation=(
        r"\begin{split} \tilde W &= \tfrac{1}{1-p}\; W \odot (1 - M) \\ "
        r"M_{\text{block}} &\sim \text{Bernoulli}(p) \end{split}"
    ),
    symbols=(
        (r"W", "the weight: one row for each output channel, or for each bucket of the bias table"),
        (r"M", "the mask, drawn once for each block of neighbours in a row; 1 is dropped"),
        (r"p", "the chance of a block to be dropped"),
        (r"\tfrac{1}{1-p}", "makes up for what is missing, so that the mean stays"),
    ),
    try_this=(
        "With *nano* and the sample sentence, put p = 0.5 on q_proj, then on fc2: which moves the output more? Compare "
        "the layers in the last picture. Then move *Training steps* from 1 to 20: by when is the weight all but gone?"
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, head, weight, chance, block size, draw, and training steps."""
    sizes, names = tuple(str(size) for size in block_sizes(trace.model)), weight_names(trace.model)
    block = DEFAULT_BLOCK if DEFAULT_BLOCK in sizes else sizes[-1]
    return (
        choose_layer(trace),
        choose_head(trace),
        Option("weight", "Weight", f"Of the chosen layer; {TABLE_NAME} serves all layers.", names, names[0]),
        Fraction("p", "p", "The chance of each block to be dropped.", 0.0, LARGEST_P, 0.1),
        Option("block", "Block size", "Neighbours in a row that are dropped together.", sizes, block),
        Redraw("draw", "Draw again", "Its number is the seed: the same number is the same draw."),
        WholeNumber("steps", "Training steps", "How long the noise goes on.", 1, MOST_STEPS, 20),
    )  # fmt: skip


def exhibits(
    trace: Trace, palette: Palette, layer: int, head: int, weight: str, p: float, block: str, draw: int, steps: int
) -> Iterator[Item]:  # fmt: skip
    """Yield the mask and what it does to the weight, then training steps, then what this clip feels of one draw."""
    noised = noised_pass(trace, fit_noise(trace.model, layer, weight, p, int(block), draw))
    yield Note(_describe_weight(noised, int(block)))
    yield from _weight(noised, palette)
    yield work_through(noised)
    yield _convolutions(trace, palette, p, int(block), draw)
    yield Note(
        "**Training.** The same weight through training steps which nothing else moves. Everyone expects noise that is "
        "*drawn afresh*: each step noises the weight as it was. The original *overwrites*: each step noises what the "
        "last one left. Both get the same draws here."
    )
    yield from _training(noised, palette, steps)
    yield Note("**Effect.** What this clip feels of the one draw above.")
    yield _attention(trace, noised, palette, layer, head)
    yield _effect(trace, noised, palette, head)
    if weight != TABLE_NAME:
        yield _sweep(trace, noised.noise, palette)


def _describe_weight(noised: NoisedPass, wanted: int) -> str:
    name, size, (rows, columns) = noised.noise.weight, noised.noise.block_size, noised.before.shape
    kind = (
        f"an **Embedding**: {rows} buckets of distance, for each one number a head. One table serves all layers"
        if name == TABLE_NAME
        else f"a **Linear** layer: {rows} outputs, each made of {columns} inputs"
    )
    does_not_fit = f" ({wanted} does not divide its {columns} columns.)" if wanted != size else ""
    return f"**The mask.** {name} is {kind}. A block is {size} neighbours in a row.{does_not_fit}"


def _weight(noised: NoisedPass, palette: Palette) -> Iterator[Exhibit]:
    noise, mask = noised.noise, noised.mask
    blocks, dropped = mask.numel() // noise.block_size, int(mask.sum()) // noise.block_size
    moved = float((noised.after - noised.before).norm() / noised.before.norm().clamp(min=1e-12))
    yield Exhibit(
        "noise_mask",
        noise_mask(noised, palette),
        f"This draw drops {dropped:,} of {blocks:,} blocks of {noise.block_size}.",
        lambda: {"mask": mask.numpy()},
        share=0.355,
    )
    yield Exhibit(
        "noise_weight",
        noise_weight(noised, palette),
        f"The framed corner. What is left is multiplied by {1 / (1 - noise.p):.3g}; as a whole the weight moves by "
        f"{name_share(moved)} of its length.",
        lambda: {"before": noised.before.numpy(), "after": noised.after.numpy()},
        share=0.645,
    )


def work_through(noised: NoisedPass) -> Working:
    """Write out, in numbers of the weight, a block that is kept, one that is dropped, and why the mean stays."""
    noise, before, after = (
        noised.noise,
        *(one.unflatten(1, (-1, noised.noise.block_size)) for one in (noised.before, noised.after)),
    )
    dropped = noised.mask.unflatten(1, (-1, noise.block_size))[:, :, 0]  # [rows, blocks of a row]
    steps = []
    for name, chosen, arithmetic in (
        ("kept", ~dropped, rf"\tilde w = \tfrac{{1}}{{1 - {noise.p:g}}}\, w"),
        ("dropped", dropped, r"\tilde w = 0"),
    ):
        if chosen.any():
            row, block = (int(index) for index in chosen.nonzero()[0])
            first = block * noise.block_size
            words = f"The first block that is **{name}**: row {row}, from column {first} on."
            numbers = rf"w &= {_vector(before[row, block])} \\ \tilde w &= {_vector(after[row, block])}"
            steps.append((words, rf"\begin{{split}} & {arithmetic} \\ {numbers} \end{{split}}"))
    steps.append((
        "Over many draws from the same weight, the **mean** of each number is what it was.",
        r"p \cdot 0 + (1 - p)\,\frac{w}{1 - p} = w",
    ))  # fmt: skip
    return Working(tuple(steps))


def _vector(block: Tensor) -> str:
    numbers = [f"{number:z.4f}" if number else "0" for number in block[:SHOWN_NUMBERS].tolist()]
    rest = [r"\dots"] if len(block) > SHOWN_NUMBERS else []
    return "(" + r",\ ".join([*numbers, *rest]) + ")"


def _convolutions(trace: Trace, palette: Palette, p: float, block: int, draw: int) -> Exhibit:
    noised = noised_convolutions(trace.audio, p, block, draw)
    kernels = noised.kernel_mask[:, :, 0, 0]
    return Exhibit(
        "demonstration_convolutions",
        noise_convolutions(noised, palette),
        "**Demonstration**, for no WavLM has a Conv2d: two small ones of random weights on this clip's spectrogram "
        f"(its level, the change Δ of it, and the change of that). The 3 × 3 loses whole kernels, {int(kernels.sum())} "
        f"of {kernels.numel()}; the block size does not matter. In the 1 × 1, on which the original fails, a block is "
        f"{block} neighbouring inputs of {NUM_CHANNELS}, as in a Linear. What leaves the 3 × 3 moves by "
        f"{name_share(noised.kernel_change)} of its length, what leaves both by {name_share(noised.change)}.",
        lambda: {name: np.asarray(value) for name, value in noised._asdict().items()},
    )


def _training(noised: NoisedPass, palette: Palette, num_steps: int) -> Iterator[Exhibit]:
    noise, before = noised.noise, noised.before
    chosen = sorted({1, (num_steps + 1) // 2, num_steps})
    both = accumulate(
        before, noise.p, noise.block_size, noise.draw, num_steps, chosen, WEIGHT_CELLS, noise.weight == TABLE_NAME
    )
    records = {"overwritten": both.overwritten, "drawn_afresh": both.drawn_afresh}
    part = "" if both.num_rows == len(before) else f" (Followed on the first {both.num_rows} rows.)"
    reach = float(before[:WEIGHT_CELLS, :WEIGHT_CELLS].abs().max()) / (1 - noise.p)
    away, afresh_away = (name_length(record.mean_distance) for record in records.values())
    yield Exhibit(
        "noise_corners",
        noise_corners(both, reach, palette),
        f"The framed corner. Drawn afresh, the mean over the steps is {afresh_away} away from the weight, less with "
        f"every step; overwritten, {away}.{part}",
        lambda: {name: record.corners.numpy() for name, record in records.items()} | {"steps": np.array(chosen)},
        share=0.5,
    )
    yield Exhibit(
        "noise_steps",
        noise_steps(both, noise.p, palette),
        _describe_steps(both.overwritten, noise.p, num_steps),
        lambda: (
            {f"{name}_kept": record.kept.numpy() for name, record in records.items()}
            | {f"{name}_growth": record.growth.numpy() for name, record in records.items()}
        ),
        share=0.5,
    )


def _describe_steps(record: StepRecord, p: float, num_steps: int) -> str:
    left, grown = float(record.kept[-1]), name_growth(p, num_steps)
    size = f"{grown} times as large as trained" if left else f"and what had survived would be {grown} times as large"
    return (
        "Dots: run with quant_noise itself, in training, without an optimiser. Lines: what to expect, $(1-p)^k$ and "
        f"$1/(1-p)^k$. After k = {num_steps}, {name_share(left)} of the overwritten weight is left (expected: "
        f"{name_share((1 - p) ** num_steps)}), {size}. Drawn afresh it is {name_share(1 - p)} at every step, "
        f"{1 / (1 - p):.3g} times as large."
    )


def _attention(trace: Trace, noised: NoisedPass, palette: Palette, layer: int, head: int) -> Exhibit:
    weight, last = noised.noise.weight, trace.num_layers - 1
    is_own = weight in LOGIT_WEIGHTS
    shown = layer if is_own else min(layer + 1, last)
    change = attention_change(trace, noised.trace, shown, head, MAP_CELLS)
    if weight == TABLE_NAME:
        where = "The table is part of the attention of every layer. "
    elif is_own:
        where = f"{weight} takes part in the attention of its own layer. "
    elif shown > layer:
        where = f"{weight} works behind the attention of layer {layer}, so this is the next layer's. "
    else:
        where = f"{weight} works behind the attention of the last layer, so no attention changes. "
    return Exhibit(
        "noise_attention",
        noise_attention(trace, change, palette=palette),
        f"{where}A frame of head {head} moves {name_share(change.moved)} of its attention elsewhere; the largest "
        f"change of a weight is {change.largest:.2g}.",
        lambda: {
            "before": trace.attention_overview(shown, head)[0].numpy(),
            "after": noised.trace.attention_overview(shown, head)[0].numpy(),
            "frame_times": trace.frame_times.numpy(),
        },
    )


def _effect(trace: Trace, noised: NoisedPass, palette: Palette, head: int) -> Exhibit:
    layer, moved = noised.noise.layer, attention_moved(trace, noised.noise)
    states, output = relative_changes(trace, noised.trace)
    means = moved.mean(dim=1)
    most, share = int(means.argmax()), name_share(float(means.max()))
    told = f", told from one frame in {sampling_step(trace)}" if sampling_step(trace) > 1 else ""
    where = f"Attention moves most in layer {most}: {share} in the mean of the heads{told}. " if moved.any() else ""
    return Exhibit(
        "noise_effect",
        noise_effect(trace, noised, moved, head, palette),
        f"What leaves layer {layer} moves by {name_share(float(states[layer + 1]))} of its length, the output by "
        f"{name_share(output)}. {where}Below the noised layer nothing changes.",
        lambda: (
            {"relative_change_of_states": states.numpy(), "relative_change_of_output": np.array(output)}
            | {"attention_moved": moved.numpy()}
        ),
        share=0.5,
    )


def _sweep(trace: Trace, noise: Noise, palette: Palette) -> Exhibit | Offer:
    if sweep_operations(trace) > QUICK_OPERATIONS and known_layer_sweep(trace, noise) is None:
        return Offer(
            "layer_sweep",
            "Noise every layer once",
            f"**In which layer does this noise matter most?** The same noise is put on {noise.weight} of each of the "
            f"{trace.num_layers} layers in its turn, and the layers from there on run again.",
            lambda report: layer_sweep(trace, noise, report),
        )
    changes = layer_sweep(trace, noise)
    most, least = int(changes.argmax()), int(changes.argmin())
    return Exhibit(
        "noise_sweep",
        noise_sweep(changes, noise.weight, noise.p, noise.layer, palette),
        f"The same noise, on one layer at a time. It moves the output most in layer {most} "
        f"({name_share(float(changes[most]))}), least in layer {least} ({name_share(float(changes[least]))}).",
        lambda: {"relative_change_of_output": changes.numpy()},
        share=0.5,
    )


VIEW = View("quant-noise", "Quant noise", "blur_on", LESSON, exhibits, choices, order=50)
