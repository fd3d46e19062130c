"""The command line, in this process and as a user runs it."""

import copy
import dataclasses
import json
import os
import re
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
from models import make_model
from oracles import TINY
from typer.testing import CliRunner

import wavlm_explorer as wx
from wavlm_explorer.cli import COMMANDS, app, run
from wavlm_explorer.cli.options import read_settings
from wavlm_explorer.cli.terminal import clean

START = "from wavlm_explorer.cli import main; main()"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model, a copy whose layer 1 moved, the model in Hugging Face's layout, a broken one, and no model at all."""
    folder = tmp_path_factory.mktemp("cli")
    model = make_model()
    wx.save_model(model, folder / "a.pt")
    wx.save_model(model, folder / "hub")
    moved = copy.deepcopy(model)
    with torch.no_grad():
        moved.get_parameter("encoder.layers.1.fc2.weight").mul_(1.1)
    wx.save_model(moved, folder / "b.pt")
    broken = torch.load(folder / "a.pt", weights_only=True)
    del broken["model"]["encoder.layers.1.fc2.weight"]
    torch.save(broken, folder / "broken.pt")
    (folder / "text.pt").write_text("hello")
    return folder


def call(*arguments):
    """Run a command in this process: (exit code, stdout, stderr)."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def call_apart(*arguments, **environment):
    """Run a command as a user does."""
    command = [sys.executable, "-W", "error", "-c", START, *map(str, arguments)]
    variables = {**os.environ, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, env=variables)


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


def test_convert_there_and_back(files, tmp_path):
    code, output, trouble = call("convert", files / "a.pt", tmp_path / "hub")
    assert code == 0
    assert "read back and equal in every bit" in output
    assert sorted(path.name for path in (tmp_path / "hub").iterdir()) == [
        "config.json", "model.safetensors", "preprocessor_config.json",
    ]  # fmt: skip
    assert "feature_grad_mult = 1.0" in trouble
    assert call("convert", tmp_path / "hub", tmp_path / "back.pt")[0] == 0
    original, back = (torch.load(path, weights_only=True)["model"] for path in (files / "a.pt", tmp_path / "back.pt"))
    assert original.keys() == back.keys()
    assert all(torch.equal(original[name], back[name]) for name in original)
    assert call("convert", files / "b.pt", tmp_path / "back.pt", "--force")[0] == 0
    assert not torch.equal(
        torch.load(tmp_path / "back.pt", weights_only=True)["model"]["encoder.layers.1.fc2.weight"],
        original["encoder.layers.1.fc2.weight"],
    )


def test_convert_tells_what_is_left_behind_and_what_is_assumed(files, tmp_path):
    state = torch.load(files / "a.pt", weights_only=True)["model"]
    state = {f"wavlm.{name}": tensor.half() for name, tensor in state.items()} | {"lm_head.weight": torch.ones(3, 24)}
    torch.save(state, tmp_path / "bare.pt")
    code, _, trouble = call("convert", tmp_path / "bare.pt", tmp_path / "out.pt", "--set", "max_distance=60")
    assert code == 0
    assert "lm_head.weight" in trouble
    assert "Saved as float32; the file has float16" in trouble
    assert "normalize = " in trouble.partition("Assumed")[2]
    assert "max_distance" not in trouble.partition("Assumed")[2]
    assert torch.load(tmp_path / "out.pt", weights_only=True)["cfg"]["max_distance"] == 60


def test_convert_refuses_what_a_layout_cannot_express(tmp_path):
    wx.save_model(make_model(dataclasses.replace(TINY, activation_fn="glu")), tmp_path / "glu.pt")
    code, _, trouble = call("convert", tmp_path / "glu.pt", tmp_path / "folder")
    assert code == 2
    assert "glu" in trouble
    assert not (tmp_path / "folder").exists()


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
    arguments = ("report", path, "--model", files / "a.pt", "--start", 0.25, "--duration", 0.5, "--layer", 2)
    code, output, trouble = call(*arguments, "-o", tmp_path / "out.html")
    assert (code, output) == (0, "")
    assert "Written: " in trouble
    page = (tmp_path / "out.html").read_text()
    assert "voice.wav through a.pt" in page
    assert "0.25 to 0.75 s, 24 frames" in page
    assert call(*arguments[:-1], 3, "-o", tmp_path / "none.html")[0] == 2
    assert not (tmp_path / "none.html").exists()


def test_settings_have_the_types_of_their_fields():
    assert read_settings(["normalize=TRUE", "max_distance = 800", "dropout=0.5", "activation_fn=glu"]) == {
        "normalize": True, "max_distance": 800, "dropout": 0.5, "activation_fn": "glu",
    }  # fmt: skip
    assert read_settings(None) == {}
    for setting in ("max_distance=8.5", "dropout=much", "normalize", "=1"):
        with pytest.raises(ValueError, match="expected"):
            read_settings([setting])


def test_names_of_strangers_command_no_terminal(files, tmp_path):
    assert clean("a\x1b[31m\u202eb\n[red]") == "a\\x1b[31m\\u202eb\n[red]"
    evil = tmp_path / "\x1b[31m[bold red]\u202e.pt"
    evil.write_bytes((files / "b.pt").read_bytes())
    for arguments in (("diff", files / "a.pt", evil), ("doctor", evil), ("convert", evil, tmp_path / "x\x1b[1m.pt")):
        _, output, trouble = call(*arguments)
        assert "\x1b" not in output + trouble
        assert "\u202e" not in output + trouble
        assert "[bold red]" in output


def test_a_pipe_gets_plain_text(files):
    result = call_apart("diff", files / "a.pt", files / "b.pt")
    assert (result.returncode, result.stderr) == (1, "")
    assert "\x1b" not in result.stdout
    assert wx.diff(files / "a.pt", files / "b.pt").summary in result.stdout.splitlines()


def test_colour_is_for_those_who_want_it(files):
    arguments = ["diff", str(files / "a.pt"), str(files / "b.pt")]
    environment = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "60"}
    coloured = CliRunner().invoke(app, arguments, env=environment).stdout
    assert "\x1b[36m" in coloured
    plain = CliRunner().invoke(app, arguments, env={**environment, "NO_COLOR": "1"}).stdout
    assert "\x1b[36m" not in plain
    assert max(len(line) for line in re.sub(r"\x1b\[[\d;]*m", "", plain).splitlines()) <= 60


def test_a_terminal_that_knows_ascii_only_is_no_crash(files):
    result = call_apart("diff", files / "a.pt", files / "broken.pt", PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (1, "")


def test_what_nobody_foresaw_is_trouble_with_a_traceback():
    script = "import wavlm_explorer.cli as cli, sys\ndef fall(): raise RuntimeError('odd')\ncli.app = fall\ncli.main()"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "RuntimeError: odd" in result.stderr


def test_run_hands_streamlit_its_settings(monkeypatch):
    words = run.streamlit_arguments("0.0.0.0", 8600, 1500, False)
    assert words[0] == "run"
    assert run.PAGE.is_file()
    assert (run.PAGE.parent / ".streamlit" / "config.toml").is_file()
    assert words[2:] == [
        "--server.address=0.0.0.0", "--server.port=8600", "--server.maxUploadSize=1500", "--server.headless=true",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "platform", "linux")
    for variable, value, expected in (("SSH_CONNECTION", "1", False), ("DISPLAY", ":0", True), ("LANG", "C", False)):
        for name in ("SSH_CONNECTION", "DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(variable, value)
        assert run.can_open_browser() is expected


def test_run_tells_the_page_its_folders(monkeypatch, tmp_path):
    from streamlit.web import cli

    from wavlm_explorer.ui.folders import FOLDERS_VARIABLE, allowed_folders

    monkeypatch.setenv(FOLDERS_VARIABLE, "")
    monkeypatch.setattr(run, "_check_port", lambda host, port: None)
    started = []
    monkeypatch.setattr(cli, "main", lambda words, standalone_mode: started.append(words))
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    code, _, trouble = call("run", "--folder", folders[0], "--folder", folders[1], "--port", 8600)
    assert code == 0
    assert started[0][0] == "run"
    assert "http://127.0.0.1:8600" in trouble
    assert allowed_folders() == folders


def test_run_says_when_a_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, trouble = call("run", "--port", port)
    assert code == 2
    assert f"127.0.0.1:{port}" in trouble
    assert str(port + 1) in trouble
