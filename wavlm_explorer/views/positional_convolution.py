"""The positional convolution: the first thing that tells a frame where it is, and the frame too many that it makes."""

from collections.abc import Iterator

from ..excerpt import can_hear
from ..figures.positional_convolution import positional_kernel as draw_kernel
from ..figures.positional_convolution import positional_shift, positional_sizes
from ..figures.style import Palette
from ..positional_convolution import (
    Kernel,
    PositionalPass,
    positional_kernel,
    positional_pass,
    share_beyond_clip,
)
from ..tracing import Trace
from ..wording import duration, name_share
from .view import Choice, Exhibit, Item, Lesson, Note, View, Working, choose_frame

LESSON = Lesson(
    what=(
        "Before layer 0, one wide **convolution** looks at the neighbourhood of every frame, and what it finds is "
        "added to the frame. It does the same everywhere, so in the middle of a clip it cannot tell one place from "
        "another: what it adds depends on the sound around. Only near the ends, where it meets **padding** instead of "
        "sound, does it know where it is. Two small modules keep its frames in order: **TransposeLast** and "
        "**SamePad**."
    ),
    equation=(
        r"\begin{split} y_t &= x_t + \text{gelu}(p_t) \\ "
        r"p_t &= \beta + \sum_{k=0}^{K-1} W_k\, x_{t + k - \lfloor K/2 \rfloor} \\ "
        r"W_k &= g_k\, \tfrac{V_k}{\lVert V_k \rVert} \end{split}"
    ),
    symbols=(
        (r"x_t", "frame t as the front end leaves it; a zero beyond the ends of the clip"),
        (r"K", "how many neighbours the kernel has, the frame itself among them"),
        (r"W_k", "what is learned about one neighbour: one matrix for each group of channels"),
        (r"g_k,\ V_k", "its length and its direction, stored apart (weight norm)"),
    ),
    try_this=(
        "With *nano* and the sample sentence, which begins in silence, move the frame from 0 to 6: what enters is the "
        "same in all of them, yet what is added grows by half, for ever less of the kernel hangs over the beginning. "
        "Then watch the shaded ends of the second picture."
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """The frame."""
    return (choose_frame(trace),)


def exhibits(trace: Trace, palette: Palette, frame: int) -> Iterator[Item]:
    """Yield the shapes step by step, the kernel, what it adds, and what a wrong cut would change."""
    config = trace.model.config
    yield work_through(trace.num_frames, config.encoder_embed_dim, config.conv_pos)
    if not can_hear(trace.model):
        yield Note(
            "This trace was opened from a file, and such a file holds the layers but **not the convolutions** before "
            "them: the shapes above are this model's, its kernel is not here. Choose the checkpoint itself and a "
            "sound, or *nano*, to see the rest."
        )
        return
    kernel, passed = positional_kernel(trace), positional_pass(trace)
    yield _kernel(trace, palette, kernel, frame)
    yield _sizes(trace, palette, kernel, passed, frame)
    if passed.num_outputs == trace.num_frames:
        yield Note(f"This kernel has {config.conv_pos} taps, an odd number: nothing is left over, nothing is cut.")
    else:
        yield _shift(trace, palette, passed, frame)


def work_through(num_frames: int, width: int, kernel: int) -> Working:
    """Follow the shape of one clip through the modules around the convolution."""
    half = kernel // 2
    outputs = num_frames + 2 * half - kernel + 1
    same_pad = (
        "**SamePad** cuts the surplus from the end. Left in, there would be one position more than frames."
        if outputs > num_frames
        else "**SamePad** finds nothing to cut: an odd kernel keeps the length."
    )
    return Working((
        (
            "What enters the transformer: a batch of one clip, its frames, their channels.",
            _shape(1, num_frames, width),
        ),
        (
            "**TransposeLast** swaps the last two axes: a convolution runs along the last one. (The encoder's forward "
            "swaps them itself; the module does it in front ends with layer norms.)",
            _shape(1, width, num_frames),
        ),
        (
            f"The **convolution**, {kernel} wide, with {half} zeros at either end: frames + 2 · {half} − {kernel} + 1.",
            _shape(1, width, outputs),
        ),
        (same_pad, _shape(1, width, num_frames)),
        (
            "**gelu**, and the axes swapped back: now it can be added to the frames.",
            _shape(1, num_frames, width),
        ),
    ))  # fmt: skip


def _shape(*sizes: int) -> str:
    return r"[" + r",\ ".join(str(size) for size in sizes) + r"]"


def _kernel(trace: Trace, palette: Palette, kernel: Kernel, frame: int) -> Exhibit:
    hop = 1000 * trace.model.config.frame_seconds
    beyond = float(share_beyond_clip(kernel, trace.num_frames)[frame])
    return Exhibit(
        "positional_kernel",
        draw_kernel(trace, kernel, frame, palette),
        f"The kernel reaches {duration(-hop * int(kernel.distances[0]))} back and "
        f"{duration(hop * int(kernel.distances[-1]))} ahead. Half of its energy (its squared weights) lies within "
        f"{duration(hop * half_energy_reach(kernel))} of the frame. At frame {frame}, {name_share(beyond)} of it meets "
        "nothing but padding.",
        lambda: {"distance_frames": kernel.distances.numpy(), "energy_share": kernel.energy.numpy()},
    )


def half_energy_reach(kernel: Kernel) -> int:
    """Within how many frames, on both sides, at least half of the kernel's energy lies."""
    away = kernel.distances.abs()
    reaches = range(int(away.max()) + 1)
    return next(reach for reach in reaches if reach == reaches[-1] or float(kernel.energy[away <= reach].sum()) >= 0.5)


def _sizes(trace: Trace, palette: Palette, kernel: Kernel, passed: PositionalPass, frame: int) -> Exhibit:
    entering, added = float(passed.input_size[frame]), float(passed.added_size[frame])
    return Exhibit(
        "positional_sizes",
        positional_sizes(trace, passed, kernel, frame, palette),
        f"At frame {frame} what is added measures {added:.2f}, what it is added to {entering:.2f} (root mean square "
        "over the channels). Shaded: the kernel hangs over an end of the clip.",
        lambda: {
            "input_size": passed.input_size.numpy(),
            "added_size": passed.added_size.numpy(),
            "frame_times": trace.frame_times.numpy(),
        },
        share=0.5,
    )


def _shift(trace: Trace, palette: Palette, passed: PositionalPass, frame: int) -> Exhibit:
    added, entering = passed.change_of_added, passed.change_of_entering
    means, here = ([name_share(float(number)) for number in numbers] for numbers in (
        (added.mean(), entering.mean()), (added[frame], entering[frame])
    ))  # fmt: skip
    return Exhibit(
        "positional_shift",
        positional_shift(trace, passed, frame, palette),
        "Cut from the beginning instead of the end, the shape is right and nothing fails, but every frame gets what "
        f"belongs to the next, {duration(1000 * trace.model.config.frame_seconds)} later. What is added changes by "
        f"{means[0]} of its size on average, what enters layer 0 by {means[1]}; at frame {frame} by {here[0]} and "
        f"{here[1]}.",
        lambda: {
            "change_of_added": added.numpy(),
            "change_of_entering": entering.numpy(),
            "frame_times": trace.frame_times.numpy(),
        },
        share=0.5,
    )


VIEW = View(
    "positional-convolution", "Positional convolution", "linear_scale", LESSON, exhibits, choices, order=70
)  # fmt: skip
