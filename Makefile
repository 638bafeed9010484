# `make` alone lists what there is.  Two commands matter: make lab, make test.

# The newest Python found, unless you name one:  make test PYTHON=python3.12
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$python; exit; fi; done; echo python3)

# Where everything is installed, and by which list of versions: `make newest` changes both.
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
EXTRAS ?= test
MINUTES ?= 60

BIN := $(VENV)/bin
# Compose is a plugin of docker, a program of its own, or came with what tests.
COMPOSE = $$(docker compose version >/dev/null 2>&1 && echo docker compose || command -v docker-compose || \
	echo $(BIN)/docker-compose) -f deploy/docker/compose.yaml
READY := $(VENV)/.ready
NBVAL := --nbval-lax --nbval-current-env --nbval-cell-timeout=60
TYPED := tests

.DEFAULT_GOAL := help
.PHONY: help lab test quick prove fast newest check format seeds pages demo image docker-up docker-down constraints clean

help:  ## list these targets
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | \
	while IFS='	' read -r target text; do printf '  make %-11s %s\n' "$$target" "$$text"; done

lab: $(READY)  ## open JupyterLab on the tour (installs everything on first use)
	@$(BIN)/python -m chatsys lab

test: $(READY)  ## run every test: parts, seeds, processes, notebooks, labs, browser
	@# Two processes compute, two run in real time and mostly wait: see tests/support/sharing_out.py.
	$(BIN)/python -m pytest tests notebooks -n 4 --dist loadfile --no-loadscope-reorder $(NBVAL)

# Some machines forbid Python to keep what it has compiled.  The tests start a thousand processes, and each of them would
# compile the same modules again: so here it may, beside the sources, as everywhere else.
test quick: export PYTHONDONTWRITEBYTECODE =

quick: $(READY)  ## run the parts and some seeds, under a minute: no process, no notebook, no browser
	$(BIN)/python -m pytest tests -m "quick and not slow" -x -q -p no:nbval -n 2 --dist loadfile --no-loadscope-reorder

prove: $(READY)  ## gather evidence for MINUTES=60, on from where the last time stopped (keeps data/evidence; WRITE=1: from the record on, and writes it and both pages)
	$(BIN)/python -m chatsys prove --minutes $(MINUTES) $(if $(WRITE),--write)

fast: $(READY)  ## compile the pure rooms into .fast, for whoever plays many schedules: the same runs, sooner (two minutes; needs gcc)
	@$(BIN)/python -m chatsys.compiled

newest:  ## install the newest version of everything in .venv-newest, and run every test there
	$(MAKE) test VENV=.venv-newest CONSTRAINTS=

check: $(READY)  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m mypy --strict chatsys
	MYPYPATH=tests/support $(BIN)/python -m mypy --strict $(TYPED)

format: $(READY)  ## let ruff lay out the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

seeds: $(READY)  ## look up anew the seeds that the labs' pages speak of, and say what changed
	@$(BIN)/python -m chatsys.teach.labs.seeds

pages: $(READY)  ## write into the labs' notebooks what their declarations say, and make what students get
	@$(BIN)/python -m chatsys.teach.labs.pages
	@$(BIN)/python -m chatsys.teach.labs.path

demo: $(READY)  ## crash a leader among three real processes and watch the rest recover
	$(BIN)/python -m chatsys demo --scenario leader-failure --where processes

image: $(READY)  ## build the container image of this clone: for docker-up, and for Cluster(where="containers")
	@$(BIN)/python deploy/docker/build.py

docker-up: image  ## start three nodes in containers, and wait until they are healthy (deploy/docker/README.md)
	@$(COMPOSE) up --detach --no-build --wait
	@echo "Talk to them: $(BIN)/chatsys client --port 5001    Stop them: make docker-down"

docker-down:  ## stop them and remove the containers; the volumes with the logs stay
	@$(COMPOSE) --profile notebook down

# From version 4.25 on jsonschema reads three grammars whenever it is imported: 1.6 s for each process that opens a notebook.
# From version 0.29 on typer imports pydantic: 0.1 s and 8 MB more for each command and each node.
constraints:  ## take the newest versions into constraints.txt (needs uv); run `make test` before you commit them
	printf '%s\n' 'hatchling>=1.27' 'jsonschema<4.25' 'typer<0.29' | uv pip compile --quiet --upgrade --universal --no-header --no-emit-index-url --no-annotate \
	  --all-extras --python-version 3.11 pyproject.toml - -o constraints.txt

clean:  ## remove what make made (environments, caches, builds); notebooks and the nodes' logs stay
	rm -rf .venv .venv-newest .fast build dist artifacts chatsys.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find chatsys tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp: made anew when the lists of packages change.  Each step says what it does, because a silent minute looks
# like a hang.  uv is used when it is there and works; pip does the same in a minute or two.
PACKAGES := $(if $(CONSTRAINTS),-c $(CONSTRAINTS),--upgrade)

$(READY): pyproject.toml $(CONSTRAINTS)
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "chatsys needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" --version 2>&1 || true)." >&2; \
	  echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@step() { echo "[$$1 of 5] $$2"; }; \
	stopped() { echo "The installation stopped at this step; the lines above say why.  Then run the same make again." >&2; exit 1; }; \
	step 1 "Making a Python environment in $(VENV) ($$("$(PYTHON)" --version 2>&1)); only the first time."; \
	if command -v uv >/dev/null && uv venv --quiet --seed --allow-existing --python "$(PYTHON)" $(VENV) \
	    && uv pip install --quiet --python $(BIN)/python $(PACKAGES) 'hatchling>=1.27'; \
	then install() { uv pip install --quiet --python $(BIN)/python $(PACKAGES) "$$@"; }; \
	else install() { $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PACKAGES) "$$@"; }; \
	  "$(PYTHON)" -m venv $(VENV) || { \
	    echo "$(PYTHON) cannot make environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	  install 'hatchling>=1.27' || stopped; fi; \
	step 2 "Installing what the nodes and the simulator need: seconds."; \
	install --no-build-isolation -e . || stopped; \
	step 3 "Installing JupyterLab, pandas and plotly, about 120 packages: half a minute to two minutes."; \
	install --no-build-isolation -e '.[notebook]' || stopped; \
	step 4 "Installing what grades and tests, about 40 packages: up to a minute."; \
	install --no-build-isolation -e '.[test]' || stopped; \
	step 5 "Looking whether all of it fits together."; \
	$(BIN)/python -m pip check --quiet --disable-pip-version-check || stopped
	@touch $@
