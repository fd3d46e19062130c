"""Initialisation: what the weights are before they learn, by which of two rules, and what training makes of them."""

from collections.abc import Iterator

from torch import Tensor

from ..figures.initial_weights import initial_histograms, spreads_by_layer, spreads_by_weight
from ..figures.style import Palette
from ..initial_weights import (
    TABLE,
    Draw,
    InitialWeights,
    initial_weights,
    learned_spreads,
    learned_weight,
    own_draw,
    weight_names,
)
from ..tracing import Trace
from .view import Choice, Exhibit, Lesson, Option, Redraw, View, choose_layer

FAR = 3.0  # standard deviations; of a normal distribution 0.27 % lie beyond

LESSON = Lesson(
    what=(
        "Before training, every weight is a **random number**. WavLM draws most of them twice. First each module draws "
        "its own: attention by *Xavier's rule*, so wide that a signal keeps its size on the way through. Then the "
        "encoder applies **init_bert_params** to all that is inside it, which draws the same weights again, narrowly, "
        "and sets biases to 0. **The second wins**: nothing of Xavier is left. Not touched are the norms, the "
        "positional convolution, and the gate's c (grep_a), which starts at 1; the front end lies outside."
    ),
    equation=(
        r"\begin{split} \text{first:}\quad w &\sim U(-r, r), \quad r = \gamma\, \sqrt{\tfrac{6}{n_{in} + n_{out}}} \\ "
        r"\text{then:}\quad w &\sim \mathcal N(0,\ 0.02^2) \end{split}"
    ),
    symbols=(
        (r"U(-r, r)", "any number between −r and r is as likely as any other; its standard deviation is r/√3"),
        (r"\mathcal N(0, \sigma^2)", "the normal distribution around 0 with standard deviation σ"),
        (r"n_{in},\ n_{out}", "inputs and outputs of the weight"),
        (r"\gamma", "the gain: 1/√2 for q, k and v, which are three; 1 for out_proj"),
    ),
    try_this=(
        "With *nano*, take relative_attention_bias, the table of distances: drawn again, it is eight times narrower "
        "than its module wanted, so at first no head knows any distance. Training then made it fifty times as wide. "
        "Compare fc1. Then press *Draw again*: how much do the histograms of a small and of a large weight move?"
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, weight and draw."""
    names = weight_names(trace.model.config)
    return (
        choose_layer(trace),
        Option("initial_weight", "Weight", "Of the chosen layer; the bias table is one for all.", names, names[0]),
        Redraw("initial_draw", "Draw again", "Its number is the seed: the same number is the same draw."),
    )


def exhibits(trace: Trace, palette: Palette, layer: int, initial_weight: str, initial_draw: int) -> Iterator[Exhibit]:
    """Yield a weight's histograms before training and after, and the spread of every weight of the layer."""
    model, name = trace.model, initial_weight
    drawn, learned = initial_weights(model.config, name, initial_draw), learned_weight(model, layer, name)
    owner = "all layers" if name == TABLE else f"layer {layer}"
    yield Exhibit(
        "initial_histograms",
        initial_histograms(drawn, learned, name, palette),
        describe(drawn, learned, owner),
        lambda: {"own_draw": drawn.own.numpy(), "drawn_again": drawn.redrawn.numpy(), "checkpoint": learned.numpy()},
    )
    spreads = learned_spreads(model)
    own = {each: own_draw(model.config, each).std for each in spreads}
    here = {each: float(stds[0 if each == TABLE else layer]) for each, stds in spreads.items()}
    widest = max(here, key=lambda each: here[each])
    yield Exhibit(
        "spreads_by_weight",
        spreads_by_weight(own, drawn.redraw.std, here, name, palette),
        f"Layer {layer}. The line is where training starts, the same for all. Furthest from it is {widest}: "
        f"{here[widest]:.3g}, or {here[widest] / drawn.redraw.std:.1f} times as wide.",
        lambda: {f"{each}_checkpoint": spreads[each].numpy() for each in spreads},
        share=0.5,
    )
    by_layer = {each: stds for each, stds in spreads.items() if each != TABLE}
    yield Exhibit(
        "spreads_by_layer",
        spreads_by_layer(by_layer, drawn.redraw.std, layer, name, palette),
        f"Over the layers, the standard deviation of {name} lies between {float(spreads[name].min()):.3g} and "
        f"{float(spreads[name].max()):.3g}."
        if name in by_layer
        else "The bias table is not drawn here: there is one for all layers.",
        lambda: {each: stds.numpy() for each, stds in by_layer.items()},
        share=0.5,
    )


def describe(drawn: InitialWeights, learned: Tensor, owner: str) -> str:
    """Say what was expected of each draw and what was found, and what the checkpoint has."""
    std = float(learned.std())
    far = float((learned.abs() > FAR * std).float().mean())
    return (
        f"{learned.numel():,} numbers. Its module draws them from a {_name(drawn.own_draw)}: standard deviation "
        f"{drawn.own_draw.std:.4f} expected, {float(drawn.own.std()):.4f} found. Then they are drawn again from a "
        f"{_name(drawn.redraw)}: {drawn.redraw.std:.4f} expected, {float(drawn.redrawn.std()):.4f} found. In this "
        f"checkpoint, in {owner}, it is {std:.4f}, and {far:.2%} lie more than three of these away from 0 (of a normal "
        "distribution 0.27%)."
    )


def _name(draw: Draw) -> str:
    return f"uniform distribution up to ±{draw.reach:.4f}" if draw.kind == "uniform" else "normal distribution"


VIEW = View("initialisation", "Initialisation", "casino", LESSON, exhibits, choices, order=74)
