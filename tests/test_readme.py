"""What the README says to do, done to the letter."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MOST_LINES = 20

VISIT = """
from visits import open_page, pictures
import wavlm_explorer
from wavlm_explorer.samples import load_sample
from wavlm_explorer.views import VIEWS

assert wavlm_explorer.__file__.startswith(sys.argv[1]), wavlm_explorer.__file__
app = open_page("change", layer="2")
assert not app.exception, app.exception
assert app.title[0].value == "Change"
assert app.slider(key="layer").value == 2
assert pictures(app) == 1
trace = wavlm_explorer.trace(wavlm_explorer.load_model("nano"), load_sample("vowels"))
assert VIEWS[-1].name == "change"
assert ">Change</h2>" in wavlm_explorer.make_report(trace, ["change"]).to_html()  # all pages take longer to draw
"""


def test_a_page_of_your_own_is_one_file(tmp_path):
    """The README's page in a copy of the toolkit: it is listed last, opens by its link, and is in the report."""
    (place,) = re.findall(r"Saved as `(.+?)`", README)
    (page,) = re.findall(r"## A page of your own.*?```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in page.splitlines() if line]) <= MOST_LINES
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "wavlm_explorer", tmp_path / "wavlm_explorer", ignore=ignored)
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "visits.py", tmp_path / "tests")
    (tmp_path / place).write_text(page, "utf-8")
    command = f"import sys\nsys.path[:0] = [{str(tmp_path)!r}, {str(tmp_path / 'tests')!r}]\n{VISIT}"
    result = subprocess.run(
        [sys.executable, "-c", command, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path, timeout=180
    )
    assert result.returncode == 0, result.stderr
