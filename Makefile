# Everything a newcomer needs: each target does its own set-up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(sort $(wildcard plugins/*))
STAMP := $(VENV)/.ready
LRS := $(VENV)/lrs

.PHONY: help setup demo test lint bench docs format clean

help: ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## Virtual environment with core, plugins and developer tools

$(STAMP): requirements-dev.txt core/pyproject.toml $(addsuffix /pyproject.toml,$(PLUGINS))
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Coursewire needs Python 3.11 or later")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -e 'core[postgresql,mysql,service,oidc,otel,testing]' $(foreach p,$(PLUGINS),-e $(p))
	touch $(STAMP)

demo: setup ## The main job on the sample bundle, against the channels' simulators
	$(BIN)/coursewire demo

# A real Learning Record Store, apart because of what it pins. Without it (offline) its tests are skipped and say so.
$(LRS)/.ready: plugins/xapi/tests/requirements-lrs.txt | $(STAMP)
	-$(PYTHON) -m venv $(LRS) && $(LRS)/bin/python -m pip install --quiet --disable-pip-version-check --retries 2 --timeout 30 -r $< && touch $@

test: setup $(LRS)/.ready ## All tests
	$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term:skip-covered $(TESTS)

lint: setup ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy core/src $(addsuffix /src,$(PLUGINS))
	$(BIN)/lint-imports

format: setup ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Measure against the floor
	$(BIN)/python -m bench

docs: setup ## Write the generated reference pages
	$(BIN)/python -m docs

clean: ## Remove what was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .coverage* htmlcov
