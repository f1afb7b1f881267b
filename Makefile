# Each target does its own set-up, once. PYTHON chooses the interpreter (3.11 or newer) for the first set-up.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-all lab bench sample clean

demo: .venv/core
	@$(BIN)/keyaudit demo

test: .venv/dev
	@$(BIN)/python tests/tools/run_checks.py

# The same with many more generated examples, every sequence of faults, and coverage: for a night.
test-all: .venv/dev
	@$(BIN)/python tests/tools/run_checks.py --all

lab: .venv/lab
	@$(BIN)/keyaudit lab

bench: .venv/dev
	@$(BIN)/python tests/tools/bench.py

# After a change that shows in the report: make the committed sample evidence again, and look at it.
sample: .venv/dev
	@$(BIN)/python tests/tools/make_sample.py

.venv/core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "keyaudit needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/lab: .venv/core
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[lab]'
	@touch $@

.venv/dev: .venv/core
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[lab,dev]'
	@touch $@ .venv/lab

clean:
	rm -rf .venv
