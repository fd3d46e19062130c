"""Every command: its help, its answers, its exit codes."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from commands import call

import wavlm_explorer as wx
from wavlm_explorer.cli import COMMANDS
from wavlm_explorer.notation import FORMS


def test_help_answers_before_anything_large_is_imported():
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom wavlm_explorer.cli import app, COMMANDS\n"
        "for words in (['--help'], *([name, '--help'] for name in COMMANDS), ['--version']):\n"
        "    assert CliRunner().invoke(app, words).exit_code == 0\n"
        "print(*{'torch', 'numpy', 'matplotlib', 'streamlit', 'transformers', 'av'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_examples(name):
    code, output, _ = call(name, "--help")
    assert code == 0
    assert output.count(f"wavlm-explorer {name}") >= 2
    assert name == "run" or "Exit code:" in output


def test_version():
    code, output, _ = call("--version")
    assert code == 0
    assert output.startswith("wavlm-explorer ")


def test_diff_of_the_same_in_two_layouts(files):
    code, output, trouble = call("diff", files / "a.pt", files / "hub")
    assert code == 0
    assert "Both are the same model" in output
    assert trouble == ""


def test_diff_says_what_moved(files):
    code, output, _ = call("diff", files / "a.pt", files / "b.pt")
    assert code == 1
    assert "encoder.layers.1.fc2.weight" in output
    for words in ("What moved", "Hidden states on sentence", "Jensen-Shannon", "10%"):
        assert words in output


def test_diff_marks_what_has_no_counterpart_in_words_too(files):
    code, output, _ = call("diff", files / "a.pt", files / "broken.pt")
    assert code == 1
    (line,) = (line for line in output.splitlines() if line.startswith("-  "))
    assert "only in A" in line
    assert "encoder.layers.1.fc2.weight" in line
    assert "They were not run on a clip" in output


def test_json_is_all_that_stands_on_stdout(files, tmp_path):
    for arguments in (
        ("diff", files / "a.pt", files / "b.pt", "--json", "--html", tmp_path / "diff.html"),
        ("doctor", files / "a.pt", "--json", "--html", tmp_path / "doctor.html"),
    ):
        _, output, trouble = call(*arguments)
        content = json.loads(output)
        assert content["summary"]
        assert trouble.count("Written: ") == 1
    assert (tmp_path / "diff.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "doctor.html").read_text().startswith("<!doctype html>")


def test_doctor_leaves_with_its_reports_exit_code(files):
    report = wx.doctor(files / "broken.pt")
    code, output, _ = call("doctor", files / "broken.pt")
    assert code == report.exit_code == 2
    assert "error" in output
    for finding in report.findings:
        assert finding.check in output
    assert f"{len(report.checks)} checks:" in output
    code, output, _ = call("doctor", "nano")
    assert code == 0, output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("diff", "a.pt", "nothing.pt"), "nothing.pt"),
        (("diff", "a.pt", "text.pt"), "text.pt"),
        (("diff", "a.pt", "b.pt", "--audio", "nothing.wav"), "nothing.wav"),
        (("diff", "a.pt", "b.pt", "--audio", "text.pt"), "text.pt"),
        (("diff", "a.pt", "b.pt", "--set", "normalize=maybe"), "expected true or false"),
        (("diff", "a.pt", "b.pt", "--set", "colour=red"), "expected FIELD=VALUE"),
        (("doctor", "a.pt", "--audio", "nothing.wav"), "nothing.wav"),
        (("convert", "text.pt", "new.pt"), "hello"),
        (("convert", "a.pt", "missing/new.pt"), "There is no folder"),
        (("convert", "a.pt", "b.pt"), "--force"),
        (("convert", "a.pt", "hub"), "--force"),
        (("convert", "a.pt", "new.safetensors"), "is a folder"),
        (("convert", "a.pt", "b.pt", "--to", "huggingface", "--force"), "is a folder"),
        (("report", "nothing.wav"), "nothing.wav"),
        (("report", "text.pt"), "text.pt"),
        (("report",), "Missing argument"),
        (("report", "text.pt", "--page", "gates"), "expected some of attention, buckets, "),
        (("report", "text.pt", "--what-if", "gate two"), "--what-if 'gate two': value: expected a number"),
        (("report", "text.pt", "--page", "gate", "--what-if", "gate 1"), "expected --page what-if beside it"),
        (("compare",), "No such command"),
        (("convert", "a.pt", "new.pt", "--to", "onnx"), "microsoft"),
        (("run", "--folder", "nothing"), "does not exist"),
    ],
)
def test_trouble_is_a_message_on_stderr_and_exit_code_2(files, monkeypatch, arguments, words):
    monkeypatch.chdir(files)
    if words == "hello":
        words = "Expected"
    before = sorted(path.name for path in files.iterdir())
    code, output, trouble = call(*arguments)
    assert code == 2
    assert output == ""
    assert words in " ".join(trouble.replace("│", " ").split())
    assert "Traceback" not in trouble
    assert sorted(path.name for path in files.iterdir()) == before


def test_report_writes_a_page(files, tmp_path):
    import av

    path = tmp_path / "voice.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        noise = (3000 * np.random.default_rng(0).standard_normal((1, 16_000))).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(noise, "s16", "mono")
        frame.rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    options = ("--model", files / "a.pt", "--start", 0.25, "--duration", 0.5, "--page", "gate", "--layer", 2)
    arguments = ("report", path, *options)
    code, output, trouble = call(*arguments, "-o", tmp_path / "out.html")
    assert (code, output) == (0, "")
    assert "Written: " in trouble
    page = (tmp_path / "out.html").read_text()
    assert "voice.wav through a.pt" in page
    assert "0.25 to 0.75 s, 24 frames" in page
    assert page.count("</h2>") == page.count(">Gate</h2>") == 1
    assert call(*arguments[:-1], 3, "-o", tmp_path / "none.html")[0] == 2
    assert not (tmp_path / "none.html").exists()
    changes = ("--page", "what-if", "--what-if", "head off in layer 1", "--what-if", "skip layer 2")
    assert call("report", path, "--model", files / "a.pt", *changes, "-o", tmp_path / "changed.html")[0] == 0
    page = (tmp_path / "changed.html").read_text()
    assert "head off in layer 1; skip layer 2" in page
    assert "Changed: <code>head off in layer 1</code>, <code>skip layer 2</code>. The output moves" in page
    code, _, trouble = call("report", path, "--model", files / "a.pt", "--what-if", "skip layer 3")
    assert code == 2
    assert "--what-if 'skip layer 3': layer 3 is out of range" in trouble


def test_help_names_every_change():
    _, output, _ = call("report", "--help")
    words = " ".join(output.split())
    for form in FORMS:
        assert re.search(rf"{form.shape}([,:.]| \()", words), form.shape
