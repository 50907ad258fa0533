# Two commands: `make run` opens the desk, `make test` runs the checks and tests.
# Each creates the virtual environment when it is not there yet; repeated calls do nothing again.
VENV   := .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check install --quiet --require-hashes

.PHONY: run test check fast mutate fuzz clean anvil

run: $(VENV)/.ready-run
	@$(PY) main.py $(ARGS)

test: check anvil
	@$(PY) -m pytest $(ARGS)

# The fast half of the tests: everything not marked slow.
fast: check anvil
	@$(PY) -m pytest -m "not slow" $(ARGS)

# Soundness at length (docs/soundness.md): every constraint, lookup and check of a contract deleted in turn; mutated proofs.
mutate: $(VENV)/.ready-test
	@$(PY) -m pytest tests/soundness/proving/full_mutations.py $(ARGS)
	@$(PY) -m tests.support.soundness.contract_mutations

fuzz: $(VENV)/.ready-test
	@$(PY) -m tests.support.soundness.proof_fuzz $(or $(COUNT),100000) $(or $(SEED),1)
	@$(PY) -m tests.support.soundness.contract_fuzz $(or $(CONTRACT_COUNT),10000) $(or $(SEED),1)

check: $(VENV)/.ready-test
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports

# Anvil, for the tests of a real node: through npm where it exists; otherwise the tests' summary says why they are skipped.
anvil: $(VENV)/.ready-test
	@$(PY) resources/setup/fetch_anvil.py

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 12) else "Proofline needs Python 3.11 or 3.12; this is %d.%d. Name one with: make PYTHON=python3.11" % v)'
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.ready-run: $(VENV)/.venv requirements.txt resources/setup/qt_libraries.py
	@echo "Setting up (once): the pinned packages, about 250 MB"
	@$(PIP) -r requirements.txt
	@$(PY) resources/setup/qt_libraries.py
	@touch $@

$(VENV)/.ready-test: $(VENV)/.ready-run requirements-dev.txt
	@echo "Setting up (once): the test tools"
	@$(PIP) -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
