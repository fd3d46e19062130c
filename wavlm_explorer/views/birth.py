"""The birth of the heads: the bundled model's training played back, and what comes first."""

from collections.abc import Iterator

import numpy as np

from ..birth import Birth, Course, course, distance_share, first_moment, load_birth
from ..figures.birth import birth_course
from ..figures.birth import birth_moment as draw_moment
from ..figures.style import Palette
from ..tracing import Trace
from .view import Choice, Exhibit, Lesson, View, WholeNumber

AWAKE = 2.0  # maps have left the flat when the largest weights of their rows have doubled
HALF_A_GATE = 4 * 32  # grep_linear's weights behind either sum: four rows, one column for each number of a head

LESSON = Lesson(
    what=(
        "The bundled model, *nano*, was looked at twelve times while it was trained. **This page always shows nano**, "
        "and four seconds of the sample sentence, whatever is chosen in the sidebar. At first no head prefers "
        "anything: every weight is close to 1 / frames. Press **play** and watch six columns of habits come up: the "
        "bias table belongs to layer 0 and serves every layer, so a habit runs down its column."
    ),
    equation=(
        r"\begin{split} w_{ij} &= \text{softmax}_j\big(\tfrac{q_i \cdot k_j}{\sqrt d} + g_i\, B_{j-i}\big) \\ "
        r"&\approx \tfrac{1}{\text{frames}} \quad\text{while}\ q,\ k,\ B \approx 0 \end{split}"
    ),
    symbols=(
        (r"w_{ij}", "how much frame i attends to frame j"),
        (r"q_i \cdot k_j", "content: a product of two things that are both still to be learned"),
        (r"B_{j-i}", "the bias for a distance, learned 20 times faster than most weights"),
        (r"g_i", "the gate of frame i, learned as fast"),
    ),
    try_this=(
        "Stop at moment 5, step 152: the first pale shapes are stripes along the diagonal, habits of distance. Whose "
        "is the brightest, in every layer? (Head 1's: it looks a little ahead.) Then look at the last moment: now "
        "columns and blocks stand in the maps of head 2, which depend on what is said."
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """The moment."""
    last = len(load_birth().steps) - 1
    return (WholeNumber("birth_moment", "Moment", "Of the training, counted from 0.", 0, last, last),)


def exhibits(trace: Trace, palette: Palette, birth_moment: int) -> Iterator[Exhibit]:
    """Yield all that is known of one moment, and the course of the whole training with what comes first."""
    birth = load_birth()
    signs = course(birth)
    yield show_moment(birth, birth_moment, palette)
    yield Exhibit(
        "birth_course",
        birth_course(birth, signs, birth_moment, palette),
        describe(birth, signs),
        lambda: {"steps": birth.steps, **signs._asdict(), "distance_share": _distance_shares(birth)},
    )


def show_moment(birth: Birth, moment: int, palette: Palette) -> Exhibit:
    """All that is known of one moment, and what it comes to on average."""
    now = Course(*(values[moment] for values in course(birth)))
    return Exhibit(
        "birth_moment",
        draw_moment(birth, moment, palette),
        f"After {birth.steps[moment]:,} steps it guesses {now.heldout:.0%} of the hidden frames of clips that it has "
        f"not learned from, and {birth.stranger[moment]:.0%} of a stranger's in another language. A gate moves by "
        f"{now.gate_range:.2f} over the clip, the bias is spread by {now.bias_spread:.2f}, and the largest weight of a "
        f"row is {now.largest_weight:.3f} (means over all heads).",
        lambda: {
            "maps": birth.weights(moment),
            "bias": birth.bias[moment],
            "gate_low": birth.gate_low[moment],
            "gate_mean": birth.gate_mean[moment],
            "gate_high": birth.gate_high[moment],
        },
    )


def describe(birth: Birth, signs: Course) -> str:
    """Say in two sentences what comes first, and why."""
    gates = first_moment(signs.gate_range, signs.gate_range.max() / 2)
    maps = first_moment(signs.largest_weight, AWAKE * signs.largest_weight[0])
    bias = signs.bias_spread[gates] / signs.bias_spread.max()
    at_first, in_the_end = (distance_share(birth, moment) for moment in (maps, len(birth.steps) - 1))
    return (
        f"**The gates come first**: by step {birth.steps[gates]:,} they move more than half as far as they ever will, "
        f"while the bias has {bias:.0%} of its spread, because each half of a gate adds up {HALF_A_GATE} weights that "
        "all move at once, and a bias is a single number. **Then distance, then content**: at step "
        f"{birth.steps[maps]:,}, when the maps leave the flat, {at_first:.0%} of what makes them uneven follows "
        f"distance alone, in the end {in_the_end:.0%}, because a bias goes straight into the logit, while queries and "
        "keys, both small at first, must grow together before their product counts."
    )


def _distance_shares(birth: Birth) -> np.ndarray:
    return np.array([distance_share(birth, moment) for moment in range(len(birth.steps))])


VIEW = View("birth", "The birth of the heads", "egg", LESSON, exhibits, choices, section="What if", order=140)
