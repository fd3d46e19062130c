"""Chapter: the guessing game."""

from collections.abc import Iterator
from typing import Any

from ..cloze import PredictionHead, guess_distance, prediction_head
from ..effects import changed
from ..excerpt import can_hear
from ..figures.cloze import cloze_certainty, cloze_distance, cloze_guesses
from ..figures.style import Palette
from ..interventions import FramesHidden
from ..tracing import Trace
from ..views.cloze import AS_IT_IS, choose_hidden
from ..views.view import Choice, Exhibit, Note
from .chapter import Scene, Verdict

LEAST_HIDDEN = 4  # frames, for the try: a single one is easy
NO_NEARER = 1.0  # than the clip's mean frame, as `guess_distance` counts


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Where frames are hidden, and how many."""
    return choose_hidden(trace)


def begin(trace: Trace) -> dict[str, Any]:
    """With one frame hidden, in the middle."""
    return {"hidden_from": trace.num_frames // 2, "hidden_frames": 1}


def exhibits(trace: Trace, palette: Palette, hidden_from: int, hidden_frames: int) -> Iterator[Exhibit | Note]:
    """Yield how sure the model is of the hidden frames and what it thinks of, or how near it comes without a head."""
    if missing := _missing(trace):
        yield Note(missing)
        return
    hidden = _hidden(trace, hidden_from, hidden_frames)
    guessed, prediction = changed(trace, [FramesHidden(hidden)]), prediction_head(trace.model)
    if prediction is not None:
        yield from _guesses(trace, guessed, hidden, prediction, palette)
        return
    yield Note(
        "This checkpoint came **without the head** that names classes, so it cannot say what it guesses. The picture "
        "shows how near its frames come to those that heard the sound. Choose *nano* as the model to see guesses."
    )
    distances = guess_distance(trace, guessed, hidden)
    yield Exhibit(
        "guessing_distance",
        cloze_distance({AS_IT_IS: distances}, palette),
        f"0 is the frame that was heard, 1 no nearer than the clip's mean frame. At the top it is {distances[-1]:.2f}.",
        lambda: {"distances": distances.numpy()},
    )


def _guesses(
    trace: Trace, guessed: Trace, hidden: slice, prediction: PredictionHead, palette: Palette
) -> Iterator[Exhibit]:
    truth, probabilities = prediction.classes(trace.audio)[hidden], prediction.probabilities(guessed.output[hidden])
    certainty = probabilities.gather(1, truth[:, None])[:, 0]
    times = trace.frame_times[hidden].numpy()
    yield Exhibit(
        "guessing_certainty",
        cloze_certainty(trace, hidden, {AS_IT_IS: certainty}, palette),
        f"How likely the model holds the truth: {float(certainty.mean()):.2f} on average. Chance is "
        f"{1 / probabilities.shape[1]:.2f}.",
        lambda: {"probability_of_truth": certainty.numpy(), "frame_times": times},
        share=0.5,
    )
    yield Exhibit(
        "guessing_classes",
        cloze_guesses(trace, hidden, probabilities, truth, palette),
        "One column for each hidden frame. A guess is right where the brightest cell is the framed one.",
        lambda: {"probabilities": probabilities.numpy(), "true_class": truth.numpy(), "frame_times": times},
        share=0.5,
    )


def judge(trace: Trace, hidden_from: int, hidden_frames: int) -> Verdict:
    """Done where of four hidden frames or more at least half are guessed right.

    Of a model that cannot name classes: where its guess at them is nearer to the truth than the clip's mean frame.
    """
    if missing := _missing(trace):
        return Verdict(False, missing)
    hidden = _hidden(trace, hidden_from, hidden_frames)
    number = hidden.stop - hidden.start
    good, words = _rate(trace, changed(trace, [FramesHidden(hidden)]), hidden)
    words = f"{number} frame{'s' * (number != 1)} hidden: {words}"
    if number < LEAST_HIDDEN:
        words += f" Hide at least {LEAST_HIDDEN} in a row."
    return Verdict(good and number >= LEAST_HIDDEN, words)


def _rate(trace: Trace, guessed: Trace, hidden: slice) -> Verdict:
    """Whether hidden frames, however few, are guessed well."""
    prediction = prediction_head(trace.model)
    if prediction is None:
        distance = float(guess_distance(trace, guessed, hidden)[-1])
        near = distance < NO_NEARER
        return Verdict(near, f"the guess is {'nearer' if near else 'no nearer'} than the clip's mean ({distance:.2f}).")
    guesses, truth = prediction.probabilities(guessed.output[hidden]).argmax(dim=1), prediction.classes(trace.audio)
    right = int((guesses == truth[hidden]).sum())
    return Verdict(2 * right >= len(guesses), f"{right} guessed right.")


def _missing(trace: Trace) -> str:
    """Say why nothing can be guessed here, if so."""
    if trace.num_frames <= LEAST_HIDDEN:
        return "This clip has too few frames for a gap and something around it. Choose a longer one to try it."
    if not can_hear(trace.model):
        return (
            "Nothing can be hidden here: this trace was opened from a file, and the convolutions that hear did not "
            "come with it. Choose a sample or a recording in the sidebar to play."
        )
    return ""


def _hidden(trace: Trace, first: int, number: int) -> slice:
    return slice(first, min(first + number, trace.num_frames))


SCENE = Scene("cloze", choices, begin, exhibits, judge)
