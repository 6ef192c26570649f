# Everything runs in .venv, which the first target makes from PYTHON. A second call finds it ready.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= auto
# COVERAGE=1 measures branch coverage too, which doubles the time.
COVERAGE ?=
PYX := $(wildcard cython_ext/*.pyx)
GENERATED := $(PYX:.pyx=.c)
EXTENSION := $(PYX) $(filter-out $(GENERATED),$(wildcard cython_ext/*.pxd cython_ext/*.[ch]))

.PHONY: run test test-long fuzz bench lint clean

run: $(STAMP)
	$(BIN)/flux-explorer run

test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow and not browser" $(if $(COVERAGE),--cov --cov-report=term)

test-long: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) -m "slow and not browser"
	$(BIN)/python -m pytest -m browser

fuzz: $(STAMP)
	$(BIN)/python -m bench.fuzz
	FLUX_FUZZ_SEED=$(shell date +%s) $(BIN)/python -m pytest -n $(WORKERS) tests/fuzz

bench: $(STAMP)
	$(BIN)/python -m bench

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
	rm -f cython_ext/*.so $(GENERATED)

# Stop with a sentence where pip or setuptools would stop with a traceback.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: apt-get install python3, or make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) -V), Python 3.11 or later is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv or no pip: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python pyproject.toml setup.py $(EXTENSION)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@
