# Penstock. `make run` and `make test` are all that a newcomer needs; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PORT ?= 8787
SOURCE ?= local
RATE ?=
ARGS ?=
API ?=

RUN_ARGS = --port $(PORT) --source $(SOURCE) $(if $(RATE),--rate $(RATE)) $(ARGS)

.PHONY: help run dev build test lint unit coverage pyodide e2e engines soak screenshots bench docs lock clean
.DEFAULT_GOAL := help

help:
	@echo "make run      the console on real local work   (PORT=8787 SOURCE=local|sim|replay:DIR RATE=20 ARGS=…)"
	@echo "make test     every test, and everything they need"
	@echo "make dev      run, and serve pyapp/ from the tree: edit a Python file, reload the page"
	@echo "make build    web/dist, ready for a static host (API=https://… for another origin)"
	@echo "make screenshots   pictures of every page in every state, in test-results/screenshots (ARGS=\"jobs narrow\" for some)"
	@echo "make lint | unit | coverage | pyodide | e2e | engines | soak | bench | docs | lock | clean"

# --- What the rest needs -------------------------------------------------------------------------------------------------

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Penstock needs Python 3.11 or newer: name one, for example make PYTHON=python3.12." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "The virtual environment could not be made: install Python's venv module (Debian: python3-venv)." >&2; exit 2; }

$(VENV)/.run-ready: server_stub/requirements.txt | $(VENV)/bin/python
	@echo "Installing what the server needs…"
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r $< 2>$(VENV)/pip.log || \
	  { tail -3 $(VENV)/pip.log >&2; echo "The packages could not be installed: check the connection to the package index." >&2; exit 2; }
	@touch $@

$(VENV)/.test-ready: tests/requirements.txt | $(VENV)/.run-ready
	@echo "Installing what the tests need…"
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r $< 2>$(VENV)/pip.log || \
	  { tail -3 $(VENV)/pip.log >&2; echo "The packages could not be installed: check the connection to the package index." >&2; exit 2; }
	@touch $@

# --- To use ------------------------------------------------------------------------------------------------------------------

run: build
	@exec $(PY) -m server_stub $(RUN_ARGS)

dev: $(VENV)/.run-ready
	@$(PY) web/build.py --dev
	@exec $(PY) -m server_stub --dev $(RUN_ARGS)

build: $(VENV)/.run-ready
	@$(PY) web/build.py $(if $(API),--api $(API))

# --- To check ------------------------------------------------------------------------------------------------------------------

# Two at a time where each takes one core, and what takes both or measures time alone.
test: $(VENV)/.test-ready build
	@$(MAKE) --no-print-directory --output-sync=recurse -j2 lint pyodide
	@$(MAKE) --no-print-directory unit coverage e2e

lint: $(VENV)/.test-ready build
	@$(VENV)/bin/ruff check --quiet --output-format concise .
	@$(VENV)/bin/ruff format --quiet --check . || { echo "Not formatted: run $(VENV)/bin/ruff format ." >&2; exit 1; }
	@$(VENV)/bin/lint-imports >$(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }
	@$(PY) web/node.py web/node_modules/pyright/index.js --pythonpath $(PY) >$(VENV)/types.log || { cat $(VENV)/types.log; exit 1; }

unit: $(VENV)/.test-ready
	@$(PY) -m pytest tests/unit -n auto --dist worksteal

pyodide: $(VENV)/.test-ready build
	@$(PY) web/node.py tests/pyodide/run.mjs

# Lines and branches of the core that no test of its own takes; every one is a failure. What chance reaches does not count: a branch
# needs a test that says what it is for.
coverage: $(VENV)/.test-ready
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest tests/unit/core -m "not chance and not hypothesis" -n auto --dist worksteal
	@$(PY) -m coverage combine -q
	@$(PY) -m coverage report --fail-under=100

e2e: $(VENV)/.test-ready build
	@$(PY) tests/e2e/browsers.py chromium firefox
	@$(PY) -m pytest tests/e2e

engines: $(VENV)/.test-ready build
	@$(PY) tests/e2e/browsers.py chromium firefox webkit
	@$(PY) -m pytest tests/e2e tests/engines

soak: $(VENV)/.test-ready build
	@$(PY) -m tests.soak histories
	@$(PY) -m tests.soak tabs
	@$(PY) tests/e2e/browsers.py chromium
	@$(PY) -m tests.soak storm
	@$(PY) -m tests.soak browser

screenshots: $(VENV)/.test-ready build
	@$(PY) tests/e2e/browsers.py chromium
	@$(PY) tests/e2e/screenshots.py $(ARGS)

bench: $(VENV)/.test-ready build
	@$(PY) tests/e2e/browsers.py chromium
	@$(PY) -m tests.bench

# --- To maintain ---------------------------------------------------------------------------------------------------------------

docs: $(VENV)/.run-ready
	@$(PY) docs/streams.py
	@$(PY) docs/rules.py

# Writes the locks anew; hashes only, and no address of an index.
lock: $(VENV)/.test-ready
	@$(PY) -m pip install -q uv
	@for group in server test; do \
	  out=$$([ $$group = server ] && echo server_stub || echo tests)/requirements.txt; \
	  $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    --group $$group pyproject.toml -o $$out; done

clean:
	@rm -rf $(VENV) web/dist web/.cache web/node_modules .state
