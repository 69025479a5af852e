"""Builds the package. With SIM_COMPILED=1 a wheel has the model compiled by mypyc, too: the same source, only faster.

`make compiled` and `make wheel` do it; docs/performance.md says what it brings.
"""

import os
import sys
from pathlib import Path

from setuptools import setup

LEFT = {
    "__init__.py",
    "errors.py",  # mypyc compiles no classes that extend Python's exceptions,
    "processes.py",  # or SimPy's environment;
    "workload.py",  # and compiled code does not notice Ctrl-C, but this is asked for tasks all the time.
}
"""What is not compiled of `sim/model/`."""

compiled = []
if os.environ.get("SIM_COMPILED") == "1" and "bdist_wheel" in sys.argv:
    from mypyc.build import mypycify

    files = sorted(str(file) for file in Path("sim/model").glob("*.py") if file.name not in LEFT)
    # Types are checked by `make lint`. Here other modules are not followed: it would take most of a minute.
    options = ["--config-file=", "--follow-imports=skip"]
    # Compiling harder takes longer, and what comes of it is no faster.
    compiled = mypycify([*options, *files], opt_level="1", group_name="sim.model.compiled")

setup(ext_modules=compiled)
