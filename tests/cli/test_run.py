"""How the page is started."""

import socket
import sys

from commands import call

from wavlm_explorer.cli import run


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
