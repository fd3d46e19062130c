# make run   open the explorer in a browser        make test   lint, type check and every test
# make lint  only lint and types           make pictures  the screenshots of the README
# make bench-viewer  how fast the viewer is, into docs/viewer.md
# make train  the bundled model, from nothing, in an hour of one core     make clean  remove what these made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test lint clean train pictures bench-viewer

run: $(VENV)/.runtime
	$(BIN)/streamlit run app.py

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .hypothesis

$(VENV)/.runtime: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; found " + sys.version.split()[0] + ". Try: make run PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

# s3prl ships the Microsoft original, with which the tests compare; none of what it depends on is needed.
$(VENV)/.development: $(VENV)/.runtime requirements-dev.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps s3prl==0.4.18
	touch $@

train: $(VENV)/.development
	nice $(BIN)/python -m training --bfloat16 --steps 5400

bench-viewer: $(VENV)/.development
	$(BIN)/python benchmarks/viewer.py

pictures: $(VENV)/.development
	$(BIN)/python docs/screenshots.py
