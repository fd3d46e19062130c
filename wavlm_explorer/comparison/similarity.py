"""How alike two models' hidden states are on the same clip, whatever their widths."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

MAX_FRAMES = 1024  # of a longer clip so many, evenly spaced, go into CKA: it needs frames x frames for every state


def linear_cka(
    a: Float[Tensor, "states_a frames width_a"], b: Float[Tensor, "states_b frames width_b"]
) -> Float[np.ndarray, "states_a states_b"]:
    """Linear centred kernel alignment of every state of one model with every state of another.

    With X and Y the states, each channel's mean over the frames taken off:  ||Y'X||^2 / (||X'X|| ||Y'Y||), in the
    Frobenius norm. 1 means alike up to a rotation, a reflection and one scale; 0 means unrelated. NaN where a state is
    the same in all frames.

    With fewer frames than channels even unrelated states come out well above 0: see `debiased_cka`.

    Source: Kornblith et al., arXiv 1905.00414, section 3.
    """
    return _align(a, b, _inner)


def debiased_cka(
    a: Float[Tensor, "states_a frames width_a"], b: Float[Tensor, "states_b frames width_b"]
) -> Float[np.ndarray, "states_a states_b"]:
    """Linear CKA with an estimate of each term that expects 0 of unrelated states, however few the frames.

    It can fall a little below 0. NaN for fewer than 4 frames, or where a state is the same in all frames.

    Source: Nguyen et al., arXiv 2010.15327, equation 3; the estimator is Song et al.'s, JMLR 13 (2012), section 3.
    """
    return _align(a, b, _debiased_inner)


def mean_cosine(
    a: Float[Tensor, "states frames width"], b: Float[Tensor, "states frames width"]
) -> Float[np.ndarray, " states"]:
    """Mean over the frames of the cosine between the two models' states, channel by channel.

    It means something only where the channels correspond, as between a model and what was fine-tuned from it.
    """
    return torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=-1).mean(dim=-1).numpy()


@dataclass(frozen=True)
class _Gram:
    """Inner products between the frames of one centred state."""

    products: Float[Tensor, "frames frames"]
    diagonal: Float[Tensor, " frames"]
    row_sums: Float[Tensor, " frames"]  # without the diagonal


def _gram(state: Float[Tensor, "frames width"]) -> _Gram:
    centred = state.double() - state.double().mean(dim=0)
    products = centred @ centred.T
    diagonal = products.diagonal()
    return _Gram(products, diagonal, products.sum(dim=1) - diagonal)


def _inner(x: _Gram, y: _Gram) -> float:
    """||Y'X||^2 is the inner product of the two matrices of inner products."""
    return float((x.products * y.products).sum())


def _debiased_inner(x: _Gram, y: _Gram) -> float:
    """As `_inner`, without bias: the diagonals are left out, and what that leaves in the means is taken off."""
    n = len(x.diagonal)
    if n < 4:
        return float("nan")
    off_diagonal = _inner(x, y) - float(x.diagonal @ y.diagonal)
    means = float(x.row_sums.sum() * y.row_sums.sum()) / ((n - 1) * (n - 2))
    return (off_diagonal + means - 2 * float(x.row_sums @ y.row_sums) / (n - 2)) / (n * (n - 3))


def _align(a: Tensor, b: Tensor, inner) -> np.ndarray:
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"expected states of equally many frames; found {a.shape[1]} and {b.shape[1]}")
    frames = torch.linspace(0, a.shape[1] - 1, min(a.shape[1], MAX_FRAMES)).round().long()
    columns = [_gram(state[frames]) for state in b]
    own = [inner(column, column) for column in columns]
    rows = []
    for state in a:
        row = _gram(state[frames])
        scale = inner(row, row)
        rows.append([_share(inner(row, column), scale * other) for column, other in zip(columns, own, strict=True)])
    return np.array(rows)


def _share(inner: float, product: float) -> float:
    return inner / product**0.5 if product > 0 else float("nan")
