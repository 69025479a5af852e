# Two commands are all a newcomer needs: `make run` and `make test`.
# Everything is installed into .venv, at the versions and hashes of constraints.txt.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test validate docs bench bench-quick compiled lint format lock clean

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

# The same in two minutes, for a change in progress; writes nothing.
bench-quick: $(READY)
	$(BIN)/python -m benchmarks --quick

# A minute: runs every policy on every scenario, and writes docs/policies.md and the pictures of the docs.
docs: $(READY)
	$(BIN)/python docs/pages.py

# Half a minute, with a C compiler: a wheel in dist/ in which the model is compiled, twice as fast. For this machine's kind
# and this Python; to be installed in place of the package, or beside it with `pip install --target`.
compiled: $(READY)
	rm -rf build
	SIM_COMPILED=3 $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --wheel-dir dist .

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
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
