"""Activations: what bends the numbers of a feed-forward, and which part of the curve a clip really uses."""

from collections.abc import Iterator

import torch

from ..activations import CURVES, compare_gelus, own_activation, pre_activations, refusal
from ..figures.activations import SHOWN, activation_curves, gelu_difference, pre_activation_histogram
from ..figures.style import Palette
from ..modules.activations import ACTIVATIONS
from ..tracing import Trace
from .view import Choice, Exhibit, Item, Lesson, Note, Option, View, choose_layer

TRIED = (-2.0, -0.5, 0.5, 2.0)  # numbers in the table of names
UNKNOWN = "swish"  # a name that one might expect
SHUT = 0.01  # an output nearer to zero says nothing

LESSON = Lesson(
    what=(
        "Between its two linear layers a feed-forward bends every number with one fixed curve, the **activation**. "
        "Without it the two layers would be one. All of these curves let large numbers through and stop most negative "
        "ones; they differ around zero, and that is where the numbers are."
    ),
    equation=(
        r"\begin{split} \text{gelu}(x) &= x\,\Phi(x) \\ \text{gelu\_accurate}(x) &= \tfrac{x}{2}\,(1 + \tanh t) \\ "
        r"t &= \sqrt{2/\pi}\,(x + 0.044715\,x^3) \\ \text{swish}(x) &= x\,\sigma(x) \end{split}"
    ),
    symbols=(
        (r"x", "one channel of one frame, as fc1 makes it"),
        (r"\Phi(x)", "the chance that a normal random number is below x"),
        (r"\sigma(x)", "the sigmoid, between 0 and 1"),
        (r"\text{gelu\_accurate}", "in spite of its name, the approximation"),
    ),
    try_this=(
        "With *nano* and the sample sentence, in layer 3, choose relu: more than half of all numbers would become 0. "
        "Now swish, which the model was trained with: how many are left near 0? Then compare gelu with gelu_accurate: "
        "can you see the difference anywhere but in the magnified curve?"
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer and activation."""
    own = own_activation(trace.model.config)
    return choose_layer(trace), Option("activation", "Activation", f"This model's own is {own}.", tuple(CURVES), own)


def exhibits(trace: Trace, palette: Palette, layer: int, activation: str) -> Iterator[Item]:
    """Yield the clip's numbers on the curve, all curves, the two forms of GELU, and the names that configs may use."""
    own = own_activation(trace.model.config)
    yield _clip(trace, palette, layer, activation, own)
    x = torch.linspace(*SHOWN, 701)
    yield Exhibit(
        "activation_curves",
        activation_curves(activation, own, palette),
        f"This model's feed-forward has {own}"
        + (" (inside its GLU; what get_activation_fn returns for it changes nothing)" if _has_glu(trace) else "")
        + ". Only tanh stops large numbers; linear and glu change nothing at all.",
        lambda: {"x": x.numpy()} | {name: curve(x).numpy() for name, curve in CURVES.items()},
        share=0.5,
    )
    gelus = compare_gelus()
    yield Exhibit(
        "gelu_difference",
        gelu_difference(gelus, palette),
        f"The two are at most {gelus.largest:.2g} apart, near x = ±{gelus.where:.1f}. WavLM Base and Large were "
        "trained with the exact form; code that takes the other one is off by that much in every channel.",
        lambda: {name: term.numpy() for name, term in gelus._asdict().items()},
        share=0.5,
    )
    yield Note(_table(trace.model.config.activation_fn))


def _clip(trace: Trace, palette: Palette, layer: int, activation: str, own: str) -> Exhibit:
    inputs = pre_activations(trace, layer)
    kept, outputs = CURVES[own](inputs), CURVES[activation](inputs)
    negative, shut = float((inputs < 0).float().mean()), float((outputs.abs() < SHUT).float().mean())
    change = float((outputs - kept).norm() / kept.norm().clamp(min=1e-12))
    instead = (
        "" if activation == own else f" In place of {own} it would move what is left by {change:.2g} of its length."
    )
    source = "the gates before their swish" if _has_glu(trace) else "what fc1 makes"
    return Exhibit(
        "pre_activations",
        pre_activation_histogram(
            inputs, activation, f"Layer {layer} · {source}, on the curve of {activation}", palette
        ),
        f"{inputs.shape[1]:,} channels over {trace.num_frames:,} frames: {negative:.0%} of the numbers are negative, "
        f"and {activation} brings {shut:.0%} of all nearer to 0 than {SHUT}.{instead}",
        lambda: {"before": inputs.numpy(), "after": outputs.numpy(), "frame_times": trace.frame_times.numpy()},
    )


def _has_glu(trace: Trace) -> bool:
    return trace.model.config.activation_fn == "glu"


def _table(configured: str) -> str:
    """The names that `get_activation_fn` takes, with what it returns for each and what that makes of some numbers."""
    x = torch.tensor(TRIED)
    head = "".join(f" {number:g} |" for number in TRIED)
    rows = [f"| activation_fn | returns | x ={head}", "|---|---|" + "---|" * len(TRIED)]
    for name, function in ACTIVATIONS.items():
        shown = f"**{name}** (this model)" if name == configured else name
        numbers = "".join(f" {number:.3f} |" for number in function(x).tolist())
        rows.append(f"| {shown} | `{function.__name__.strip('_')}` |{numbers}")
    table = "\n".join([row.replace(" -", " −") for row in rows])
    return (
        f"**What a config may ask for.** `get_activation_fn` knows these names:\n\n{table}\n\ngelu_fast is the old "
        "name of gelu_accurate, and a warning says so. glu is the identity, for the gate is in fc1. To any other name, "
        f"even {UNKNOWN}, the answer is an error: *{refusal(UNKNOWN)}*"
    )


VIEW = View("activations", "Activations", "ssid_chart", LESSON, exhibits, choices, order=60)
