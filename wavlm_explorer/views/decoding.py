"""Decoding: frames that enter one by one, and a memory that grows with them."""

from collections.abc import Iterator

from ..figures.decoding import decoding_differences, decoding_row, decoding_rows, decoding_work
from ..figures.style import Palette
from ..incremental_decoding import MAX_STEPS, Decoding, Work, count_work, decode
from ..tracing import Trace
from .view import Choice, Exhibit, Item, Lesson, Note, View, WholeNumber, choose_head, choose_layer

LESSON = Lesson(
    what=(
        "A model that writes or speaks makes one frame after the other, and each looks back at all before it. What a "
        "frame offered, its **key** and **value**, does not change any more: so they are kept, and each step computes "
        "only its own. That is **incremental decoding**, and the memory is often called KV cache. If it is right, "
        "every step gives what one pass over all frames with a causal mask gives."
    ),
    equation=(
        r"\begin{split} K_t &= [K_{t-1};\; W_k x_t], \qquad V_t = [V_{t-1};\; W_v x_t] \\ a_t &= "
        r"\operatorname{softmax}\!\big(q_t K_t^\top / \sqrt d + g_t B_t\big) \end{split}"
    ),
    symbols=(
        (r"x_t", "the frame that enters at step t"),
        (r"K_t,\ V_t", "the memory: keys and values of all frames so far"),
        (r"a_t", "where the new frame looks: one row, as long as the memory"),
        (r"g_t\, B_t", "gate and bias; the new frame stands behind all keys, so every distance is 0 or back"),
    ),
    try_this=(
        "With *nano* and the sample sentence, in layer 3, head 4, move the step along: the row grows, and the dots "
        "stay on the line. At step 249, how many times more would be computed without the memory?"
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, head and step."""
    last = min(trace.num_frames, MAX_STEPS) - 1
    step = WholeNumber("step", "Step", "The frame that enters, counted from 0.", 0, last, last // 2)
    return choose_layer(trace), choose_head(trace), step


def exhibits(trace: Trace, palette: Palette, layer: int, head: int, step: int) -> Iterator[Item]:
    """Yield the rows so far, this step's row computed both ways, the differences, and the work that is saved."""
    decoding = decode(trace, layer)
    num_steps = decoding.at_once.shape[1]
    part = "" if num_steps == trace.num_frames else f" Here the first {num_steps} of {trace.num_frames:,} frames enter."
    yield Note(
        "WavLM does not decode: every frame sees the whole clip. This is a **demonstration** with the weights of layer "
        f"{layer}, run frame by frame on what really enters it.{part}"
    )
    times = trace.frame_times[:num_steps].numpy()
    title = f"Layer {layer} · head {head} · step {step} of {num_steps - 1}"
    yield Exhibit(
        "demonstration_decoding_rows",
        decoding_rows(trace, decoding.step_by_step[head], step, title, palette),
        f"The line is step {step}. It has {step + 1:,} {'key' if step == 0 else 'keys'} to look at, all of which "
        + (
            "it made itself."
            if step == 0
            else f"but its own were in the memory. {num_steps - 1 - step:,} steps are to come."
        ),
        lambda: {"weights": decoding.step_by_step[head].numpy(), "frame_times": times},
        share=0.5,
    )
    yield _row(trace, palette, decoding, head, step)
    yield _differences(palette, decoding, step)
    yield _work(palette, count_work(trace.model.config.encoder_embed_dim, num_steps), decoding, step)


def _row(trace: Trace, palette: Palette, decoding: Decoding, head: int, step: int) -> Exhibit:
    stepped, whole = decoding.step_by_step[head, step], decoding.at_once[head, step]
    difference = float((stepped - whole).abs().max())
    furthest = int(stepped.argmax())
    return Exhibit(
        "demonstration_decoding_row",
        decoding_row(trace, decoding, head, step, palette),
        f"It looks most at frame {furthest}, {step - furthest} frames back, with a weight of "
        f"{float(stepped[furthest]):.3f}. The two rows are {_apart(difference)}.",
        lambda: {"step_by_step": stepped.numpy(), "at_once": whole.numpy()},
        share=0.5,
    )


def _differences(palette: Palette, decoding: Decoding, step: int) -> Exhibit:
    weights, outputs = float(decoding.weight_difference.max()), float(decoding.output_difference.max())
    return Exhibit(
        "demonstration_decoding_differences",
        decoding_differences(decoding, step, palette),
        f"Over all steps and heads the weights are {_apart(weights)}, the outputs {_apart(outputs)}: the last digits, "
        "for one row and many rows are added up in another order.",
        lambda: {
            "weights": decoding.weight_difference.numpy(),
            "output": decoding.output_difference.numpy(),
        },
        share=0.5,
    )


def _apart(difference: float) -> str:
    return "the same" if difference == 0 else f"at most {difference:.1e} apart"


def _work(palette: Palette, work: Work, decoding: Decoding, step: int) -> Exhibit:
    now, so_far = (
        float(without / kept)
        for without, kept in (
            (work.without[step], work.with_memory[step]),
            (work.without[: step + 1].sum(), work.with_memory[: step + 1].sum()),
        )
    )
    kept = decoding.kept // len(work.without) * (step + 1)
    return Exhibit(
        "demonstration_decoding_work",
        decoding_work(work, step, palette),
        f"After step {step} the memory holds {kept:,} numbers, a key and a value for each frame. Without it this step "
        f"would take {now:.3g} times the operations, and all steps so far {so_far:.3g} times.",
        lambda: {"with_memory": work.with_memory.numpy(), "without_memory": work.without.numpy()},
        share=0.5,
    )


VIEW = View("decoding", "Decoding", "playlist_add", LESSON, exhibits, choices, order=66)
