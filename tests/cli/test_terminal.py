"""What a terminal, a pipe and a stranger's file name get."""

import re
import subprocess
import sys

import pytest
from commands import call, call_apart
from typer.testing import CliRunner

import wavlm_explorer as wx
from wavlm_explorer.cli import app
from wavlm_explorer.cli.options import read_settings
from wavlm_explorer.cli.terminal import clean


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
