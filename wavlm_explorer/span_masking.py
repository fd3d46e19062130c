"""Which frames pre-training hides: spans drawn at random."""

import numpy as np
from jaxtyping import Bool
from torch import Tensor


def compute_mask_indices(
    shape: tuple[int, int],
    padding_mask: Bool[Tensor, "batch frames"] | None,
    mask_prob: float,
    mask_length: int,
    mask_type: str = "static",
    mask_other: float = 0.0,
    min_masks: int = 0,
    no_overlap: bool = False,
    min_space: int = 0,
) -> Bool[np.ndarray, "batch frames"]:
    """Draw spans to hide, from numpy's global generator; true where hidden, equally many in every row.

    shape: (batch, frames).
    mask_prob: how much of a row the spans would cover if none overlapped; they do, unless `no_overlap`.
    mask_type: the spans' lengths, in frames: "static" (mask_length), "uniform" (mask_other to 2 mask_length), "normal"
        (mean mask_length, deviation mask_other) or "poisson" (mean mask_length).
    min_masks: spans a row has at least. min_space: frames kept between spans that may not overlap.

    Raises: ValueError for an unknown mask_type.
    Source: wav2vec 2.0, fairseq `data/data_utils.py`; the draws are its draws, in its order, except with `no_overlap`.
    """
    batch, num_frames = shape
    num_spans = max(min_masks, _random_round(mask_prob * num_frames / mask_length))
    rows = []
    for row in range(batch):
        length = num_frames
        if padding_mask is not None:
            length -= int(padding_mask[row].sum())
            num_spans = max(min_masks, _random_round(mask_prob * length / mask_length))
        spans = _draw_lengths(num_spans, mask_type, mask_length, mask_other)
        if num_spans > 0 and spans.sum() == 0:
            spans[0] = min(mask_length, length - 1)
        place = _place_apart if no_overlap else _place_anywhere
        hidden = place(spans, length, min_space)
        rows.append(np.unique(hidden[hidden < length]))
    num_hidden = min(len(row) for row in rows)
    mask = np.zeros(shape, dtype=bool)
    for index, row in enumerate(rows):
        kept = row if len(row) == num_hidden else np.random.choice(row, num_hidden, replace=False)  # noqa: NPY002
        mask[index, kept] = True
    return mask


def _random_round(number: float) -> int:
    """Round up or down at random, so that the mean is kept."""
    return int(number + np.random.rand())  # noqa: NPY002


def _draw_lengths(num_spans: int, mask_type: str, mask_length: int, mask_other: float) -> np.ndarray:
    if mask_type == "static":
        return np.full(num_spans, mask_length)
    if mask_type == "uniform":
        return np.random.randint(int(mask_other), mask_length * 2 + 1, size=num_spans)  # noqa: NPY002
    if mask_type == "normal":
        return np.maximum(1, np.rint(np.random.normal(mask_length, mask_other, size=num_spans)).astype(int))  # noqa: NPY002
    if mask_type == "poisson":
        return np.random.poisson(mask_length, size=num_spans)  # noqa: NPY002
    raise ValueError(f"mask_type: expected static, uniform, normal or poisson; found {mask_type!r}")


def _place_anywhere(spans: np.ndarray, length: int, min_space: int) -> np.ndarray:
    """Frames under spans whose starts are drawn without replacement; spans may overlap."""
    if len(spans) == 0:
        return np.zeros(0, dtype=int)
    shortest = int(spans.min())
    if length - shortest <= len(spans):
        shortest = length - len(spans) - 1
    starts = np.random.choice(length - shortest, len(spans), replace=False)  # noqa: NPY002
    return np.concatenate([start + np.arange(span) for start, span in zip(starts, spans, strict=True)])


def _place_apart(spans: np.ndarray, length: int, min_space: int) -> np.ndarray:
    """Frames under spans, longest first, each put into a gap drawn by its size, `min_space` frames apart."""
    gaps, hidden = [(0, length)], [np.zeros(0, dtype=int)]
    for span in sorted(spans.tolist(), reverse=True):
        sizes = np.array([stop - start if stop - start >= span + min_space else 0 for start, stop in gaps])
        if sizes.sum() == 0:
            break
        start, stop = gaps.pop(int(np.random.choice(len(gaps), p=sizes / sizes.sum())))  # noqa: NPY002
        first = int(np.random.randint(start, stop - span + 1))  # noqa: NPY002
        hidden.append(np.arange(first, first + span))
        gaps += [gap for gap in ((start, first - min_space), (first + span + min_space, stop)) if gap[1] > gap[0]]
    return np.concatenate(hidden)
