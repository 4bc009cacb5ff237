# Everything a fresh machine with Python 3.11 needs. `make help` lists the commands.

PYTHON ?= $(shell for p in python3.11 python3; do command -v $$p && break; done)
VENV   ?= .venv
# Another package index, where the default is not reachable: make test PIP_INDEX=<its address>
PIP_INDEX ?=
# Parallel test processes
JOBS ?= 2
# Options for pytest, for example: make tests TESTS="-k schema -x"
TESTS ?=
# Options for the measurements, for example: make bench BENCH_OPTIONS="--tables pima --seeds 0"
BENCH_OPTIONS ?=

RUN := $(VENV)/bin
PIP_INSTALL = $(RUN)/python -m pip install --quiet --disable-pip-version-check \
	$(if $(PIP_INDEX),--index-url $(PIP_INDEX)) --constraint constraints.txt

DEMO_COHORT  := build/demo/cohort
DEMO         := $(RUN)/understudy ask "generate 2000 Type 2 diabetes patients EHR data with 20 important diabetes \
	observations based on the US population" --yes --out $(DEMO_COHORT)
DEMO_SOURCES := $(RUN)/understudy ask "which sources did you use?" --out $(DEMO_COHORT)
DEMO_TABLE   := build/demo/breast_cancer.csv
DEMO_RELEASE := build/demo/release
FROM_TABLE   := $(RUN)/understudy synthesize $(DEMO_TABLE) --target diagnosis --out $(DEMO_RELEASE)
BENCH        := $(RUN)/python -m benchmarks.run $(BENCH_OPTIONS)
BENCH_SPEED  := $(RUN)/python -m benchmarks.speed $(BENCH_OPTIONS)
BENCH_ATTACK := $(RUN)/python -m benchmarks.attacks $(BENCH_OPTIONS)
BENCH_PEERS  := $(RUN)/python -m benchmarks.peers $(BENCH_OPTIONS)
BENCH_PEOPLE := $(RUN)/python -m benchmarks.populations $(BENCH_OPTIONS)
DOCS         := $(RUN)/python -m docs.build

# One thread per process: several OpenMP pools on few cores slow each other down a hundredfold.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1
export MKL_NUM_THREADS = 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-table env test lint format types layers tests slow bench bench-attacks bench-speed \
        bench-peers bench-populations docs clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' \
		| awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

demo: $(VENV)/.base ## ask for 2000 patients with type 2 diabetes in plain words, then for the sources
	@echo '== demo: $(DEMO)'
	@rm -rf $(DEMO_COHORT)
	@$(DEMO)
	@echo '== demo: $(DEMO_SOURCES)'
	@$(DEMO_SOURCES)
	@echo "== the report: $(CURDIR)/$(DEMO_COHORT)/report.html"

demo-table: $(VENV)/.base $(DEMO_TABLE) ## make synthetic stand-ins for a bundled table, with a report
	@echo "== demo: $(FROM_TABLE)"
	@rm -rf $(DEMO_RELEASE)
	@$(FROM_TABLE) || test $$? -eq 3
	@echo "== the report: $(CURDIR)/$(DEMO_RELEASE)/report.html"

test: lint types layers tests ## all default checks: style, types, import contracts, tests

env: $(VENV)/.dev ## create the environment for development

lint: $(VENV)/.dev ## style
	@echo "== style"
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .

format: $(VENV)/.dev ## rewrite the code in the style of the house
	@$(RUN)/ruff check --fix .
	@$(RUN)/ruff format .

types: $(VENV)/.dev ## types
	@echo "== types"
	@$(RUN)/mypy

layers: $(VENV)/.dev ## import contracts: imports point down only
	@echo "== import contracts"
	@$(RUN)/lint-imports --no-logo

tests: $(VENV)/.dev ## tests, without those marked slow or gpu
	@echo "== tests"
	@$(RUN)/pytest -q -n $(JOBS) $(TESTS)

slow: $(VENV)/.dev ## tests marked slow
	@echo "== slow tests"
	@$(RUN)/pytest -q -n $(JOBS) -m "slow and not gpu" $(TESTS)

bench: $(VENV)/.base build/judge-env/.ready ## measure our synthesizers on public tables
	@echo "== bench: $(BENCH)"
	@$(BENCH)

bench-attacks: $(VENV)/.base ## measure what our own attacks gain on small public tables
	@echo "== attacks: $(BENCH_ATTACK)"
	@$(BENCH_ATTACK)

bench-speed: $(VENV)/.base ## measure how long people wait
	@echo "== speed: $(BENCH_SPEED)"
	@$(BENCH_SPEED)

bench-peers: $(VENV)/.base build/judge-env/.ready build/peers-env/.ready ## measure other people's synthesizers, in their own environment
	@echo "== bench of peers: $(BENCH_PEERS)"
	@$(BENCH_PEERS)

bench-populations: $(VENV)/.base ## measure the populations against the survey that they come from
	@echo "== bench of populations: $(BENCH_PEOPLE)"
	@$(BENCH_PEOPLE)

docs: $(VENV)/.dev ## write the reference pages from the catalogs
	@echo "== docs: $(DOCS)"
	@$(DOCS)

clean: ## remove what the commands made, and the caches; the environment stays
	@rm -rf build dist htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache .hypothesis
	@find src tests examples benchmarks -type d -name __pycache__ -prune -exec rm -rf {} +
	@echo "== clean; remove $(VENV) yourself to start from nothing"

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "No python3.11 or python3 found. Install Python 3.11 or newer."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than Python 3.11. Try: make PYTHON=<a newer python>"; exit 1; }
	@echo "== environment: creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "== environment: installing understudy"
	@$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "== environment: installing understudy and the tools of its developers"
	@$(PIP_INSTALL) --editable '.[deep,dev]'
	@touch $@ $(VENV)/.base

build/%-env/.ready: benchmarks/%-requirements.txt | $(VENV)/bin/python
	@echo "== environment: installing $< into $(@D)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check \
		$(if $(PIP_INDEX),--index-url $(PIP_INDEX)) --requirement $<
	@touch $@

$(DEMO_TABLE): examples/make_demo_table.py | $(VENV)/.base
	@echo "== demo: writing $@"
	@$(RUN)/python examples/make_demo_table.py $@
