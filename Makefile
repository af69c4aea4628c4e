# The commands of this project. Each sets itself up first; options go through ARGS.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A person sees what is fetched and how far it is; a CI's log stays short.
PIP = $(BIN)/pip install --disable-pip-version-check $(if $(CI),--quiet)

.PHONY: help demo test lint bench screenshots
.DEFAULT_GOAL := help

help:
	@echo "make demo   walk the four steps of a reward on servers of its own (ARGS=--once ends then,"
	@echo "            ARGS=\"--data 1000\" first fills in two years of data)"
	@echo "make test   run all tests                       (ARGS=\"tests/deciders -q\" runs some)"
	@echo "make lint   check style, types and layers"
	@echo "make screenshots   take the pictures of the console in docs/"
	@echo "make bench  measure, beside the bare limits of this machine"

demo test lint bench screenshots: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV): packages pinned by hash (about 150 MB the first time)"
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# `exec`: Ctrl-C and a kill reach the ledger itself, and its exit status is make's.
demo:
	@exec $(BIN)/ledger demo $(ARGS)

# The console's tests need a browser. Without one they fail, and say how to get one.
test: $(VENV)/.browser
	$(BIN)/python -m pytest $(ARGS)

$(VENV)/.browser: $(VENV)/.ready
	-@$(BIN)/python tests/in_browser/provide.py && touch $@

screenshots: $(VENV)/.browser
	$(BIN)/python tests/in_browser/screenshots.py

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench:
	$(BIN)/python -m benchmarks $(ARGS)
