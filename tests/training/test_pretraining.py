"""Training in small: targets in step with frames, a loss that falls, a run that a kill does not change."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from training import loop
from training.bundle import read_bundle, write_bundle
from training.loop import Run, read_curve, save_whole, snapshot_steps
from training.noise import spoil
from training.pretraining import MaskedPrediction, batch, hidden_loss, make_optimizer, schedule, train_step, validate
from training.recipe import Recipe, nano_config
from training.speech import HOP, WINDOW, Speech, assign
from training.targets import NUM_CLASSES, cluster, layer_features, save_targets, speech_cepstra
from wavlm_explorer.config import WavLMConfig
from wavlm_explorer.sound_classes import cepstra
from wavlm_explorer.wavlm import WavLM

RECIPE = Recipe(num_steps=6, clips_per_step=4, frames_per_clip=40, warmup_steps=2)
TINY = WavLMConfig(
    conv_feature_layers="[(8,10,5)] + [(8,3,2)] * 4 + [(8,2,2)] * 2",
    encoder_layers=2,
    encoder_embed_dim=16,
    encoder_ffn_embed_dim=16,
    encoder_attention_heads=2,
    activation_fn="glu",
    conv_pos=4,
    conv_pos_groups=2,
    relative_position_embedding=True,
    gru_rel_pos=True,
    num_buckets=16,
    max_distance=32,
    dropout=0.0,
    attention_dropout=0.0,
)


def tiny_task() -> MaskedPrediction:
    torch.manual_seed(0)
    return MaskedPrediction(WavLM(TINY))


@pytest.fixture(scope="module")
def speech() -> Speech:
    """Twenty seconds of two "voices": beeps whose pitch changes every 0.1 s, the second voice an octave higher."""
    generator = np.random.default_rng(0)
    pitches = np.repeat(generator.choice([200, 300, 450, 700, 1000], 200), 1600)
    pitches[len(pitches) // 2 :] *= 2
    samples = np.sin(2 * np.pi * np.cumsum(pitches) / 16_000) * 8000 + generator.normal(0, 50, len(pitches))
    return Speech(samples.astype(np.int16), (0, 500))


@pytest.fixture(scope="module")
def classes(speech: Speech) -> torch.Tensor:
    features = speech_cepstra(speech)
    return cluster(features, num_passes=5).assign(features)


@pytest.mark.parametrize("num_samples", [400, 719, 720, 16_000, 47_999, 48_080])
def test_one_row_of_cepstra_for_every_frame_of_the_model(num_samples: int) -> None:
    assert cepstra(torch.randn(num_samples)).shape == (nano_config().num_frames(num_samples), 39)


def test_a_click_shows_in_the_frames_that_see_it() -> None:
    samples = torch.zeros(16_000)
    samples[HOP * 10 + WINDOW // 2] = 1.0
    statics = cepstra(samples)[:, :13]
    changed = (statics - statics[0]).abs().sum(1) > 1e-4
    assert changed.nonzero().flatten().tolist() == [10]  # its centre; the windows of 9 and 11 end before it


def test_classes_are_the_nearest_centres(speech: Speech) -> None:
    features = speech_cepstra(speech)
    clusters = cluster(features, num_passes=3)
    scaled = (features - clusters.mean) / clusters.scale
    expected = torch.cdist(scaled.double(), clusters.centres.double()).argmin(1)
    assert clusters.centres.shape == (NUM_CLASSES, 39)
    assert (clusters.assign(features) == expected).float().mean() > 0.999


def test_layer_features_have_a_row_for_every_frame(speech: Speech) -> None:
    model = tiny_task().model.eval()
    features = layer_features(model, speech, layer=1, num_frames=300)
    assert features.shape == (speech.num_frames, TINY.encoder_embed_dim)
    with torch.no_grad():
        piece, _ = model.extract_features(torch.from_numpy(speech.crop(300, 300))[None], output_layer=1)
    assert torch.equal(features[300:600], piece[0])


def test_crops_hold_one_voice_and_whole_frames(speech: Speech) -> None:
    starts = speech.random_starts(np.random.default_rng(1), 300, 40)
    assert len(starts) == 300
    assert all(start + 40 <= 500 or start >= 500 for start in starts)
    assert all(nano_config().num_frames(len(speech.crop(start, 40))) == 40 for start in starts)
    assert_array_equal(speech.crop(7, 2), speech.samples[7 * HOP : 8 * HOP + WINDOW] / np.float32(32768))
    with pytest.raises(IndexError, match="frames"):
        speech.crop(speech.num_frames - 1, 2)


def test_no_speaker_that_is_held_out_is_learned() -> None:
    assert {assign(index, "ru", everyone=False) for index in range(100)} == {"stranger"}
    assert {assign(index, "en", everyone=False) for index in range(100)} == {"train", "heldout"}
    assert {assign(index, "ru", everyone=True) for index in range(100)} == {"train", "heldout"}


def test_noise_spoils_its_share_and_at_most_half_of_a_clip(speech: Speech) -> None:
    clips = np.stack([speech.crop(start, 40) for start in range(0, 400, 2)])
    spoilt = spoil(np.random.default_rng(2), clips, share=0.25)
    changed = spoilt != clips
    assert 0.15 < changed.any(axis=1).mean() < 0.35
    assert changed.mean(axis=1).max() <= 0.5
    assert np.isfinite(spoilt).all()


def test_positions_alone_learn_fast_and_undecayed() -> None:
    task = tiny_task()
    fast = make_optimizer(task, RECIPE).param_groups[-1]
    names = {name for name, value in task.named_parameters() if any(value is other for other in fast["params"])}
    expected = {"model.encoder.layers.0.self_attn.relative_attention_bias.weight"} | {
        f"model.encoder.layers.{layer}.self_attn.{name}"
        for layer in range(2)
        for name in ("grep_a", "grep_linear.weight", "grep_linear.bias")
    }
    assert names == expected
    assert (fast["rate"], fast["weight_decay"]) == (20.0, 0.0)


def test_rate_rises_then_falls_to_nothing() -> None:
    rates = [schedule(step, Recipe(num_steps=1000)) for step in range(1000)]
    assert max(rates) == rates[149] == 1.0
    assert rates[0] < 0.01
    assert rates[-1] < 1e-5


def test_every_weight_is_reached_by_the_loss(speech: Speech, classes: torch.Tensor) -> None:
    task = tiny_task()
    clips, truth = batch(speech, classes, RECIPE, 0)
    logits, hidden = task(clips)
    hidden_loss(logits, hidden, truth)[0].backward()
    still = [name for name, value in task.named_parameters() if value.grad is None or not value.grad.any()]
    assert [name for name in still if not name.endswith("k_proj.bias")] == []  # which softmax cancels


def test_the_loss_of_a_fixed_batch_falls(speech: Speech, classes: torch.Tensor) -> None:
    task = tiny_task()
    optimizer = make_optimizer(task, RECIPE)
    clips, truth = batch(speech, classes, RECIPE, 0)
    losses = [train_step(task, optimizer, clips, truth, RECIPE, 1)[0] for _ in range(8)]
    assert losses[1] < losses[0]
    assert losses[-1] < losses[0] - 0.05


@pytest.mark.parametrize("training", [True, False])
def test_validation_repeats_itself_and_keeps_the_mode(speech: Speech, classes: torch.Tensor, training: bool) -> None:
    task = tiny_task().train(training)
    first, second = (validate(task, speech, classes, RECIPE, num_clips=8) for _ in range(2))
    assert first == second
    assert task.training is training


def finished(task: MaskedPrediction, folder: Path, labelled: loop.Labelled) -> Run:
    run = Run(task, RECIPE, folder, labelled, {"heldout": labelled})
    run.finish()
    return run


def test_a_killed_run_ends_with_the_same_weights(
    speech: Speech, classes: torch.Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 3)
    whole = finished(tiny_task(), tmp_path / "whole", (speech, classes))

    def killed(*arguments: object) -> tuple[float, float]:
        if arguments[-1] == 4:
            raise KeyboardInterrupt
        return train_step(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", killed)
        with pytest.raises(KeyboardInterrupt):
            finished(tiny_task(), tmp_path / "killed", (speech, classes))
    torch.manual_seed(99)
    resumed = finished(MaskedPrediction(WavLM(TINY)), tmp_path / "killed", (speech, classes))
    assert resumed.step == whole.step == 6
    assert resumed.task.state_dict().keys() == whole.task.state_dict().keys()
    for name, tensor in whole.task.state_dict().items():
        assert torch.equal(tensor, resumed.task.state_dict()[name]), name
    curves = [read_curve(tmp_path / name / "curve.csv") for name in ("whole", "killed")]
    assert [row["heldout"] for row in curves[0]] == [row["heldout"] for row in curves[1]]
    assert [row["step"] for row in curves[0]] == snapshot_steps(6)


def test_snapshots_are_twelve_and_span_the_run() -> None:
    steps = snapshot_steps(9000)
    assert len(steps) == 12
    assert (steps[0], steps[1], steps[-1]) == (0, 10, 9000)


def test_the_bundle_is_a_plain_microsoft_checkpoint(tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = MaskedPrediction(WavLM(nano_config()))
    save_whole({"task": task.state_dict(), "step": 3}, tmp_path / "last.pt")
    save_targets(tmp_path, {"train": torch.randn(500, 39)})
    write_bundle(tmp_path, tmp_path / "nano.pt")
    content = torch.load(tmp_path / "nano.pt", weights_only=True)
    assert content["cfg"]["normalize"] is False
    assert all(type(value) in (bool, int, float, str) for value in content["cfg"].values())
    assert (tmp_path / "nano.pt").stat().st_size < 10e6
    read, prediction = read_bundle(tmp_path / "nano.pt")
    assert prediction["centres"].shape == (NUM_CLASSES, 39)
    assert read.state_dict().keys() == task.state_dict().keys()
    for name, tensor in task.state_dict().items():
        assert torch.equal(read.state_dict()[name], tensor.half().float()), name
