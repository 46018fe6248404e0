# Everything runs in a virtual environment of its own: .venv, made when it is first needed.
.DEFAULT_GOAL := help
.PHONY: help demo test lint live bench chaos audit clean
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
DEMO := $(VENV)/.demo-installed
DEV := $(VENV)/.dev-installed

help:  ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

demo: $(DEMO)  ## play the whole story on this machine, with no account anywhere (under a minute)
	@$(BIN)/python -m connector.cli demo

test: $(DEV)  ## run all tests that need nothing but this machine
	@.ci/test $(ARGS)

lint: $(DEV)  ## ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

live: $(DEV)  ## stories on a real Znuny (Debian, as root; it is installed on the first run)
	@.ci/live $(ARGS)

bench: $(DEV)  ## lateness, throughput and memory, as a table
	@$(BIN)/python -m tests.bench $(ARGS)

chaos: $(DEV)  ## kill, stop, cut and fill everything (over an hour)
	@.ci/chaos $(ARGS)

audit: $(DEV)  ## ask whether anything that is pinned has a known hole (ARGS=--allow-offline: not asked is fine)
	@.ci/audit $(ARGS)

clean:  ## take the virtual environment and caches away
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

# What is installed is what was tested together; another list of packages makes the environment anew.
$(DEMO): pyproject.toml constraints.txt .ci/make-venv
	@.ci/make-venv $(VENV) '.[embedded,demo]'
	@touch $@

$(DEV): pyproject.toml constraints.txt .ci/make-venv
	@.ci/make-venv $(VENV) '.[embedded,demo,dev]'
	@touch $(DEMO) $@
