# Everything from nothing but python3 and a package registry: the virtual environment is made here and re-used while
# pyproject.toml has not changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Where this is set every program that a test starts, and the demo's cloud, would be compiled again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint types unit bench bench-plot soak screenshots clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("ssm-tui needs Python 3.11 or newer; say which with PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]' --group dev
	@touch $(STAMP)

demo: $(STAMP)  ## the TUI on the demo cloud: no AWS account needed
	@$(BIN)/ssm-tui --demo

test: lint types unit  ## lint, strict types, every test

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP)
	@$(BIN)/mypy

unit: $(STAMP)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

bench: $(STAMP)  ## speed, as ratios in one run
	@$(BIN)/python -m benchmarks

bench-plot: $(STAMP)  ## docs/listing.md: the list, measured, with a plot
	@$(BIN)/python -m benchmarks listing --write docs

ROUNDS ?= 100
soak: $(STAMP)  ## cuts a tunnel ROUNDS times in eight ways, with clients on it
	@$(BIN)/python -m tests.e2e.soak $(ROUNDS)

screenshots: $(STAMP)  ## screenshots/ from the demo cloud
	@$(BIN)/python -m tests.e2e.screenshots

clean:  ## removes the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
