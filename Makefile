# `make demo` and `make test` set up everything they need in .venv and nowhere else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The examples test programs made with libraries that are in the environment.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo failing test check bench docs lock clean
help:
	@echo "make demo     run the examples in parallel and write a report"
	@echo "make failing  run the examples that fail on purpose"
	@echo "make test     run the tests"
	@echo "make check    run ruff and mypy"
	@echo "make bench    run the benchmarks against the peers"
	@echo "make docs     write the generated parts of the documentation"
	@echo "make lock     lock the dependencies anew"
	@echo "make clean    remove what these have made"

# Debian splits venv off python3; without it the environment cannot be made.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing python3-venv"; apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; \
	  else \
	    echo "Python's venv is missing. On Debian: sudo apt-get install python3-venv"; exit 1; \
	  fi; }
	@$(PYTHON) -m venv $(VENV)

$(READY): requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)
	@$(BIN)/orchestro run examples/shell examples/fullscreen examples/features --html .orchestro/report.html $(ARGS)

failing: $(READY)
	-@$(BIN)/orchestro run examples/failing/ --html .orchestro/failing.html $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python benchmarks/run.py $(ARGS)

docs: $(READY)
	$(BIN)/python tools/generate_docs.py

lock: $(READY)
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-annotate --upgrade requirements/dev.in -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-annotate --upgrade benchmarks/peers/requirements.in -o benchmarks/peers/requirements.txt

clean:
	rm -rf $(VENV) .venv-peers .orchestro build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
