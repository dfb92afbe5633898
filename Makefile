# `make demo` and `make test` need no other set-up: each makes .venv if it is missing or out of date.
# `make env PYTHON=python3.12` chooses the Python (3.11 to 3.13); the default is the first of PYTHONS that fits.
# `make env TORCH=cpu` installs PyTorch without CUDA; later updates of .venv keep to that.

PYTHONS := $(or $(PYTHON),python3 python3.13 python3.12 python3.11)
VENV := .venv
TORCH ?= $(patsubst $(VENV)/.installed-%,%,$(wildcard $(VENV)/.installed-*))
STAMP := $(VENV)/.installed$(TORCH:%=-%)
TOOLS := $(VENV)/.tools
# yes: that environment's Python is gone, or its auxseg is another folder's, because this one was moved or copied
OURS := import os; from importlib.util import find_spec; \
  assert os.path.samefile(find_spec("auxseg").submodule_search_locations[0], "src/auxseg")
BROKEN := $(if $(wildcard $(STAMP)),$(shell $(VENV)/bin/python -E -c '$(OURS)' 2>/dev/null || echo yes))
LOCKS := requirements.lock requirements.dev.lock requirements.build.lock
# without the packages that modules of a cluster put in front of ours
RUN := env -u PYTHONPATH -u PYTHONHOME PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.DEFAULT_GOAL := help
.PHONY: help demo voc coco table test test-cluster test-nightly coverage bench-quick mutants lint licences \
  audit-dependencies locks format env clean FORCE

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

demo: $(STAMP)  ## Run the pipeline of params.yaml (as cloned: the embedded scenes); print the result table
	$(RUN) auxseg run

voc: $(STAMP)  ## Fetch VOC 2012 and SBD into DATASETS (default: datasets/voc), check them, make train_aug
	$(RUN) auxseg download voc --to "$(or $(DATASETS),datasets/voc)"

coco: $(STAMP)  ## Fetch COCO 2014 into DATASETS (default: datasets/coco), check it, make its masks and labels
	$(RUN) auxseg download coco --to "$(or $(DATASETS),datasets/coco)"

table: $(STAMP)  ## Run what is missing of TABLES="table4 ..." on BASE (scenes) for SEEDS="0 1 2" (0), with DATA=FOLDER
	$(RUN) python benchmarks/tables.py $(TABLES) --base "$(or $(BASE),scenes)" --seeds $(or $(SEEDS),0) \
	  $(if $(DATA),--data "$(DATA)")

# two workers, each with one test file at a time, in the order of conftest.py
WORKERS := -n 2 --dist loadfile --no-loadscope-reorder

test: $(TOOLS)  ## Run the tests
	$(RUN) python -m pytest $(WORKERS) -rfEs -m "not nightly and not cluster"

test-cluster: $(TOOLS)  ## Run the tests on a real Slurm (root on Debian: installed and started; skipped if there is none)
	$(RUN) python -m pytest -m "cluster and not nightly" -rs

test-nightly: $(TOOLS)  ## Run all tests, including the long ones
	$(RUN) python -m pytest $(WORKERS) -m "not cluster"
	$(RUN) python -m pytest -m cluster

COVERAGE := COVERAGE_FILE="$(CURDIR)/.auxseg/coverage/data"
coverage: $(TOOLS)  ## Run the tests and list the lines and branches of src that none takes
	rm -rf .auxseg/coverage && mkdir -p .auxseg/coverage
	$(RUN) $(COVERAGE) python -m coverage run -m pytest $(WORKERS) -m "not nightly and not cluster"
	$(RUN) $(COVERAGE) python -m coverage combine --quiet
	$(RUN) $(COVERAGE) python -m coverage report --show-missing --skip-covered

bench-quick: $(STAMP)  ## Measure the speed of this machine and of the code on it, in under ten minutes
	$(RUN) python benchmarks/performance/quick.py --to .auxseg/benchmarks

mutants: $(TOOLS)  ## Count the small changes of PARTS="fusion metrics ..." (default: all) that tests notice
	$(RUN) python tools/mutants.py $(PARTS)

lint: $(TOOLS)  ## Check style, formatting and types
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) tools/javascript/check.sh

licences: $(TOOLS)  ## Write docs/licences.md: the licences of all packages
	$(RUN) python tools/licences.py

# reaches the network, so it is no part of lint; in an environment of its own, because nothing else needs it
AUDIT := .auxseg/pip-audit
audit-dependencies: $(STAMP)  ## Ask PyPI which pinned packages have known vulnerabilities (needs the network)
	$(VENV)/bin/python -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check "pip-audit>=2.9,<3"
	@# --strict: otherwise it passes if it could look up no package at all
	$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off $(LOCKS:%=--requirement %) || { \
	  echo "error: vulnerable, or not audited; 'could not be audited' above means that this machine's package index" \
	    "does not answer the questions of pip-audit (PyPI's JSON API): run it where PyPI itself is reached" >&2; exit 1; }

# needs no .venv, because `make env` rejects a pin without hashes
UV := .auxseg/uv
locks:  ## Write the hashes of all pinned releases into the locks (needs the network)
	$(firstword $(PYTHONS)) -m venv $(UV)
	$(UV)/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.8,<1"
	sh tools/lock_hashes.sh $(UV)/bin/uv $(LOCKS)

format: $(TOOLS)  ## Fix formatting, and style errors that can be fixed automatically
	$(RUN) ruff check --fix-only --quiet .
	$(RUN) ruff format .
	$(RUN) tools/javascript/check.sh --write

env: $(STAMP)  ## Make or update .venv from requirements.lock and fetch the weights; TORCH=cpu leaves CUDA out

$(STAMP): requirements.lock requirements.build.lock pyproject.toml $(if $(BROKEN),FORCE)
	@$(if $(BROKEN),echo "$(VENV) is another folder's or has lost its Python: making it again (make env$(TORCH:%= TORCH=%))"; rm -f "$@";) \
	  sh workflow/environment.sh "$(VENV)" "$(STAMP)" "$(TORCH)" $(PYTHONS)

$(TOOLS): $(STAMP) requirements.dev.lock
	@echo "installing the tools of requirements.dev.lock into $(VENV): about 0.1 GB to download, 0.5 GB on disk"
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --require-hashes --no-build-isolation \
	  --requirement requirements.dev.lock --constraint requirements.lock
	@touch $@

clean:  ## Remove logs and the tools' caches; keep data, DVC's cache and .venv
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis logs
	# keep receipts: they are results that DVC has not recorded yet
	find .snakemake -mindepth 1 -maxdepth 1 ! -name dvc-receipts -exec rm -rf {} + 2>/dev/null || true
	find src tests workflow -name __pycache__ -type d -prune -exec rm -rf {} +
