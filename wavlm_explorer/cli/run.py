"""wavlm-explorer run: the page, in a browser here or at the other end of ssh."""

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from .terminal import errors, fail, styled

EXAMPLES = """Examples:

wavlm-explorer run

wavlm-explorer run --port 8600 --folder ~/checkpoints --max-upload 1500

wavlm-explorer run --host 0.0.0.0    (reachable by everyone on your network)

It runs until you press Ctrl+C."""
FOLDERS_VARIABLE = "WAVLM_EXPLORER_FOLDERS"  # as the page reads it: folders whose checkpoints may be opened by path
EVERYWHERE = ("0.0.0.0", "::")
SECONDS_VARIABLE = "WAVLM_EXPLORER_SECONDS"  # as the page reads it: the longest part of a sound that it traces
PAGE = Path(__file__).parents[1] / "ui" / "server.py"


def command(
    port: Annotated[int, typer.Option("--port", help="Where it listens.", min=1, max=65535)] = 8501,
    host: Annotated[
        str, typer.Option("--host", help="The address it listens on; yours alone unless changed.")
    ] = "127.0.0.1",
    folders: Annotated[
        list[Path] | None,
        typer.Option(
            "--folder",
            help="Checkpoints in it may be opened by path. May be repeated.",
            metavar="FOLDER",
            show_default=False,
            exists=True,
            file_okay=False,
        ),
    ] = None,
    max_upload: Annotated[int, typer.Option("--max-upload", help="Largest upload, in megabytes.", min=1)] = 500,
    max_seconds: Annotated[
        int, typer.Option("--max-seconds", help="Longest part of a sound that is traced at once.", min=1)
    ] = 600,
) -> None:
    """Open the explorer in a browser."""
    _check_port(host, port)
    here = f"http://127.0.0.1:{port}"
    errors().print(
        styled(f"WavLM Explorer: {here if host in EVERYWHERE else f'http://{host}:{port}'} (Ctrl+C ends it)")
    )
    has_display = can_open_browser()
    if not has_display:
        forward = f"ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}"
        errors().print(styled(f"No display here. On your own machine: {forward}, then open {here}"))
    if folders:
        os.environ[FOLDERS_VARIABLE] = os.pathsep.join(str(folder.resolve()) for folder in folders)
    os.environ[SECONDS_VARIABLE] = str(max_seconds)
    from streamlit.web.cli import main as streamlit

    streamlit(streamlit_arguments(host, port, max_upload, has_display), standalone_mode=False)


def streamlit_arguments(host: str, port: int, max_upload: int, opens_browser: bool) -> list[str]:
    """Return how Streamlit is started; its further settings lie beside the page, in .streamlit/config.toml."""
    options = {
        "server.address": host,
        "server.port": port,
        "server.maxUploadSize": max_upload,
        "server.headless": str(not opens_browser).lower(),
    }
    return ["run", str(PAGE), *(f"--{name}={value}" for name, value in options.items())]


def can_open_browser() -> bool:
    """Whether there is a screen to open a browser on."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _check_port(host: str, port: int) -> None:
    """Streamlit would only say that a port is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            fail(f"Cannot listen on {host}:{port}: {error.strerror}. Try another --port, such as {port + 1}.")
