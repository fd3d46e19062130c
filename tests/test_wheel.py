"""The package as `pip install .` makes it: real files, and no top-level name that collides with a user's own."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import wavlm_explorer
assert wavlm_explorer.__file__.startswith(sys.argv[1]), wavlm_explorer.__file__
names = [module.name for module in pkgutil.walk_packages(wavlm_explorer.__path__, "wavlm_explorer.")]
for name in names:
    importlib.import_module(name)
import modules
assert modules.OWNER == "the user"
from wavlm_explorer import load_model, trace
from wavlm_explorer.samples import load_sample
print(len(names), trace(load_model("nano"), load_sample("vowels")).num_frames)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder that holds what the wheel holds."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    result = subprocess.run(build, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_has_one_top_level_name(installed):
    names = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    assert names == {"wavlm_explorer"}
    assert not (installed / "wavlm_explorer" / "modules").is_symlink()


def test_the_wheel_has_what_the_browser_fetches(installed):
    folder = Path("wavlm_explorer") / "ui" / "viewer" / "static"
    files = {path.name for path in (ROOT / folder).iterdir()}
    assert {"viewer.js", "labels.js", "viewer.css"} < files
    assert {path.name for path in (installed / folder).iterdir()} == files


def test_the_wheel_has_the_words_of_the_lesson(installed):
    folder = Path("wavlm_explorer") / "lesson"
    files = {path.name for path in (ROOT / folder).glob("*.toml")}
    assert len(files) == 13
    assert {path.name for path in (installed / folder).glob("*.toml")} == files


def test_every_module_imports_beside_a_folder_called_modules(installed, tmp_path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "__init__.py").write_text("OWNER = 'the user'")
    command = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(installed)!r}]\n{IMPORT_EVERYTHING}"
    result = subprocess.run(
        [sys.executable, "-I", "-c", command, str(installed)], capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    assert result.returncode == 0, result.stderr
    num_modules, num_frames = map(int, result.stdout.split())
    assert num_modules > 30
    assert num_frames > 100
