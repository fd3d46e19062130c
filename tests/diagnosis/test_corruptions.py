"""Every way of spoiling a trained checkpoint that we could think of is named, and named by the right check."""

import dataclasses

import pytest
from corruptions import CORRUPTIONS

from wavlm_explorer.checkpoints import load_model
from wavlm_explorer.diagnosis import doctor
from wavlm_explorer.samples import load_sample


@pytest.fixture(scope="module")
def nano():
    return load_model("nano", device="cpu")


@pytest.fixture(scope="module")
def clip():
    audio = load_sample("sentence")
    return dataclasses.replace(audio, samples=audio.samples[8_000:24_000])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_named(name, nano, clip):
    check, spoil = CORRUPTIONS[name]
    cfg, state = dataclasses.asdict(nano.config), {key: tensor.clone() for key, tensor in nano.state_dict().items()}
    spoil(cfg, state)
    report = doctor({"cfg": cfg, "model": state}, clip)
    serious = {finding.check for finding in report.findings if finding.severity != "note"}
    assert check in serious
    assert report.exit_code > 0
    assert not [finding for finding in report.findings if "could not be made" in finding.found]


def test_there_are_more_than_a_hundred_of_them():
    assert len(CORRUPTIONS) > 100
