# Two commands are all a newcomer needs: `make run` and `make test`.
# Everything is installed into .venv, at the versions and hashes of constraints.txt.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
COMPILE := rm -rf build && SIM_COMPILED=1 $(BIN)/python setup.py --quiet build_ext --build-lib build/lib \
  && rm -rf sim/engine/machine_code && mv build/lib/sim/engine/machine_code sim/engine/
INSTALL := $(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat -e .

.PHONY: run test validate mutants docs bench bench-quick compiled wheel lint format lock clean

run: $(READY)
	$(BIN)/sim run scenarios/reserved-pod-deleted.yaml

test: lint
	$(BIN)/pytest -n 2

# Some minutes: compares with queueing theory and with another simulator, and writes docs/validation.md.
validate: $(READY)
	$(BIN)/python tests/validation

# A quarter of an hour: breaks each rule of docs/model.md, in the model and in the engine, and sees that a test notices.
mutants: $(READY)
	$(BIN)/python tests/mutations

# Half an hour on a quiet machine: measures everything, peers too, and writes the table in docs/performance.md.
bench: $(READY)
	$(BIN)/python -m benchmarks

# The source in a minute, for a change in progress; writes nothing.
bench-quick: $(READY)
	$(BIN)/python -m benchmarks --quick

# A minute: runs every policy on every scenario, and writes docs/policies.md and the pictures of the docs.
docs: $(READY)
	$(BIN)/python docs/pages.py

# Half a minute, with a C compiler: compiles the engine, which is then twice as fast, up to the next change in sim/engine/.
# Setting up has done it already, where it could.
compiled: $(READY)
	$(COMPILE)

# The same as a wheel in dist/, to be installed elsewhere: on this kind of machine, with this version of Python.
wheel: $(READY)
	rm -rf build
	SIM_COMPILED=1 $(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

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

# The environment has to be made anew only if other packages are pinned, not with every change of pyproject.toml.
$(READY): $(VENV)/.packages pyproject.toml setup.py
	$(INSTALL)
	touch $@

$(VENV)/.packages: constraints.txt
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed, this is " + sys.version)'
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --require-hashes -r constraints.txt
	@($(COMPILE)) >/dev/null 2>&1 || echo "The engine could not be compiled ('make compiled' says why). Its source runs, half as fast." >&2
	touch $@

clean:
	rm -rf $(VENV) sim/engine/machine_code .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
