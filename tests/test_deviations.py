"""docs/deviations.md names tests that exist, and a test for every deviation."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [
    line
    for line in (ROOT / "docs" / "deviations.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| **", "| The original |", "| Surprising"))
]
NAMED = sorted({name for row in ROWS for name in re.findall(r"`(tests/\S+::\w+)`", row)})


def test_every_row_names_a_test():
    assert len(ROWS) > 50
    for row in ROWS:
        assert re.search(r"`tests/\S+\.py::test_\w+`(?:, `tests/\S+`)* \|$", row), row


@pytest.mark.parametrize("name", NAMED)
def test_every_test_named_exists(name):
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
