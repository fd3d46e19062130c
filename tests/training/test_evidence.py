"""The measuring of the bundled model, on maps and sounds whose answer is known."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch

from training.birth import quantise
from training.card import END, START, renew_tables, table
from training.heads import EXEMPLARS, exemplars, flat_mass, lags, local_lift, mass, scores, silent_frames
from training.phones import chance, frame_phones, neighbour_agreement, purity
from training.targets import cluster
from wavlm_explorer import Audio, Trace
from wavlm_explorer.sound_classes import Clusters, cepstra

NUM_FRAMES = 200


def shifted(lag: int) -> torch.Tensor:
    """A map that puts every query's mass `lag` frames away (on the edge frame where there is none)."""
    keys = (torch.arange(NUM_FRAMES) + lag).clamp(0, NUM_FRAMES - 1)
    return torch.nn.functional.one_hot(keys, NUM_FRAMES).float()


def fake_trace(*maps: torch.Tensor, audio: Audio | None = None) -> Trace:
    """One layer whose heads have the given maps."""
    layer = torch.stack(maps)
    return cast("Trace", SimpleNamespace(num_layers=1, num_frames=NUM_FRAMES, attention=lambda _: layer, audio=audio))


def tones_and_silence() -> Audio:
    """Four seconds: half a second each of two tones in turn, the third quarter of the clip silent."""
    times = np.arange(NUM_FRAMES * 320 + 80) / 16_000
    pitch = np.where(times % 1.0 < 0.5, 300, 1500)
    samples = np.sin(2 * np.pi * pitch * times) * 0.3
    samples[(times >= 2.0) & (times < 3.0)] *= 1e-4
    return Audio.from_samples(samples.astype(np.float32), 16_000)


def test_mass_counts_what_falls_on_the_pairs() -> None:
    behind = lags(NUM_FRAMES) < 0
    flat = torch.full((1, NUM_FRAMES, NUM_FRAMES), 1 / NUM_FRAMES)
    assert mass(flat, behind).item() == pytest.approx(flat_mass(behind))
    assert mass(shifted(-3)[None], behind).item() == pytest.approx(1.0)
    assert mass(shifted(3)[None], behind).item() == 0.0


def test_near_heads_are_local_and_flat_ones_are_not() -> None:
    flat = torch.full((NUM_FRAMES, NUM_FRAMES), 1 / NUM_FRAMES)
    lift = local_lift(fake_trace(flat, shifted(2), shifted(40)))[0]
    assert lift[0].item() == pytest.approx(1.0)
    assert lift[1] > 9
    assert lift[2] < 3


def test_planted_heads_are_found() -> None:
    audio = tones_and_silence()
    features = cepstra(torch.tensor(audio.samples))
    clusters = cluster(features, num_classes=4)
    silent = silent_frames(audio)
    assert silent[105:145].all()
    assert not silent[:95].any()
    same = clusters.assign(features)[:, None] == clusters.assign(features)
    far_past = (lags(NUM_FRAMES) < -30).float() + torch.eye(NUM_FRAMES) * 1e-3
    planted = {
        "looks back": shifted(-4),
        "looks ahead": shifted(4),
        "past only": far_past / far_past.sum(1, keepdim=True),
        "similar sounds": same / same.sum(1, keepdim=True),
        "silence": silent.float().expand(NUM_FRAMES, -1) / silent.sum(),
        "avoids silence": (~silent).float().expand(NUM_FRAMES, -1) / (~silent).sum(),
        "two-sided": (shifted(-20) + shifted(20)) / 2,
    }
    maps = [torch.full((NUM_FRAMES, NUM_FRAMES), 1 / NUM_FRAMES), *reversed(planted.values())]
    found = exemplars([scores(fake_trace(*maps, audio=audio), clusters)])
    assert [exemplar.name for exemplar in found] == list(EXEMPLARS)
    assert [(exemplar.layer, exemplar.head) for exemplar in found] == [(0, head) for head in range(7, 0, -1)]


def test_quantised_maps_come_back_within_half_a_step() -> None:
    maps = torch.softmax(torch.randn(2, 3, 20, 20, generator=torch.Generator().manual_seed(0)) * 4, dim=-1)
    cells, peaks = quantise(maps)
    restored = cells / 255 * peaks.astype(np.float32)[..., None]
    assert cells.dtype == np.uint8
    assert (np.abs(restored - maps.numpy()) <= peaks.astype(np.float32)[..., None] * (0.5 / 255 + 1e-3)).all()


def test_separable_phones_are_pure_and_scrambled_ones_are_not() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 5, (600,), generator=generator)
    features = torch.eye(5)[labels] * 10 + torch.randn(600, 5, generator=generator) * 0.1
    scrambled = labels[torch.randperm(600, generator=generator)]
    assert purity(features, labels) == pytest.approx(1.0)
    assert neighbour_agreement(features, labels) == pytest.approx(1.0)
    assert purity(features, scrambled) < 0.6
    assert neighbour_agreement(features, scrambled) < chance(labels) + 0.1


def test_frames_get_the_phone_at_their_centre() -> None:
    phones = "".join(
        f'intervals [{i}]:\n xmin = {start}\n xmax = {end}\n text = "{label}"\n'
        for i, (start, end, label) in enumerate([(0, 0.125, ""), (0.125, 0.25, "ŋ"), (0.25, 0.5, "s")], start=1)
    )
    word = 'intervals [1]:\n xmin = 0\n xmax = 0.5\n text = "word"\n'
    grid = f"item []:\n item [1]:\n xmin = 0\n xmax = 0.5\n {phones} item [2]:\n {word}"
    assert frame_phones(grid, torch.tensor([0.0, 0.125, 0.2, 0.25, 0.4, 0.5])) == ["", "ŋ", "ŋ", "s", "s", ""]


def test_tables_are_renewed_between_the_marks_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = tmp_path / "card.md"
    card.write_text(f"before\n{START}\nold\n{END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        monkeypatch.setattr("training.card.tables", lambda _: table(["a", "b"], [["1", "2"]]))
        renew_tables(card, {})
        text = f"before\n{START}\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n{END}\nafter\n"
        assert card.read_text(encoding="utf-8") == text
    card.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="once each"):
        renew_tables(card, {})


def test_clusters_are_measured_on_scaled_features() -> None:
    clusters = Clusters(torch.tensor([100.0, 0.0]), torch.tensor([50.0, 1.0]), torch.tensor([[0.0, -1.0], [0.0, 1.0]]))
    assert clusters.assign(torch.tensor([[500.0, -0.5], [-300.0, 0.5]])).tolist() == [0, 1]
