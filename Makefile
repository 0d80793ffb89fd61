# Every target sets up what it needs in .venv, with the pinned CPU build of PyTorch.
.PHONY: demo test lint format docs bench clean
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
READY_FOR_DOCS := .venv/.ready-for-docs

demo: $(READY)  ## train, map and score on generated scenes; pictures in demo/index.html
	rm -rf demo
	$(BIN)/terrasift demo --out demo

test: $(READY)  ## the whole test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(READY)  ## format, lint and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

format: $(READY)  ## mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: $(READY_FOR_DOCS)  ## the documentation, in docs/_build/html/index.html
	rm -rf docs/_build docs/api
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_build/html

bench: $(READY)  ## what a training step costs (minutes); benchmarks/README.md lists the others
	$(BIN)/python benchmarks/step.py

clean:
	rm -rf .venv demo docs/_build docs/api

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

$(READY_FOR_DOCS): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@
