"""The notebook in docs/: a file that Jupyter opens, whose cells run from top to bottom and say what is true."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from wavlm_explorer.figures import Picture

PATH = Path(__file__).parents[1] / "docs" / "notebook.ipynb"
NOTEBOOK = json.loads(PATH.read_text("utf-8"))
CODE = {cell["id"]: "".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"}
FIELDS = {"markdown": {"id", "cell_type", "metadata", "source"}}
FIELDS["code"] = FIELDS["markdown"] | {"execution_count", "outputs"}


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell and return what stands in its last line, which a notebook shows."""
    *statements, last = ast.parse(source).body
    is_shown = isinstance(last, ast.Expr)
    exec(compile(ast.Module(statements + [last] * (not is_shown), []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if is_shown else None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def shown(folder):
    """cell -> what it shows, after all have run in one namespace, as they would from top to bottom."""
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return {name: run_cell(source, names) for name, source in CODE.items()}


def test_jupyter_can_open_it():
    """What version 4.5 of the format asks of a notebook, and no stored output: a difference can be read."""
    assert NOTEBOOK.keys() == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    assert NOTEBOOK["metadata"]["kernelspec"].keys() >= {"name", "display_name"}
    assert NOTEBOOK["metadata"]["language_info"]["name"] == "python"
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"])
    for cell in NOTEBOOK["cells"]:
        assert cell.keys() == FIELDS[cell["cell_type"]]
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"])
        assert cell["source"]
        assert all(line.endswith("\n") for line in cell["source"][:-1])
        assert not cell["source"][-1].endswith("\n")
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


def test_every_cell_shows_something(shown):
    for name, value in shown.items():
        assert value is not None, name
        if isinstance(value, Picture):
            assert value.to_bytes("png", 30).startswith(b"\x89PNG")
    assert sum(isinstance(value, Picture) for value in shown.values()) == 10


def test_what_the_words_say_is_true(shown):
    layer, head = shown["nearest"]
    spans = shown["measures"]
    assert spans[layer, head] == spans.min()
    difference, share = shown["sum"]
    assert difference == 0
    assert 0.9 < share <= 1
    assert shown["by-hand"] < 1e-6
    assert shown["glu-terms"] == 0
    assert 0.1 < shown["changed"] < 0.5
    assert shown["load"] is True


def test_the_files_are_written(shown, folder):
    assert (folder / "sentence.trace.safetensors").is_file()
    page = (folder / "sentence.html").read_text("utf-8")
    assert shown["write"] == len(page)
    assert page.count("</h2>") == 2


def test_links_lead_somewhere():
    words = "".join("".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "markdown")
    (link,) = re.findall(r"\]\(([^)]+)\)", words)
    assert (PATH.parent / link).is_file()
