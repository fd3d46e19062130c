"""Cloze: a moment of the sound is hidden, and the model says what it thinks was there."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ..cloze import PredictionHead, around, class_sound, guess_distance, hide, prediction_head
from ..figures.cloze import cloze_certainty, cloze_distance, cloze_guesses
from ..figures.style import Palette
from ..interventions import GateFixed, HeadsOff, Intervention, PositionOff
from ..tracing import Trace
from .view import Exhibit, Item, Lesson, Note, Sounds, View, WholeNumber, choose_head, choose_layer

MOST_HIDDEN = 25  # frames: half a second
FIRST_HIDDEN = 4
AS_IT_IS = "as it is"
NUM_GUESSES = 3  # that can be heard

LESSON = Lesson(
    what=(
        "This is the game by which WavLM learned: a stretch of sound is **hidden**, and the model must name what was "
        "there, frame by frame, from what it hears around it. It names one of 100 *classes* of sound. Play it on your "
        "own recording: drag over the sound to hide a part of it, click a class to hear it. And take away what the "
        "model uses: its position bias, its gate, one head."
    ),
    equation=(
        r"\begin{split} x_i &\leftarrow m \quad \text{for every hidden } i \\ "
        r"p_i &= \operatorname{softmax}(W y_i + b) \end{split}"
    ),
    symbols=(
        (r"x_i", "frame i of the sound, before the transformer"),
        (r"m", "the mask embedding: one learned vector that says “hidden”"),
        (r"y_i", "what the model makes of it, from its neighbours alone"),
        (r"W,\ b", "the head that names classes; it comes with the bundled model"),
        (r"p_i", "the probability of each class"),
    ),
    try_this=(
        "With *nano* and the sample *A pause*, hide ten frames of the silence, from frame 90: all are guessed. Without "
        "position too, but less surely, and least so in the middle of the gap, furthest from what is heard (0.23; at "
        "its edges 0.91 and 0.84). Then take *A sentence* and hide four frames from frame 200: three are guessed, and "
        "without position one. Ten there? Only two: speech changes sooner than silence."
    ),
)


def choices(trace: Trace) -> tuple[WholeNumber, ...]:
    """Which frames are hidden, and the head that is switched off beside."""
    return *choose_hidden(trace), choose_layer(trace), choose_head(trace)


def choose_hidden(trace: Trace) -> tuple[WholeNumber, WholeNumber]:
    """Where frames are hidden, and how many; some are always heard."""
    last = trace.num_frames - 1
    most = max(1, min(MOST_HIDDEN, last))
    hop = 1000 * trace.model.config.frame_seconds
    return (
        WholeNumber("hidden_from", "Hidden from frame", f"One each {hop:.0f} ms.", 0, last, last // 2),
        WholeNumber("hidden_frames", "Frames hidden", "", 1, most, min(FIRST_HIDDEN, most)),
    )


def exhibits(
    trace: Trace, palette: Palette, hidden_from: int, hidden_frames: int, layer: int, head: int
) -> Iterator[Item]:
    """Yield what the model guesses, how sure it is, what its guesses sound like, and how near its states come."""
    if trace.num_frames < 2:
        yield Note("This clip has one frame only: with that hidden, there is nothing to guess from.")
        return
    hidden = slice(hidden_from, min(hidden_from + hidden_frames, trace.num_frames))
    try:
        guessed = hide(trace, hidden, variants(trace, layer, head))
    except ValueError as error:  # a trace from a file cannot hear once more
        yield Note(str(error))
        return
    prediction = prediction_head(trace.model)
    if prediction is None:
        yield Note(
            "This checkpoint came **without the head** that names classes (no released one has kept it), so it cannot "
            "say what it guesses. How near its hidden states come to the true ones is below. *nano* has its head."
        )
    else:
        yield from _guesses(trace, palette, hidden, guessed, prediction)
    yield _distance(trace, palette, hidden, guessed)


def variants(trace: Trace, layer: int, head: int) -> dict[str, Sequence[Intervention]]:
    """What is taken away: what the pictures call it -> the interventions."""
    config = trace.model.config
    variants: dict[str, Sequence[Intervention]] = {AS_IT_IS: ()}
    if config.relative_position_embedding:
        variants["without position"] = [PositionOff()]
        if config.gru_rel_pos:
            variants["gates at 1"] = [GateFixed(1.0)]
    return variants | {f"without head {head} of layer {layer}": [HeadsOff(layers=layer, heads=head)]}


def _guesses(
    trace: Trace, palette: Palette, hidden: slice, guessed: Mapping[str, Trace], prediction: PredictionHead
) -> Iterator[Item]:
    truth = prediction.classes(trace.audio)[hidden]
    probabilities = {name: prediction.probabilities(one.output[hidden]) for name, one in guessed.items()}
    certainty = {name: one.gather(1, truth[:, None])[:, 0] for name, one in probabilities.items()}
    times = trace.frame_times[hidden].numpy()
    yield Exhibit(
        "cloze_certainty",
        cloze_certainty(trace, hidden, certainty, palette),
        _describe(certainty, {name: int((one.argmax(dim=1) == truth).sum()) for name, one in probabilities.items()}),
        lambda: _by_name(certainty) | {"frame_times": times},
        share=0.5,
    )
    own = probabilities[AS_IT_IS]
    yield Exhibit(
        "cloze_guesses",
        cloze_guesses(trace, hidden, own, truth, palette),
        f"The true classes on top, then what the model holds likely. The {len(own)} hidden frames have "
        f"{len(truth.unique())} classes; chance would give each a probability of {1 / own.shape[1]:.2f}.",
        lambda: {"probabilities": own.numpy(), "true_class": truth.numpy(), "frame_times": times},
        share=0.5,
    )
    middle = len(truth) // 2
    yield _sounds(trace, hidden.start + middle, prediction, own[middle], int(truth[middle]))


def _describe(certainty: Mapping[str, Float[Tensor, " hidden"]], right: Mapping[str, int]) -> str:
    """Say in words how many frames are guessed right, and what the true classes' probability is on average."""
    num_frames = len(certainty[AS_IT_IS])
    said = [f"{name} {right[name]} ({float(values.mean()):.2f})" for name, values in certainty.items()]
    return (
        f"Guessed right of {num_frames} frames, and the mean probability of the true class: {'; '.join(said)}. Each is "
        "one moment of one clip: move on before you believe a difference."
    )


def _sounds(
    trace: Trace, frame: int, prediction: PredictionHead, probabilities: Float[Tensor, " classes"], truth: int
) -> Sounds:
    clips = [(f"**what was hidden** (class {truth})", around(trace.audio, frame))]
    for place, number in enumerate(probabilities.argsort(descending=True)[:NUM_GUESSES].tolist(), 1):
        sound, likely = class_sound(prediction, number), float(probabilities[number])
        if sound is not None:
            clips.append((f"**guess {place}**: class {number} ({likely:.2f}), {sound.words}", sound.audio))
    return Sounds(
        f"Listen, at {float(trace.frame_times[frame]):.2f} s, the middle of what is hidden: the sound itself, and what "
        "the model thinks of, each class where it is most typical in the samples.",
        tuple(clips),
    )


def _distance(trace: Trace, palette: Palette, hidden: slice, guessed: Mapping[str, Trace]) -> Exhibit:
    distances = {name: guess_distance(trace, one, hidden) for name, one in guessed.items()}
    own = distances[AS_IT_IS]
    nearest = int(own.argmin())
    where = "where it enters layer 0" if nearest == 0 else f"behind layer {nearest - 1}"
    return Exhibit(
        "cloze_distance",
        cloze_distance(distances, palette),
        f"The hidden frames' states beside those of the pass that heard them. The guess comes nearest {where}, to "
        f"{float(own[nearest]):.2f} of the distance of the clip's mean frame; at the top it is {float(own[-1]):.2f}.",
        lambda: _by_name(distances),
        share=0.5,
    )


def _by_name(values: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name.replace(" ", "_"): one.numpy() for name, one in values.items()}


VIEW = View("cloze", "Cloze", "quiz", LESSON, exhibits, choices, section="What if", order=130)
