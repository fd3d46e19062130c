"""Sources that are no checkpoints, or only half of one: a report in every case, and nothing is run."""

import argparse
import dataclasses
import io
import os
import pickle
from pathlib import Path

import pytest
import torch

import wavlm_explorer
from wavlm_explorer.checkpoints import load_model
from wavlm_explorer.checkpoints.contents import Contents
from wavlm_explorer.diagnosis import doctor

NANO = Path(wavlm_explorer.__file__).parent / "assets/nano/nano.pt"


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def only_finding(report):
    assert report.exit_code == 2
    assert not report.ok
    assert [finding.check for finding in report.findings] == ["readable"]
    return report.findings[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 377617425\n", "Git LFS"),
        (b"\n<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (b"RIFF....WAVE", "sound"),
        (bytes(1000), "zeros"),
        (NANO.read_bytes()[:1_000_000], ""),
        (NANO.read_bytes()[1_000_000:], ""),
        (bytes(range(256)) * 10, ""),
        (b"PK\x03\x04 and no more", ""),
        (b'{"a": {"dtype": "F32"}}', ""),
        (pickle.dumps({"a": 1}), ""),
    ],
    ids=["empty", "lfs", "html", "gzip", "wav", "zeros", "first part", "last part", "noise", "zip", "json", "pickle"],
)
@pytest.mark.parametrize("as_path", [True, False], ids=["path", "bytes"])
def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path, content, words, as_path):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    finding = only_finding(doctor(path if as_path else content))
    assert words in finding.found
    assert finding.advice


@pytest.mark.parametrize("source", [None, 3, {}, [], {"model": {}}, "no/such/file.pt", "/", b"x", io.BytesIO(b"y")])
def test_nonsense_gets_a_report(source):
    report = doctor(source)
    assert only_finding(report).found
    assert report.to_json()
    assert report.to_html()


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.pt")
    assert "neither" in only_finding(doctor(tmp_path / "pipe.pt")).found


def test_what_is_no_source_is_said_in_words():
    assert "found list" in only_finding(doctor([])).found  # pyright: ignore[reportArgumentType]


def test_of_thousands_of_findings_a_few_are_shown_and_all_are_counted():
    content = nano_content()
    content["model"] |= {f"stranger{index}": torch.zeros(1) for index in range(1000)}
    found = [finding for finding in doctor(content).findings if finding.check == "unexpected-tensors"]
    assert len(found) == 21
    assert found[-1].found == "980 more of this kind."


def test_an_adapter_that_was_not_merged_is_known():
    content = nano_content()
    content["model"]["encoder.layers.0.self_attn.q_proj.lora_A.weight"] = torch.zeros(8, 192)
    assert "merge_and_unload" in next(one.advice for one in doctor(content).findings if one.severity == "error")


def test_another_sampling_rate_is_a_warning():
    content = Contents("x", "Hugging Face folder", nano_content(), preprocessor={"sampling_rate": 8000})
    assert [one.where for one in doctor(content).findings if one.check == "frame-rate"] == ["sampling_rate"]


def test_an_override_that_is_no_field_is_the_callers_mistake():
    with pytest.raises(TypeError, match="no field"):
        doctor("nano", max_distances=800)


def test_overrides_are_used_and_noted():
    report = doctor("nano", layer_norm_first=True)
    assert {"overridden", "norm-order"} <= {finding.check for finding in report.findings}


def saved(content):
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def nano_content():
    model = load_model("nano", device="cpu")
    return {"cfg": dataclasses.asdict(model.config), "model": dict(model.state_dict())}


def test_code_in_a_file_is_an_error_and_is_not_run(tmp_path):
    marker = tmp_path / "was_run"
    report = doctor(saved({**nano_content(), "extra": Payload(marker)}))
    assert ("error", "code-in-file") in {(finding.severity, finding.check) for finding in report.findings}
    assert not marker.exists()


def test_objects_of_training_code_are_a_note():
    report = doctor(saved({**nano_content(), "args": argparse.Namespace(lr=1e-3)}))
    assert report.exit_code == 0
    assert "argparse.Namespace" in next(item.found for item in report.findings if item.check == "foreign-objects")


def test_a_second_encoder_is_compared():
    content = nano_content()
    content["ema"] = {name: tensor * 1.01 for name, tensor in content["model"].items()}
    report = doctor(saved(content))
    assert "differ" in next(item.found for item in report.findings if item.check == "copies")


def test_progress_is_told():
    shares = []
    doctor("nano", progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
