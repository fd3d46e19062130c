"""CKA and cosine, against numpy and their invariances."""

import numpy as np
import pytest
import torch
from scipy.stats import ortho_group

from wavlm_explorer.comparison.similarity import MAX_FRAMES, debiased_cka, linear_cka, mean_cosine


def states(num_states, num_frames, width, seed=0):
    return torch.randn(num_states, num_frames, width, generator=torch.Generator().manual_seed(seed))


def cka_of_features(x, y):
    """Equation 4 of arXiv 1905.00414's appendix form, over channels rather than frames."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    norm = np.linalg.norm
    return norm(y.T @ x) ** 2 / (norm(x.T @ x) * norm(y.T @ y))


def u_centred(x):
    """A matrix of inner products, U-centred: Song et al.'s estimator is then a mean of products."""
    k = x @ x.T
    n = len(k)
    np.fill_diagonal(k, 0)
    k = k - k.sum(0) / (n - 2) - k.sum(1)[:, None] / (n - 2) + k.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(k, 0)
    return k


@pytest.mark.parametrize("num_frames", [9, 40])
def test_every_pair_is_as_numpy_has_it(num_frames):
    a, b = states(3, num_frames, 16), states(2, num_frames, 24, seed=1)
    cka, debiased = linear_cka(a, b), debiased_cka(a, b)
    assert cka.shape == debiased.shape == (3, 2)
    for i, j in np.ndindex(3, 2):
        x, y = a[i].double().numpy(), b[j].double().numpy()
        assert cka[i, j] == pytest.approx(cka_of_features(x, y))
        k, m = u_centred(x), u_centred(y)
        assert debiased[i, j] == pytest.approx((k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum()))


@pytest.mark.parametrize("measure", [linear_cka, debiased_cka])
def test_rotation_scale_and_offset_change_nothing(measure):
    a, b = states(2, 30, 8), states(2, 30, 8, seed=1)
    rotation = torch.tensor(ortho_group.rvs(8, random_state=0), dtype=torch.float32)
    moved = 5 * b @ rotation + 3
    assert measure(a, moved) == pytest.approx(measure(a, b), abs=1e-5)
    assert np.diagonal(measure(b, moved)) == pytest.approx([1, 1], abs=1e-5)
    stretched = b * torch.linspace(0.1, 10, 8)
    assert measure(a, stretched) != pytest.approx(measure(a, b), abs=1e-3)


def test_few_frames_make_unrelated_states_look_alike_but_not_without_bias():
    a, b = states(4, 12, 200), states(4, 12, 200, seed=1)
    assert linear_cka(a, b).min() > 0.7
    assert abs(debiased_cka(a, b).mean()) < 0.05


def test_what_has_no_answer_is_nan():
    still = torch.ones(1, 10, 4)
    assert np.isnan(linear_cka(still, states(1, 10, 4))).all()
    assert np.isnan(debiased_cka(states(1, 3, 4), states(1, 3, 4))).all()
    with pytest.raises(ValueError, match="found 3 and 4"):
        linear_cka(states(1, 3, 4), states(1, 4, 4))


def test_a_long_clip_is_thinned_out_evenly():
    a, b = states(1, 3 * MAX_FRAMES, 3), states(1, 3 * MAX_FRAMES, 3, seed=1)
    frames = np.linspace(0, 3 * MAX_FRAMES - 1, MAX_FRAMES).round().astype(int)
    expected = cka_of_features(a[0].double().numpy()[frames], b[0].double().numpy()[frames])
    assert linear_cka(a, b)[0, 0] == pytest.approx(expected)


def test_cosine_is_averaged_over_frames():
    a, b = states(2, 5, 6), states(2, 5, 6, seed=1)
    x, y = a.double().numpy(), b.double().numpy()
    expected = ((x * y).sum(-1) / np.linalg.norm(x, axis=-1) / np.linalg.norm(y, axis=-1)).mean(-1)
    assert mean_cosine(a, b) == pytest.approx(expected)
    assert mean_cosine(a, -2 * a) == pytest.approx([-1, -1])
