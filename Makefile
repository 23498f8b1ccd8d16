# Everything starts here. On a bare Debian 12, `make demo` and `make test` first install what is missing
# (scripts/setup.sh); after that they need no network.

PYTHON := .venv/bin/python

# Ours is compiled once, not at every start of vsc and in every worker.
unexport PYTHONDONTWRITEBYTECODE

# Much of the time is waiting, and what is left at the end must not be with one worker.
WORKERS := -n 4 --dist worksteal

# More words for pytest, e.g. make test ARGS='-k pin -x'
ARGS ?=

.PHONY: help demo test test-long bench bench-quick fuzz docs clean setup

help:
	@echo 'make demo       make a card and use it with OpenSC; says what it does'
	@echo 'make test       lint, types and all tests in their short form (ARGS=... goes to pytest)'
	@echo 'make test-long  the same tests with full counts, and the slow ones'
	@echo 'make bench      how fast it is; make bench-quick: in a minute, without pcscd (ARGS="--json FILE --plot FILE")'
	@echo 'make fuzz       a million mutated commands (ARGS="--seed 2" for others)'
	@echo 'make docs       the site of the docs, into build/site, with pictures made in a browser'
	@echo 'make setup      only install what is missing: system packages, .venv'
	@echo 'make clean      remove what tests and builds leave behind (not .venv)'

setup:
	@scripts/setup.sh test

demo:
	@scripts/setup.sh demo
	@$(PYTHON) scripts/demo.py

test: setup
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest $(WORKERS) -m 'not long' $(ARGS)

test-long: setup
	HYPOTHESIS_PROFILE=long $(PYTHON) -m pytest $(WORKERS) $(ARGS)
	$(PYTHON) scripts/mutation.py
	$(PYTHON) scripts/soak.py --times 20

bench: setup
	$(PYTHON) -m bench.quick
	$(PYTHON) -m bench

bench-quick: setup
	$(PYTHON) -m bench.quick $(ARGS)

fuzz: setup
	$(PYTHON) -m bench.fuzz --count 1000000 $(ARGS)

docs: setup
	PYTHONPATH=. $(PYTHON) scripts/pictures.py
	PYTHONPATH=. NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build

clean:
	rm -rf build dist mutants .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
