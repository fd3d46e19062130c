"""Commands as tests call them: in this process, and as a user does."""

import os
import subprocess
import sys

from typer.testing import CliRunner

from wavlm_explorer.cli import app

START = "from wavlm_explorer.cli import main; main()"


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
