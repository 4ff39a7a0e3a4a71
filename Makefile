# What a newcomer types is `make demo` and `make test`; `make help` lists the rest. Needs git, make and Python >= 3.11 alone.
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
BIN := .venv/bin
CONTEXT ?=
ARGS ?=

.PHONY: help demo test check bench tools venv lock clean
.DEFAULT_GOAL := help

help: ## print this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

demo: venv ## play the whole flow on two clusters; CONTEXT=name uses a cluster of your kubeconfig
	@$(BIN)/python tools/build.py --need $(if $(CONTEXT),demo-without-kubernetes,demo)
	@$(BIN)/plane demo $(if $(CONTEXT),--context '$(CONTEXT)') $(ARGS)

test: venv tools ## run all tests in parallel; ARGS go to pytest
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $$(( $$(nproc) + 2 )) --maxprocesses 8 --dist worksteal $(ARGS)

check: venv ## lint, types, contracts, generated documents, charts, policies
	@$(BIN)/python tools/check.py

bench: venv tools ## measure the figures of docs/performance.md; ARGS names one benchmark
	@$(BIN)/python -m benchmarks $(ARGS)

tools: venv ## build the pinned third-party programs, once per user
	@$(BIN)/python tools/build.py --need test

venv: $(BIN)/.ready

ifeq ($(origin PYTHON),command line) # make PYTHON=python3.13 …: another Python makes another .venv
.PHONY: $(BIN)/.ready
endif

$(BIN)/.ready: requirements/dev.txt requirements/uv.txt pyproject.toml
	@sh tools/venv.sh

lock: venv ## resolve requirements/*.txt again from pyproject.toml; ARGS="--upgrade-package NAME"
	@sh tools/lock.sh $(ARGS)

clean: ## remove .venv and this checkout's caches; built programs stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find plane tests tools benchmarks migrations -name __pycache__ -type d -prune -exec rm -rf {} +
