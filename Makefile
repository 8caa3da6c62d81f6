# The front door: every verb that a person types. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh

STUDY ?=
PROFILE ?= sample
DATA ?=
CORES ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
JOBS ?= $(CORES)
PORT ?= 8000
EXPERIMENT ?=
PYTHON3 ?= python3

# An active conda environment made from environment.yml is used as it is; otherwise .venv is made from the lock.
ifeq ($(CONDA_DEFAULT_ENV),lesionbook)
  PYTHON := $(CONDA_PREFIX)/bin/python
  READY := $(CONDA_PREFIX)/.lesionbook-ready
else
  PYTHON := $(CURDIR)/.venv/bin/python
  READY := .venv/.lesionbook-ready
endif

SNAKEMAKE = "$(PYTHON)" -m snakemake --cores $(CORES) --resources notebooks=$(JOBS) --keep-going --nolock --rerun-incomplete \
  --logger lesionbook --max-checksum-file-size 50MB --rerun-triggers mtime params input \
  --config study="$(STUDY)" profile="$(PROFILE)" data="$(DATA)"

export PYTHONHASHSEED := 0

.PHONY: help
help: ## list the verbs
	@printf 'Lesionbook: folders of cancer images in, reports out.\n\n'
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'
	@printf '\nWith   STUDY=name (or several in quotes)   PROFILE=sample|laptop|paper   DATA=folder of real images   JOBS=notebooks at once\n'

.PHONY: report
report: $(READY) ## run the notebooks and render reports/index.html, HTML and PDF
	@$(SNAKEMAKE)

.PHONY: plan
plan: $(READY) ## say what make report would run, and why
	@$(SNAKEMAKE) --dry-run

.PHONY: test
test: $(READY) ## run the tests
	@"$(PYTHON)" -m pytest -n $(CORES) --dist loadfile

.PHONY: bench
bench: $(READY) ## measure how fast images are prepared, 220,000 drawn patches among them, and shown to networks
	@"$(PYTHON)" tests/bench_prepare.py --patches 220000
	@"$(PYTHON)" tests/bench_training.py

.PHONY: serve
serve: $(READY) ## serve the best network of STUDY as a page for the browser, on this machine only (PORT=8000)
	@"$(PYTHON)" -m lesionbook.serve "$(or $(STUDY),isic2019-transfer)" "$(PROFILE)" "$(PORT)" \
	  $(if $(EXPERIMENT),--experiment "$(EXPERIMENT)")

.PHONY: lab
lab: $(READY) ## open the notebooks in JupyterLab
	@"$(PYTHON)" -m jupyterlab notebooks

.PHONY: data
data: $(READY) ## download the images of STUDY and check them
	@"$(PYTHON)" -m lesionbook.download $(STUDY)

.PHONY: format
format: $(READY) ## format and lint code and notebooks
	@"$(PYTHON)" -m ruff format . && "$(PYTHON)" -m ruff check --fix .

.PHONY: lock
lock: $(READY) ## renew requirements.lock from pyproject.toml
	@"$(PYTHON)" -m uv pip compile pyproject.toml --extra dev --universal --fork-strategy fewest --python-version 3.11 \
	  --generate-hashes --no-strip-extras --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock

.PHONY: schema
schema: $(READY) ## write params/study.schema.json, by which editors check study files
	@"$(PYTHON)" -c 'from lesionbook import schema; print(schema.json_schema(), end="")' > params/study.schema.json

.PHONY: clean
clean: ## delete build/ and reports/; both are made again by make report
	@rm -rf build reports .snakemake

$(READY): requirements.lock pyproject.toml
	@printf 'Setting up (once): installing requirements.lock with %s\n' "$(PYTHON)"
	@test -x "$(PYTHON)" || $(PYTHON3) -m venv .venv
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo 'error: Python 3.11 to 3.13 is needed; name one by make PYTHON3=python3.12 (and delete .venv).'; exit 1; }
	@"$(PYTHON)" -m pip install --quiet --disable-pip-version-check --compile --require-hashes --requirement requirements.lock
	@"$(PYTHON)" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)
