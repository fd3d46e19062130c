"""GLU: a layer whose one half decides how much of the other half goes on."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..demonstration import NUM_CHANNELS
from ..figures.glu import FATES, glu_channels, glu_regions, glu_types, percentage
from ..figures.glu_tracks import glu_channel, glu_terms
from ..figures.style import Palette
from ..glu import (
    CLOSED,
    ChannelRanking,
    GateShares,
    gate_shares,
    own_glu_type,
    passed_ratio,
    rank_channels,
    region_shares,
    under_gate,
    unit_terms,
)
from ..modules import GLUTerms
from ..modules.glu import GLU_ACTIVATIONS
from ..tracing import Trace
from .view import Choice, Exhibit, Item, Lesson, Note, Option, View, WholeNumber, Working, choose_frame, choose_layer

DEFAULT_TYPE = "swish"  # of every WavLM that has a GLU

FORMULAS = {
    "sigmoid": (r"\sigma(z)", r"\sigma({z})"),
    "swish": (r"z\,\sigma(z)", r"{z} \cdot \sigma({z})"),
    "relu": (r"\max(0, z)", r"\max(0, {z})"),
    "gelu": (r"z\,\Phi(z)", r"{z} \cdot \Phi({z})"),
    "bilinear": ("z", "{z}"),
}  # of the gate, in symbols, and with a place for a number

LESSON = Lesson(
    what=(
        "After attention, each frame passes through a *feed-forward* layer on its own. A **gated linear unit** makes "
        "two things there for every channel: a **value**, and a **gate** that the value is multiplied by. Where the "
        "gate is near 0 the channel is closed for that frame, however large its value; where it is below 0, the value "
        "changes its sign. Five functions can make the gate; WavLM's own is **swish**."
    ),
    equation=r"\begin{split} v &= V x + b \\ z &= W x + c \\ y &= v \odot g(z) \end{split}",
    symbols=(
        (r"x", "one frame, as the feed-forward receives it"),
        (r"v", "the value: what could be said"),
        (r"g(z)", "the gate: whether it is said"),
        (r"g", "sigmoid σ(z), swish z · σ(z), relu max(0, z), gelu z · Φ(z), or bilinear: z as it is"),
        (r"\sigma,\ \Phi", "the sigmoid 1 / (1 + e⁻ᶻ), and the share of a normal distribution that lies below z"),
        (r"\odot", "channel by channel"),
    ),
    try_this=(
        "With *nano* and the sample sentence, choose layer 4 and rank 381, a channel that is hardly ever closed: its "
        "gate is above 3 in open vowels (the *a* of *and*, the *e* of *them*), and below 1 in the *f* of *fox* and the "
        "*ch* of *watches*. Then take *relu* as the gate: three times as many gates close, and none turns the sign."
    ),
)


class Unit(NamedTuple):
    """One layer's unit under the chosen gate, with the channel and the frame that are looked at."""

    terms: GLUTerms
    ranking: ChannelRanking
    rank: int
    channel: int
    frame: int
    name: str  # at the head of every picture
    prefix: str  # of every file


def make_unit(trace: Trace, layer: int, glu_type: str, rank: int, frame: int) -> Unit:
    """Run one layer's unit, or the demonstration, under a gate, and find the channel of a rank.

    Raises: IndexError for a layer or rank that is not there.
    """
    own = own_glu_type(trace)
    terms = unit_terms(trace, layer, glu_type)
    ranking = rank_channels(terms)
    instead = f" instead of {own}" if glu_type != own else ""
    name = f"Layer {layer} · {glu_type}{instead}" if own else f"Demonstration · {glu_type} on layer {layer}"
    prefix = "" if own else "demonstration_"
    return Unit(terms, ranking, rank, int(ranking.order[rank]), frame, name, prefix)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Layer, type of the gate, channel by its rank, and frame."""
    own = own_glu_type(trace)
    num_channels = trace.model.config.encoder_ffn_embed_dim if own else NUM_CHANNELS
    which = f"The loaded model's own is {own}." if own else "Of the demonstration."
    return (
        choose_layer(trace),
        Option("glu_type", "Type of the gate", which, tuple(GLU_ACTIVATIONS), own or DEFAULT_TYPE),
        WholeNumber("glu_rank", "Channel, by rank", "0 is the one most often closed.", 0, num_channels - 1, 0),
        choose_frame(trace),
    )


def exhibits(trace: Trace, palette: Palette, layer: int, glu_type: str, glu_rank: int, frame: int) -> Iterator[Item]:
    """Yield the five gates, one channel's numbers, value against gate, the channels, and all of it over time."""
    own = own_glu_type(trace)
    if own is None:
        yield Note(
            f"This checkpoint's feed-forward has **no GLU** (activation_fn = {trace.model.config.activation_fn}). What "
            f"follows is a **demonstration**: a unit with {NUM_CHANNELS} channels and random weights, which is no part "
            f"of the model, on what the feed-forward of layer {layer} really receives for this clip."
        )
    elif glu_type != own:
        yield Note(
            f"The loaded model's gate is **{own}**. What follows puts **{glu_type}** in its place, on the layer's own "
            "weights, which were not trained for it."
        )
    unit = make_unit(trace, layer, glu_type, glu_rank, frame)
    yield _types(unit, glu_type, own, palette)
    yield work_through(unit, glu_type, has_bias=own is not None)
    yield _regions(unit, palette)
    yield _channels(unit, palette)
    yield _over_time(trace, unit, palette)
    yield _channel(trace, unit, palette)


def _types(unit: Unit, glu_type: str, own: str | None, palette: Palette) -> Exhibit:
    effects = {name: under_gate(unit.terms, name) for name in GLU_ACTIVATIONS}
    shares = {name: gate_shares(terms.gate) for name, terms in effects.items()}
    fewest, most = (pick(shares, key=lambda name: float(shares[name].closed)) for pick in (min, max))
    place = unit.name.partition(" · ")[0]

    def arrays() -> dict[str, np.ndarray]:
        numbers = {"gate_input": unit.terms.gate_input.numpy()}
        for name, terms in effects.items():
            numbers |= {f"{name}_{kind}": np.array(float(share)) for kind, share in shares[name]._asdict().items()}
            numbers[f"{name}_output_over_value"] = np.array(passed_ratio(terms))
        return numbers

    return Exhibit(
        f"{unit.prefix}glu_types",
        glu_types(unit.terms, glu_type, own, unit.frame, unit.channel, f"{place} · five gates, same inputs", palette),
        "Above, each gate; below, how often this clip's inputs occur, coloured by what the gate does with them; closed "
        f"means |gate| < {CLOSED}. **{fewest}** closes the fewest ({percentage(shares[fewest].closed)}), **{most}** "
        f"the most ({percentage(shares[most].closed)}). Output and value are compared by their root mean squares. "
        f"The dot is channel {unit.channel} in frame {unit.frame}.",
        arrays,
    )


def work_through(unit: Unit, glu_type: str, has_bias: bool) -> Working:
    """Write one channel and frame out, first in symbols and then in numbers, rounded to three decimals."""
    value, z, gate, output = (float(term[unit.frame, unit.channel]) for term in unit.terms)
    symbol, with_number = FORMULAS[glu_type]
    b, c = (f" + {name}_{{{unit.channel}}}" if has_bias else "" for name in "bc")
    if abs(gate) < CLOSED:
        fate = f"The gate is **closed**: less than {CLOSED:.0%} of the value goes on."
    else:
        fate = "The gate is **open**: the value keeps its sign." if gate > 0 else "The gate **turns the sign**."
    return Working((
        (
            f"Of frame {unit.frame}, channel {unit.channel} makes its **value** and the **input of its gate**.",
            rf"\begin{{split}} v &= V_{{{unit.channel}}}\,x{b} \\ &= {value:.3f} \\ "
            rf"z &= W_{{{unit.channel}}}\,x{c} \\ &= {z:.3f} \end{{split}}",
        ),
        (
            f"The chosen type, {glu_type}, makes the **gate** of it.",
            rf"\begin{{split}} g &= {symbol} \\ &= {with_number.format(z=_bracketed(z))} \\ "
            rf"&= {gate:.3f} \end{{split}}",
        ),
        (
            f"Value times gate goes on. {fate} (All numbers are rounded.)",
            rf"\begin{{split}} y &= v\,g \\ &= {value:.3f} \cdot {_bracketed(gate)} \\ &= {output:.3f} \end{{split}}",
        ),
    ))  # fmt: skip


def _bracketed(number: float) -> str:
    return f"({number:.3f})" if number < 0 else f"{number:.3f}"


def _regions(unit: Unit, palette: Palette) -> Exhibit:
    shares = region_shares(unit.terms)
    kind, side = divmod(int(shares.argmax()), 2)
    negative, turned = float(shares[:, 0].sum()), float(shares[2].sum())
    signs = f"the sign of {percentage(turned)} of all values is turned" if turned else "no value's sign is turned"
    return Exhibit(
        f"{unit.prefix}glu_regions",
        glu_regions(unit.terms, unit.frame, unit.channel, f"{unit.name} · value against gate", palette),
        f"All frames and channels, shaded by how many there are. {percentage(negative)} of the values are negative; "
        f"{signs}. The most frequent case, {percentage(shares[kind, side])}: a {('negative', 'positive')[side]} value, "
        f"{FATES[kind][side]}.",
        lambda: {
            "value": unit.terms.value.numpy(), "gate": unit.terms.gate.numpy(),
            **{f"{kind}_by_sign": row for kind, row in zip(GateShares._fields, shares.numpy(), strict=True)},
        },
        share=0.5,
    )  # fmt: skip


def _channels(unit: Unit, palette: Palette) -> Exhibit:
    closed, order = unit.ranking.shares.closed, unit.ranking.order
    return Exhibit(
        f"{unit.prefix}glu_channels",
        glu_channels(unit.ranking, unit.rank, f"{unit.name} · channels", palette),
        f"Channel {int(order[0])} is closed most often, in {percentage(closed[0])} of the frames, channel "
        f"{int(order[-1])} least often, in {percentage(closed[-1])}. Rank {unit.rank}, in bold, is "
        f"channel {unit.channel}: closed in {percentage(closed[unit.rank])}.",
        lambda: {
            "channel_by_rank": order.numpy(),
            **{f"{name}_by_rank": share.numpy() for name, share in unit.ranking.shares._asdict().items()},
        },
        share=0.5,
    )


def _over_time(trace: Trace, unit: Unit, palette: Palette) -> Exhibit:
    closed, times = gate_shares(unit.terms.gate, dim=1).closed, trace.frame_times
    first, last = int(closed.argmin()), int(closed.argmax())
    return Exhibit(
        f"{unit.prefix}glu_terms",
        glu_terms(trace, unit.terms, f"{unit.name} · all channels over time", palette),
        f"{unit.terms.gate.shape[1]} channels over {trace.num_frames} frames, the most often closed on top. Between "
        f"{percentage(closed[first])} (at {float(times[first]):.2f} s) and {percentage(closed[last])} (at "
        f"{float(times[last]):.2f} s) of a frame's channels are closed. What leaves the unit is "
        f"{passed_ratio(unit.terms):.2f} times as large as its values (root mean square).",
        lambda: {
            **{name: term.numpy() for name, term in unit.terms._asdict().items()},
            **{f"{name}_by_frame": share.numpy() for name, share in gate_shares(unit.terms.gate, 1)._asdict().items()},
            "channel_by_rank": unit.ranking.order.numpy(),
            "frame_times": times.numpy(),
        },
    )


def _channel(trace: Trace, unit: Unit, palette: Palette) -> Exhibit:
    terms = {name: term[:, unit.channel] for name, term in unit.terms._asdict().items()}
    closed, opened, turned = (float(share[unit.rank]) for share in unit.ranking.shares)
    mean = float(terms["gate"].mean())
    return Exhibit(
        f"{unit.prefix}glu_channel",
        glu_channel(
            trace, unit.terms, unit.channel, unit.frame,
            f"{unit.name} · channel {unit.channel} (rank {unit.rank})", palette,
        ),
        f"Over the clip the gate of channel {unit.channel} is closed in {percentage(closed)} of the frames, open in "
        f"{percentage(opened)}, and turns the sign in {percentage(turned)}; its mean is {_minus(mean)}. The dashed "
        f"line is frame {unit.frame}, at {float(trace.frame_times[unit.frame]):.2f} s.",
        lambda: {
            **{name: term.numpy() for name, term in terms.items()},
            "channel": np.array(unit.channel), "frame_times": trace.frame_times.numpy(),
        },
    )  # fmt: skip


def _minus(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


VIEW = View("glu", "GLU", "tune", LESSON, exhibits, choices, order=40)
