# Every target sets up what it needs in a fresh clone. PYTHON chooses the interpreter: make test PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
DEMO ?= build/demo

.PHONY: help check-python setup demo test conformance pairings lint format docs bench soak clean

help:
	@echo "make demo    the whole story on two embedded orgs, in $(DEMO)"
	@echo "make test    the tests"
	@echo "make conformance  what every kind of store has to pass, alone and in pairings"
	@echo "make pairings  every test of several orgs on every pairing of stores"
	@echo "make setup   a virtual environment in $(VENV) with the program at $(BIN)/orgsync"
	@echo "make lint    format, style, types and the order of the rooms"
	@echo "make format  lets the formatter rewrite the code"
	@echo "make docs    writes docs/commands.md, docs/manifests.md and the schema again from the program"
	@echo "make bench   the benchmarks"
	@echo "make soak    the long tests"
	@echo "make clean   removes what the targets made"

check-python:
	@command -v '$(PYTHON)' >/dev/null || { echo 'there is no $(PYTHON); choose another one: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -c 'import sys, sqlite3; sys.exit(0 if sys.version_info >= (3, 11) and sqlite3.sqlite_version_info >= (3, 35, 0) else "orgsync needs Python 3.11 and SQLite 3.35 or newer, not Python %d.%d with SQLite %s; choose another one: make PYTHON=python3.12" % (*sys.version_info[:2], sqlite3.sqlite_version))'

$(STAMP): pyproject.toml
	@$(MAKE) --no-print-directory check-python
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

setup: $(STAMP)

demo: $(STAMP)
	@rm -rf '$(DEMO)'
	@$(BIN)/orgsync demo '$(DEMO)'
	@echo 'The program is $(BIN)/orgsync; to type just orgsync: source $(BIN)/activate'

test: $(STAMP)
	$(BIN)/python -m pytest -q -n $(WORKERS) -m 'not soak'

conformance: $(STAMP)
	$(BIN)/python -m pytest -q -n $(WORKERS) -m 'conformance and not soak'

pairings: $(STAMP)
	$(BIN)/python -m pytest -q -n $(WORKERS) -m 'conformance and not soak' --every-pairing

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)
	$(BIN)/python -m orgsync_reconcile.cli.reference docs/commands.md
	$(BIN)/python -m orgsync_reconcile.cli.rules docs/diagnostics.md orgsync_reconcile/cli/rules.json
	$(BIN)/python -m orgsync_reconcile.manifest.reference docs/manifests.md
	$(BIN)/orgsync schema > schemas/orgsync.schema.json

bench: $(STAMP)
	@set -e; for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

soak: $(STAMP)
	$(BIN)/python -m pytest -q -m soak
	$(BIN)/python benchmarks/bench_idle.py --records 1000 10000000

clean:
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
