# `make` alone lists what there is.  Two commands matter: make lab, make test.

# The newest Python found, unless you name one:  make test PYTHON=python3.12
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$python; exit; fi; done; echo python3)

BIN := .venv/bin
READY := .venv/.ready
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=60 --nbval-sanitize-with tests/nbval.cfg

.DEFAULT_GOAL := help
.PHONY: help lab test quick check format demo clean

help:  ## list these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | \
	while IFS='	' read -r target text; do printf '  make %-8s %s\n' "$$target" "$$text"; done

lab: $(READY)  ## open JupyterLab on the tour (installs everything on first use)
	$(BIN)/python -m chatsys lab

test: $(READY)  ## run every test: parts, seeds, processes, notebooks, labs, browser
	$(BIN)/python -m pytest tests notebooks $(NBVAL)

quick: $(READY)  ## run the tests of parts and seeds only (no processes, notebooks, browser)
	$(BIN)/python -m pytest tests -m "not slow" -x

check: $(READY)  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m mypy --strict chatsys

format: $(READY)  ## let ruff lay out the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: $(READY)  ## crash a leader among three real processes and watch the rest recover
	$(BIN)/python -m chatsys demo --scenario leader-failure --where processes

clean:  ## remove the environment, caches and the logs of local nodes
	rm -rf .venv data build dist artifacts *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find chatsys tests notebooks labs -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

# The stamp: made anew when pyproject.toml changes.  uv is used when it is there and works.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "chatsys needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)." >&2; \
	  echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Setting up .venv: a minute or two, only this once."
	@if command -v uv >/dev/null && uv venv --quiet --allow-existing --python "$(PYTHON)" .venv \
	    && uv pip install --quiet --python $(BIN)/python -e '.[test]'; then :; else \
	  $(PYTHON) -m venv .venv || { \
	    echo "$(PYTHON) cannot make environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'; fi
	@touch $@
