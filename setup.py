"""Builds the package. With SIM_COMPILED=1 the engine is compiled by mypyc, too.

The machine code goes into `sim/engine/machine_code/`, beside its source, together with a digest of that source; see
`sim/machine_code.py`. `make compiled` and `make wheel` do it; docs/performance.md says what it brings.
"""

import importlib.util
import os
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext

NOT_COMPILED = {
    "__init__.py",
    "processes.py",  # mypyc compiles no classes that extend SimPy's environment.
    "arrivals.py",  # Compiled code does not notice Ctrl-C, but this file is asked for tasks all the time.
}
"""The files of `sim/engine/` that stay as they are."""

ENGINE = Path("sim/engine")
TYPES = [ENGINE / "processes.py", ENGINE / "arrivals.py", *Path("sim/runs").glob("*.py"), Path("sim/policies/view.py")]
"""Files that compiled code knows the types of, though they are not compiled themselves."""

# By its path: importing `sim` would need what is not installed yet.
spec = importlib.util.spec_from_file_location("machine_code", "sim/machine_code.py")
machine_code = importlib.util.module_from_spec(spec)
spec.loader.exec_module(machine_code)


class BuildMachineCode(build_ext):
    """Puts what it builds into the folder of machine code."""

    def get_ext_filename(self, fullname: str) -> str:
        """Where an extension module goes: not beside its source, but into the folder of machine code there."""
        path = Path(super().get_ext_filename(fullname))
        return str(path.parent / machine_code.FOLDER / path.name)

    def run(self) -> None:
        """Build, and note of which source."""
        source = machine_code.digest_of(ENGINE)
        super().run()
        if self.extensions:
            digest = Path(self.build_lib) / ENGINE / machine_code.FOLDER / machine_code.DIGEST
            digest.write_text(source + "\n", encoding="ascii")


compiled = []
if os.environ.get("SIM_COMPILED") == "1":
    from mypyc.build import mypycify

    files = sorted(str(file) for file in ENGINE.glob("*.py") if file.name not in NOT_COMPILED)
    # Types are checked by `make lint`. Here other modules are not followed: it would take most of a minute.
    options = ["--config-file=", "--follow-imports=skip"]
    # Compiling harder takes longer, and what comes of it is no faster.
    compiled = mypycify(
        [*options, *files, *map(str, TYPES)],
        only_compile_paths=files,
        opt_level="1",
        group_name="sim.engine.compiled",
    )

setup(ext_modules=compiled, cmdclass={"build_ext": BuildMachineCode})
