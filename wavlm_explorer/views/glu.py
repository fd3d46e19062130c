"""GLU: a layer whose one half decides how much of the other half goes on."""

from collections.abc import Iterator

from ..demonstration import NUM_CHANNELS, demonstration_terms
from ..figures.glu import CLOSED, channel_order, gate_histogram, gate_summary, glu_terms
from ..figures.style import Palette
from ..modules import GLU_Linear, GLUTerms
from ..modules.glu import GLU_ACTIVATIONS
from ..tracing import Trace
from .view import Choice, Exhibit, Lesson, Note, Option, View, choose_layer

LESSON = Lesson(
    what=(
        "After attention, each frame passes through a *feed-forward* layer on its own. A **gated linear unit** makes "
        "two things there for every channel: a **value**, and a **gate** that the value is multiplied by. Where the "
        "gate is near 0 the channel is shut for that frame, however large its value."
    ),
    equation=r"y = (V x + b) \,\odot\, \sigma(W x + c)",
    symbols=(
        (r"x", "one frame, as the feed-forward receives it"),
        (r"V x + b", "the value: what could be said"),
        (r"\sigma(W x + c)", "the gate: whether it is said"),
        (r"\sigma", "the activation; WavLM's own is swish, z · sigmoid(z), which may dip a little below 0"),
        (r"\odot", "channel by channel"),
    ),
    try_this=(
        "Look for dark or pale columns in the gate: moments at which many channels open or shut together. Are they "
        "where the sound changes? Then compare layers."
    ),
)


def has_glu(trace: Trace) -> bool:
    """Whether the feed-forward of this model has a gated linear unit of its own."""
    return isinstance(trace.model.encoder.block(0).fc1, GLU_Linear)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer; for a model without GLU also which kind the demonstration is."""
    if has_glu(trace):
        return (choose_layer(trace),)
    kinds = tuple(GLU_ACTIVATIONS)
    return choose_layer(trace), Option("glu_type", "Activation of the gate", "", kinds, kinds[0])


def exhibits(trace: Trace, palette: Palette, layer: int, glu_type: str = "") -> Iterator[Exhibit | Note]:
    """Yield the unit's terms over time, and how open its gates are."""
    if has_glu(trace):
        terms, prefix = trace.glu(layer), ""
        title = f"Layer {layer} · feed-forward GLU (swish)"
    else:
        yield Note(
            f"This checkpoint's feed-forward has **no GLU** (activation_fn = {trace.model.config.activation_fn}). What "
            f"follows is a **demonstration**: a unit with {NUM_CHANNELS} channels and random weights, which is no part "
            f"of the model, on what the feed-forward of layer {layer} really receives for this clip."
        )
        terms, prefix = demonstration_terms(trace, layer, glu_type), "demonstration_"
        title = f"Demonstration · {glu_type} GLU on the input of layer {layer}"
    summary = gate_summary(terms)
    ratio = float(terms.output.square().mean().sqrt() / terms.value.square().mean().sqrt().clamp(min=1e-12))
    first = int(channel_order(terms)[0])
    yield Exhibit(
        f"{prefix}glu_terms",
        glu_terms(trace, terms, title, palette),
        f"{terms.gate.shape[1]} channels over {trace.num_frames} frames. Channel {first} is the most open, on top of "
        f"all three maps. What leaves the unit is {ratio:.2g} times as large as its values (root mean square).",
        lambda: _arrays(trace, terms),
    )
    negative = (
        f"{summary.negative:.0%} are negative and turn the sign of the value"
        if summary.negative
        else "none is negative"
    )
    yield Exhibit(
        f"{prefix}gate_histogram",
        gate_histogram(terms, title, palette),
        f"{summary.closed:.0%} of all gates are closed (|gate| < {CLOSED}), {negative}; the mean gate is "
        f"{summary.mean:.2f}.",
        lambda: {"gate_input": terms.gate_input.numpy(), "gate": terms.gate.numpy()},
    )


def _arrays(trace: Trace, terms: GLUTerms) -> dict:
    arrays = {name: term.numpy() for name, term in terms._asdict().items()}
    return arrays | {"channel_order": channel_order(terms).numpy(), "frame_times": trace.frame_times.numpy()}


VIEW = View("glu", "GLU", "tune", LESSON, exhibits, choices, order=40)
