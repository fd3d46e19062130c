# make run   open the explorer in a browser        make test   lint, type check and every test
# make lint  only lint and types           make pictures  the screenshots of the README
# make bench  the explorer against its peers, in a quarter of an hour     make bench PARTS=long  clips of ten minutes
# make bench-viewer  how fast the viewer is, into docs/viewer.md
# make train  the bundled model, from nothing, in an hour of one core     make clean  remove what these made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WHEELS := .cache/torchaudio

.PHONY: run test lint clean train bench bench-viewer pictures

run: $(VENV)/.runtime
	$(BIN)/streamlit run app.py

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile

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

bench: $(VENV)/.development $(WHEELS)
	$(BIN)/python -m benchmarks $(if $(PARTS),--parts $(PARTS))

# torchaudio's code is read out of its wheel, which stays outside: transformers imports torchaudio where it is installed.
$(WHEELS):
	$(BIN)/python -m pip download --quiet --no-deps --dest $@ torchaudio==2.11.0

bench-viewer: $(VENV)/.development
	$(BIN)/python benchmarks/viewer.py

pictures: $(VENV)/.development
	$(BIN)/python docs/screenshots.py
