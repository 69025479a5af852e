"""The engine compiled, as `make compiled` does it, beside its source; and what that brings."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.alone import ROOT, NotHereError, alone
from benchmarks.pairs import Side, paired
from benchmarks.table import Row

WHICH = "from sim.engine import clock; assert clock.__file__.endswith('.so'), clock.__file__"


def compile_engine() -> None:
    """Compile the engine of this checkout.

    Raises:
        NotHereError: there is no C compiler.
    """
    if shutil.which("cc") is None:
        raise NotHereError("no C compiler")
    subprocess.run(["make", "--silent", "compiled"], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-c", WHICH], cwd=ROOT, check=True)


def rows(pairs: int, customers: int, tasks: int) -> Iterator[Row]:
    """The source against the compiled engine, which have to make the same records."""
    for what, function, args in (
        ("M/M/10", "benchmarks.peers:our_record", (customers,)),
        ("full model", "benchmarks.traffic:full_model", (200, tasks)),
    ):
        name = f"source / compiled: {what}"

        def side(compiled: bool, function: str = function, args: tuple[int, ...] = args) -> Side:
            warm = (*args[:-1], 200, 1)
            digest = "benchmarks.traffic:fingerprint"
            return lambda n: alone(function, *args, n + 1, warm=warm, digest=digest, compiled=compiled)

        found = paired(side(False), side(True), pairs)
        if any(one.found != other.found for one, other in zip(found.ones, found.others, strict=True)):
            yield Row(name, at_least=1.5, problem="the records differ")
        else:
            yield Row(name, found.ratios, at_least=1.5, times=found.times)
