"""Side by side: two words, or two sounds, under one model. It is about two traces, so it is no view of one."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..figures.stretches import frame_similarity, stretch_maps, stretch_reach
from ..figures.style import Palette
from ..stretches import DistanceProfile, Stretch, distance_profile, similarity, spans_ms, stretch_map
from ..wording import duration, name_place
from .view import Exhibit, Lesson

LESSON = Lesson(
    what=(
        "Two stretches of sound, **A** and **B**, heard by one model: two words of a recording, the same word from two "
        "voices, or two recordings. What stays from A to B is the **habit** of a head; what changes, it took from the "
        "**sound**. And frames that the model takes for the same sound are *alike*, whoever said them."
    ),
    equation=(
        r"\begin{split} s_{ij} &= \frac{(x_i - m) \cdot (y_j - m)}{\lvert x_i - m \rvert \, \lvert y_j - m \rvert} \\ "
        r"P(d) &= \operatorname{mean}_i \, A_{i,\,i+d} \end{split}"
    ),
    symbols=(
        (r"x_i,\ y_j", "frame i of A and frame j of B, as they leave the layer"),
        (r"m", "the mean frame of the clip or clips: what all have in common"),
        (r"s_{ij}", "the cosine between them: 1 is the same direction, 0 nothing in common"),
        (r"P(d)", "how much a frame looks at what lies d away from it, on average"),
    ),
    try_this=(
        "Take the sample *Two voices*: A and B are one word from a low and from a high voice. A warm diagonal in the "
        "second picture is the model hearing the same sounds in the same order. Is it there in layer 0, and in the "
        "top layer? Then choose another word for B, and see it go."
    ),
)


def exhibits(a: Stretch, b: Stretch, palette: Palette, layer: int, head: int) -> Iterator[Exhibit]:
    """Yield where both look, which of their frames are alike, and how far the heads look in each.

    Raises: ValueError for stretches of different models; IndexError for a layer or head that is not there.
    """
    spans = np.stack([spans_ms(one, layer).numpy() for one in (a, b)])
    yield Exhibit(
        "side_by_side_maps",
        stretch_maps(a, b, layer, head, palette=palette),
        f"The rows of head {head} for the frames of A and of B, under what is around them. A frame of A looks "
        f"{_distance(spans[0, head])} away on average, one of B {_distance(spans[1, head])}.",
        lambda: _maps(a, b, layer, head),
    )
    cosines, every = similarity(a, b, layer)
    thinned = "" if every == (1, 1) else f" Of A one frame in {every[0]} is drawn, of B one in {every[1]}."
    yield Exhibit(
        "side_by_side_similarity",
        frame_similarity(a, b, layer, palette),
        f"Frames as they leave layer {layer}. A frame of A finds its likest in B at a cosine of "
        f"{_signed(float(cosines.amax(dim=1).mean()))} on average; two frames taken at random are at "
        f"{_signed(float(cosines.mean()))}.{thinned}",
        lambda: {"cosine": cosines.numpy(), "times_a": _times(a)[:: every[0]], "times_b": _times(b)[:: every[1]]},
        share=0.5,
    )
    profiles = [distance_profile(one, layer, head) for one in (a, b)]
    yield Exhibit(
        "side_by_side_reach",
        stretch_reach(a, b, layer, head, palette),
        f"On average a frame of A gives most to {_peak(profiles[0])}, one of B to {_peak(profiles[1])}. "
        f"{_describe_spans(spans, layer)}",
        lambda: _reach(profiles, spans),
        share=0.5,
    )


def _reach(profiles: Sequence[DistanceProfile], spans: np.ndarray) -> dict[str, np.ndarray]:
    arrays = {"span_ms_a": spans[0], "span_ms_b": spans[1]}
    for letter, (distances, weights) in zip("ab", profiles, strict=True):
        arrays |= {f"distances_ms_{letter}": distances.numpy(), f"mean_weight_{letter}": weights.numpy()}
    return arrays


def _maps(a: Stretch, b: Stretch, layer: int, head: int) -> dict[str, np.ndarray]:
    arrays = {}
    for letter, one in (("a", a), ("b", b)):
        weights, keys, (down, across) = stretch_map(one, layer, head)
        arrays[f"weights_{letter}"] = weights.numpy()
        arrays[f"query_times_{letter}"] = _times(one)[::down]
        arrays[f"key_times_{letter}"] = one.trace.frame_times[keys].numpy()[::across]
    return arrays


def _times(stretch: Stretch) -> np.ndarray:
    return stretch.trace.frame_times[stretch.start : stretch.stop].numpy()


def _peak(profile: DistanceProfile) -> str:
    place = int(profile.weights.argmax())
    distance, weight = float(profile.distances_ms[place]), float(profile.weights[place])
    return f"{f'what lies {name_place(distance)}' if distance else 'itself'} ({weight:.3f})"


def _describe_spans(spans: np.ndarray, layer: int) -> str:
    """Say which head looks as far in both, and which does not."""
    if not spans.any():
        return f"In layer {layer} every frame looks at itself alone."
    factors = np.exp(np.abs(np.diff(np.log(np.maximum(spans, 1e-3)), axis=0)[0]))
    least, most = int(factors.argmin()), int(factors.argmax())
    return (
        f"Of the heads of layer {layer}, head {least} looks about as far in both ({_distance(spans[0, least])} and "
        f"{_distance(spans[1, least])}); head {most} differs most ({_distance(spans[0, most])} in A, "
        f"{_distance(spans[1, most])} in B)."
    )


def _distance(milliseconds: np.floating) -> str:
    return duration(float(milliseconds))


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-0.00", "0.00").replace("-", "−")
