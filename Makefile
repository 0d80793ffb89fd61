# Every target sets up what it needs in .venv, with the pinned CPU build of PyTorch.
.PHONY: demo test page wheel lint format docs bench bench-all qgis test-qgis kills fuzz clean
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
READY_FOR_DOCS := .venv/.ready-for-docs
PAGE := src/terrasift/viewer/static/index.html
PAGE_READY := page/node_modules/.ready

demo: $(READY)  ## train, map and score on generated scenes; pictures in demo/index.html
	rm -rf demo
	$(BIN)/terrasift demo --out demo

test: $(READY) $(if $(shell command -v npm),$(PAGE))  ## the whole test suite; with npm, the page in the browser too
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

page: $(PAGE)  ## the page of `terrasift view`, from page/ (needs node and npm)

wheel: $(READY) $(PAGE)  ## packages with the page inside, in dist/, installed and tried as users do (needs Chromium)
	rm -f dist/terrasift-*
	$(BIN)/python -m build --outdir dist
	$(BIN)/python release/check_wheel.py

lint: $(READY)  ## format, lint and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/mypy --config-file benchmarks/mypy.ini

format: $(READY)  ## mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: $(READY_FOR_DOCS)  ## the documentation, in docs/_build/html/index.html
	rm -rf docs/_build docs/api docs/notebooks
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_build/html

bench-all: $(READY)  ## every benchmark, at sizes that fit half an hour; benchmarks/results/summary.md
	$(BIN)/python benchmarks/all.py $(if $(DATA),--data $(DATA))

bench: $(READY)  ## what a training step costs (minutes); benchmarks/README.md lists the others
	$(BIN)/python benchmarks/step.py

qgis:  ## the plugin for QGIS, in dist/terrasift.zip
	$(PYTHON) qgis/build.py dist

test-qgis: $(READY)  ## the plugin in QGIS itself (apt-get install qgis python3-qgis), minutes
	TEST_QGIS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/qgis

kills: $(READY)  ## every long command killed, on a full disk, twice at once: what is left (Linux, root): make kills MOMENTS=20
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.survival --moments $(or $(MOMENTS),20)

fuzz: $(READY)  ## bad inputs by the thousand for an hour, and a table of how they were answered: make fuzz MINUTES=5 SEED=1
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),60) --seed $(or $(SEED),0)

clean:
	rm -rf .venv demo dist docs/_build docs/api docs/notebooks page/node_modules src/terrasift/viewer/static

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

$(PAGE): $(PAGE_READY) $(wildcard page/*.js) $(wildcard page/src/*)
	cd page && npm run --silent build
	touch $@

$(PAGE_READY): page/package-lock.json page/package.json
	cd page && npm ci --no-audit --no-fund --loglevel=error
	touch $@

$(READY_FOR_DOCS): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@
