# Every contract of this file is written in CONTRIBUTING.md; `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
STAMP := $(VENV)/.installed
TESTS ?= tests plugins
WORKERS ?= auto

unexport PYTHONDONTWRITEBYTECODE  # pytest's rewriting of all tests takes longer than to import what it has kept

.PHONY: help install run test test-fast lint types bench bench-derp lock clients clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

install: $(STAMP)  ## make .venv with hatsize and every plugin of this repository

$(STAMP): requirements.lock pyproject.toml $(addsuffix /pyproject.toml,$(PLUGINS))
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e . $(foreach p,$(PLUGINS),-e $(p))
	@$(BIN)/python -m compileall -q hatsize plugins
	@touch $@

run: install  ## start the server with an embedded default; prints the line to paste on a client
	@$(BIN)/hatsize serve $(ARGS)

lint: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: install
	@$(BIN)/mypy

test-fast: install lint types  ## lint, types and the tests that take under a minute
	@$(BIN)/pytest -n $(WORKERS) -m "not slow and not clients and not postgres" -q $(TESTS)

test: install lint types  ## everything: lint, types, unit, golden, real clients
	@$(BIN)/pytest -n $(WORKERS) -m "not clients" -q $(TESTS)
	@tests/clients/run

clients: install  ## the tests with real tailscaled clients alone
	@tests/clients/run

bench: install  ## the measurements of benchmarks/, paired with a rival where its binary is given
	@$(BIN)/python -m benchmarks $(ARGS)

bench-derp: install  ## the relay beside Tailscale's derper: packets, round trips, processor time, memory
	@$(BIN)/python -m benchmarks.derp $(ARGS)

lock: install  ## resolve requirements.lock anew from the pyproject files
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
	  --all-extras --group dev pyproject.toml $(addsuffix /pyproject.toml,$(PLUGINS)) -o requirements.lock
	@sed -i '/^-e /d' requirements.lock

clean:
	@rm -rf $(VENV) build dist
