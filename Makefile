# make help lists what can be done. Everything happens in .venv and .billow beside this file.

SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_WORKERS ?= auto

.PHONY: help run test scale check bench golden screens languages lock clean environment system-packages browser redmine

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | column -t -s'|'

run: environment system-packages  ## everything on this machine, with the sample company; Ctrl-C stops it all (ARGS="--help" lists options)
	@$(BIN)/billow up $(ARGS)

test: environment system-packages browser redmine  ## the whole test-suite, against real servers (ARGS="-k name" picks)
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --maxprocesses 4 --dist worksteal $(ARGS)

scale: environment system-packages  ## a billing run over 5,000 agreements, its worker killed in the middle (BILLOW_SCALE=count)
	@$(BIN)/python -m pytest -m scale -n 0 -s --log-level ERROR --show-capture no tests/scale $(ARGS)

check: environment  ## linters, types and the line of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: environment system-packages  ## cost and speed (ARGS=money, documents, life, pages picks; "life --json")
	@if [ -f benchmarks/__main__.py ]; then $(BIN)/python -m benchmarks $(ARGS); else echo "There is no benchmark yet."; fi

languages: environment  ## bring the catalogues of translations in step with the messages in use
	@$(BIN)/python -m activities.languages.extraction
	@$(BIN)/python -m starter.web.languages.extraction
	@$(BIN)/python -m starter.web.languages.sentences

golden: environment system-packages  ## draw the golden documents anew, then look at what has changed (ARGS="nine" draws some)
	@$(BIN)/python -m tests.golden $(ARGS)

screens: environment system-packages browser  ## take the pictures of every page for docs/tour.md anew (ARGS="money portal" takes some)
	@$(BIN)/python -m tests.screens $(ARGS)

lock:  ## resolve requirements.txt anew from pyproject.toml
	@command -v uv >/dev/null || { echo "Locking needs uv: install it with 'pip install uv'."; exit 1; }
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate --upgrade --extra development --output-file requirements.txt pyproject.toml

clean:  ## remove the environment and the state of make run
	rm -rf $(VENV) .billow build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

environment: $(STAMP)

$(STAMP): requirements.txt pyproject.toml
	@scripts/environment $(VENV)
	@touch $@

system-packages:
	@scripts/system-packages rendering

browser:
	@scripts/system-packages browser

redmine:
	@scripts/system-packages redmine
