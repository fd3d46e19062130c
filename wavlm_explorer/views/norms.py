"""Norms: what a norm does to every frame, and why it is computed in float32 though all around it is not."""

from collections.abc import Iterator

import torch

from ..figures.norms import latex_number, norm_before_after, norm_error_by_scale, norm_errors
from ..figures.style import Palette
from ..norms import (
    HALF_TYPES,
    NORM_KINDS,
    SCALES,
    NormComparison,
    NormSubject,
    compare_norms,
    errors_by_scale,
    norm_subject,
)
from ..tracing import Trace
from .view import Choice, Exhibit, Item, Lesson, Note, Option, View, Working, choose_frame, choose_layer

TIMES = ("1", "10", "100", "1000")

LESSON = Lesson(
    what=(
        "A **norm** brings numbers of any size to one size: it takes off their mean and divides by their spread. Layer "
        "norm does so for each frame over all its channels, group norm (in the front end of WavLM Base) for each "
        "channel over all frames. Models often run in half precision, 16 bits a number; but a norm *squares* its "
        "numbers, and **float16** ends at 65,504. So the original computes both norms in float32 inside: "
        "`Fp32LayerNorm` and `Fp32GroupNorm`."
    ),
    equation=(
        r"\begin{split} y &= \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} \odot w + b \\[4pt] "
        r"\mu &= \overline{x}, \qquad \sigma^2 = \overline{(x - \mu)^2} \end{split}"
    ),
    symbols=(
        (r"x", "the numbers of one frame (layer norm), or of one channel (group norm)"),
        (r"\mu,\ \sigma^2", "their mean and variance"),
        (r"\varepsilon", "keeps silence from a division by zero"),
        (r"w,\ b", "learned, one of each for a channel"),
    ),
    try_this=(
        "With *nano* and the sample sentence, in layer 3, keep float16 and multiply by 100: no number comes near "
        "65,504, yet every frame is lost. Which step lost it? Then take bfloat16, which reaches as far as float32: "
        "nothing overflows, but look at the largest error at times 1."
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, frame, kind of norm, half type and size."""
    kinds, halves = NORM_KINDS, tuple(HALF_TYPES)
    return (
        choose_layer(trace),
        choose_frame(trace),
        Option("norm", "Norm", "Group norm: one group a channel, as in WavLM Base.", kinds, kinds[0]),
        Option(
            "half", "Half precision", "float16: 11 bits for digits, up to 65,504. bfloat16: 8 bits.", halves, halves[0]
        ),
        Option(
            "times", "Numbers times", "A norm does not mind the size of its numbers; half precision does.", TIMES, "1"
        ),
    )


def exhibits(
    trace: Trace, palette: Palette, layer: int, frame: int, norm: str, half: str, times: str
) -> Iterator[Item]:
    """Yield what the norm does to every row, one row step by step, the errors, and how they depend on size."""
    subject, scale = norm_subject(trace, layer, norm), float(times)
    prefix = "demonstration_" if subject.is_group else ""
    if subject.is_group:
        yield Note(
            "WavLM Base has its only group norm in the first convolution, whose numbers a trace does not keep. What "
            f"follows is a **demonstration**: the same norm, one group a channel, on the numbers that reach a layer "
            f"norm of layer {layer}, with nothing learned."
        )
    compared = compare_norms(subject, half, scale)
    title = f"Layer {layer} · {norm}" + ("" if scale == 1 else f" of the numbers × {times}")
    yield Exhibit(
        f"{prefix}norm_before_after",
        norm_before_after(trace, subject, compared, scale, title, palette),
        _before_after(trace, subject, compared, scale),
        lambda: {"before": subject.rows.numpy() * scale, "after": compared.exact.output.numpy()},
        share=0.5,
    )
    yield _by_scale(palette, subject, half, scale, prefix)
    yield work_through(subject, compared, half, scale, frame)
    yield _errors(trace, palette, subject, compared, half, prefix)


def _before_after(trace: Trace, subject: NormSubject, compared: NormComparison, scale: float) -> str:
    rows, kind = subject.rows * scale, "channel" if subject.is_group else "frame"
    before, after = (values.std(dim=1, correction=0) for values in (rows, compared.exact.output))
    lowest, highest = _short(float(before.min())), _short(float(before.max()))
    source = (
        "what enters the layer" if trace.model.config.layer_norm_first else "x + ffn(x), before the layer's last norm"
    )
    return (
        f"The mean of each {kind} (line) and its spread (band): {source}. Spreads from {lowest} to "
        f"{highest} become {float(after.min()):.2f} to {float(after.max()):.2f}"
        + (": 1, for nothing is learned." if subject.is_group else ": 1, times what w has learned.")
    )


def _by_scale(palette: Palette, subject: NormSubject, half: str, scale: float, prefix: str) -> Exhibit:
    errors = {name: errors_by_scale(subject, name) for name in HALF_TYPES}
    (inside, throughout) = errors[half][SCALES.index(scale)].tolist()
    return Exhibit(
        f"{prefix}norm_error_by_scale",
        norm_error_by_scale(errors, half, scale, palette),
        f"At times {scale:g} the largest error in {half} is {throughout:.2g}, with float32 inside the norm "
        f"{inside:.2g}: what is left there is the rounding of what goes in and comes out.",
        lambda: {"scales": torch.tensor(SCALES).numpy()} | {name: curve.numpy() for name, curve in errors.items()},
        share=0.5,
    )


def _errors(
    trace: Trace, palette: Palette, subject: NormSubject, compared: NormComparison, half: str, prefix: str
) -> Exhibit:
    lost, kind = int(compared.overflowed.sum()), "channels" if subject.is_group else "frames"
    builtin = float(compared.error(compared.builtin).max())
    function, left = ("group_norm", "0") if subject.is_group else ("layer_norm", "b")
    what = (
        f"{lost:,} of {len(subject.rows):,} {kind} have a variance that {half} cannot hold: only {left} is left of them"
    )
    return Exhibit(
        f"{prefix}norm_errors",
        norm_errors(trace, subject, compared, half, palette),
        f"{what if lost else f'Every variance fits into {half}'}. On the right each step is stored in {half} on "
        f"purpose: PyTorch's own {function} on {half} adds up in float32 inside, too (largest error {builtin:.2g}).",
        lambda: {
            "exact": compared.exact.output.numpy(),
            "float32_inside": compared.protected.numpy(),
            half: compared.half.output.numpy(),
            "frame_times": trace.frame_times.numpy(),
        },
    )


def work_through(subject: NormSubject, compared: NormComparison, half: str, scale: float, frame: int) -> Working:
    """Write one row's mean and variance and its largest number with their numbers, in float32 and in half precision.

    The row of a layer norm is the frame; that of a group norm is the channel that is largest there.
    """
    row = int(subject.rows[:, frame].abs().argmax()) if subject.is_group else frame
    exact, stepped = compared.exact, compared.half
    values = subject.rows[row] * scale
    distance = (values - exact.mean[row]).abs()
    column = frame if subject.is_group else int(distance.argmax())
    name, place = ("Channel", "in this frame") if subject.is_group else ("Frame", f"of channel {column}")
    square = float(distance.max()) ** 2
    largest = torch.finfo(HALF_TYPES[half]).max
    fits = "which fits" if square <= largest else f"beyond {largest:,.0f}, where {half} ends"
    steps = (
        (f"{name} {row}: the mean (float32 | {half}).", r"\mu", exact.mean[row], stepped.mean[row]),
        (
            f"The variance. The largest square is {_short(square)}, {fits}.",
            r"\sigma^2", exact.variance[row], stepped.variance[row],
        ),
        (
            f"What becomes of the number {place}, {float(values[column]):,.4g}.".replace("-", "−"),
            "y", exact.output[row, column], stepped.output[row, column],
        ),
    )  # fmt: skip
    return Working(
        tuple(
            (words, rf"{symbol} = {latex_number(float(right))} \;\big|\; {latex_number(float(other))}")
            for words, symbol, right, other in steps
        )
    )


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


VIEW = View("norms", "Norms", "align_vertical_center", LESSON, exhibits, choices, order=62)
