"""What importing each layer brings along, seen from a fresh interpreter."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"av", "matplotlib", "pandas", "s3prl", "scipy", "soundfile", "soxr", "streamlit", "transformers"}

# The package's own __init__ offers the whole toolkit, so a layer is imported without it, under an empty stand-in.
IMPORT_ALONE = """
import sys, types
package = types.ModuleType("wavlm_explorer")
package.__path__ = ["wavlm_explorer"]
sys.modules["wavlm_explorer"] = package
"""
LIST = """
import sys
print(*sorted({name.partition(".")[0] for name in sys.modules}))
print(*sorted(name.removeprefix("wavlm_explorer.") for name in sys.modules if name.startswith("wavlm_explorer.")))
"""


def imported_by(statements, folder=ROOT):
    """Run `statements` in a fresh interpreter: (all top-level modules then loaded, those of the toolkit)."""
    command = [sys.executable, "-W", "error", "-c", f"import sys\nsys.path.insert(0, '')\n{statements}\n{LIST}"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
    assert result.returncode == 0, result.stderr
    everything, toolkit = result.stdout.splitlines()
    return set(everything.split()), set(toolkit.split())


@pytest.mark.parametrize(
    ("layer", "others"),
    [("modules", set()), ("wavlm", {"config", "encoder", "front_end", "modules", "source", "span_masking"})],
)
def test_a_layer_stands_on_those_below_it_only(layer, others):
    everything, toolkit = imported_by(f"{IMPORT_ALONE}\nimport wavlm_explorer.{layer}")
    assert {"torch", "jaxtyping"} <= everything
    assert not everything & HEAVY
    assert {name.partition(".")[0] for name in toolkit} == {layer, *others}


@pytest.mark.parametrize(
    ("layer", "above"),
    [
        ("audio", {"modules", "wavlm", "checkpoints", "tracing", "figures", "views", "ui"}),
        ("labels", {"modules", "wavlm", "checkpoints", "audio", "decoding", "tracing", "figures", "views", "ui"}),
        ("label_attention", {"checkpoints", "figures", "views", "ui"}),
        ("checkpoints", {"audio", "tracing", "measures", "figures", "views", "ui"}),
        ("measures", {"tracing", "figures", "views", "ui"}),
        ("tracing", {"checkpoints", "figures", "views", "ui"}),
        ("figures", {"checkpoints", "views", "ui"}),
        ("views", {"checkpoints", "lesson", "ui"}),
        ("lesson", {"checkpoints", "ui"}),
    ],
)
def test_no_layer_reaches_up(layer, above):
    no_pyplot = "assert 'matplotlib.pyplot' not in sys.modules"
    everything, toolkit = imported_by(f"{IMPORT_ALONE}\nimport wavlm_explorer.{layer}\n{no_pyplot}")
    assert layer in toolkit
    assert "streamlit" not in everything
    assert not {name.partition(".")[0] for name in toolkit} & above


def test_the_toolkit_works_without_streamlit():
    everything, toolkit = imported_by("import wavlm_explorer, wavlm_explorer.modules")
    assert "modules.attention" in toolkit
    assert not everything & {"streamlit", "matplotlib"}


def test_the_modules_can_be_lifted_out(tmp_path):
    shutil.copytree(ROOT / "modules", tmp_path / "modules", ignore=shutil.ignore_patterns("__pycache__"))
    file = str(tmp_path / "modules" / "__init__.py")
    use = f"import modules\nassert modules.__file__ == {file!r}\nmodules.MultiheadAttention(8, 2)"
    everything, toolkit = imported_by(use, tmp_path)
    assert not everything & HEAVY
    assert not toolkit


@pytest.mark.parametrize("path", sorted((ROOT / "modules").glob("*.py")), ids=lambda path: path.name)
def test_the_modules_name_nothing_but_torch_jaxtyping_and_each_other(path):
    allowed = {"torch", "jaxtyping", *sys.stdlib_module_names}
    for line in path.read_text().splitlines():
        if line.startswith(("import ", "from ")):
            name = line.split()[1]
            assert name.startswith(".") or name.partition(".")[0] in allowed, line
