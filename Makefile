# Two commands are all a newcomer needs: `make run` and `make test`.
# Everything is installed into .venv, at the versions and hashes of constraints.txt.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test validate docs bench bench-quick lint format lock clean

run: $(READY)
	$(BIN)/sim run scenarios/reserved-pod-deleted.yaml

test: lint
	$(BIN)/pytest -n 2

# Some minutes: compares with queueing theory and with another simulator, and writes docs/validation.md.
validate: $(READY)
	$(BIN)/python tests/validation

# Twenty minutes on a quiet machine: measures everything, peers too, and writes the table in docs/performance.md.
bench: $(READY)
	$(BIN)/python -m benchmarks

# The same in about a minute, for a change in progress; writes nothing.
bench-quick: $(READY)
	$(BIN)/python -m benchmarks --quick

# A minute: runs every policy on every scenario, and writes docs/policies.md and the pictures of the docs.
docs: $(READY)
	$(BIN)/python docs/pages.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Needs uv. Run after a change of the dependencies in pyproject.toml.
lock:
	echo 'setuptools>=77' | uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade \
	  --no-emit-index-url --no-header --no-annotate --all-extras pyproject.toml - -o constraints.txt

$(READY): constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed, this is " + sys.version)'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
