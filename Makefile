# Two commands: `make run` opens the desk, `make test` runs the checks and tests.
# Each creates the virtual environment when it is not there yet; repeated calls do nothing again.
# `make PYTHON=python3.12` names the Python to make it with.
VENV   := .venv
PYTHON ?=
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check install --quiet --require-hashes

.PHONY: run test check fast mutate fuzz soak-journal clean anvil wheel requirements

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

# Damaged data folders at length: every one is refused in words or has lost nothing (tests/support/damage.py).
soak-journal: $(VENV)/.ready-test
	@$(PY) -m tests.support.damage $(or $(COUNT),500) $(or $(SEED),1)

check: $(VENV)/.ready-test
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports

# Anvil, for the tests of a real node: through npm where it exists; otherwise the tests' summary says why they are skipped.
anvil: $(VENV)/.ready-test
	@$(PY) resources/setup/fetch_anvil.py

$(VENV)/.venv:
	@sh resources/setup/make_venv.sh $(VENV) $(PYTHON)
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

# The package, in build/: `pip install build/proofline-*.whl` gives the command `proofline`.
wheel: $(VENV)/.ready-test
	@$(PY) -m hatchling build -t wheel -d build

# Pinned and hashed requirements from pyproject.toml. Needs pip-tools, which is in no requirements file: pip install pip-tools.
COMPILE := pip-compile --quiet --generate-hashes --no-emit-find-links --no-emit-index-url --no-emit-trusted-host --strip-extras
requirements:
	$(COMPILE) --extra=dev --extra=cluster --output-file=requirements-dev.txt pyproject.toml
	$(COMPILE) --constraint=requirements-dev.txt --output-file=requirements.txt pyproject.toml
	$(COMPILE) --constraint=requirements-dev.txt --output-file=requirements-cluster.txt requirements-cluster.in

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
