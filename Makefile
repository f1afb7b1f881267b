# Each target does its own set-up, once. PYTHON chooses the interpreter (3.11 or newer) for the first set-up.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo demo-period test test-all mutants lab bench sample system clean

demo: .venv/core
	@$(BIN)/keyaudit demo

# A year of weekly evidence of a made-up account, and the evidence of that period, in reports/demo-period.
demo-period: .venv/dev
	@$(BIN)/python tests/tools/make_year.py

test: system .venv/dev
	@$(BIN)/python tests/tools/run_checks.py

# The same with many more generated examples, every sequence of faults, and coverage: for a nightly run.
test-all: system .venv/dev
	@$(PYTHON) tests/tools/system.py --all
	@$(BIN)/python tests/tools/run_checks.py --all

# Faults in the code, one at a time: does some test fail for each?
mutants: system .venv/dev
	@$(BIN)/python tests/tools/mutants.py

lab: .venv/lab
	@$(BIN)/keyaudit lab

bench: .venv/dev
	@$(BIN)/python tests/tools/bench.py

# After a change that shows in the report: make the committed sample evidence again, and look at it.
sample: .venv/dev
	@$(BIN)/python tests/tools/make_sample.py

# What the tests need of the system (Chromium, cron, ...): installed where apt may be used, else named.
system:
	@$(PYTHON) tests/tools/system.py

.venv/core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "keyaudit needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/lab: .venv/core
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[lab]'
	@touch $@

.venv/dev: .venv/core
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cluster,lab,pdf,xlsx,dev]'
	@touch $@ .venv/lab

clean:
	rm -rf .venv
