"""The package with its model compiled, as `make compiled` makes it, beside the source; and what that brings."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchmarks.alone import ROOT, NotHereError, alone
from benchmarks.pairs import Side, paired
from benchmarks.table import Row

_THERE = ROOT / "build" / "compiled"


def source() -> Path:
    """The folder with the package as it is."""
    return ROOT


@cache
def compiled() -> Path:
    """The folder with the compiled package, made anew the first time it is asked for.

    Raises:
        NotHereError: there is no C compiler.
    """
    if shutil.which("cc") is None:
        raise NotHereError("no C compiler")
    subprocess.run(["make", "--silent", "compiled", f"PYTHON={sys.executable}"], cwd=ROOT, check=True)
    newest = max((ROOT / "dist").glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime)
    install = ["pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--target", str(_THERE)]
    subprocess.run([sys.executable, "-m", *install, str(newest)], check=True)
    return _THERE


def rows(pairs: int, customers: int, tasks: int) -> Iterator[Row]:
    """The source against the compiled model, which has to make the same records."""
    for what, function, args in (
        ("M/M/10", "benchmarks.peers:our_record", (customers,)),
        ("full model", "benchmarks.traffic:full_model", (200, tasks)),
    ):
        name = f"source / compiled: {what}"
        try:
            folder = compiled()
        except NotHereError as error:
            yield Row(name, at_least=1.5, problem=f"cannot be run here: {error}")
            continue

        def side(package: Path, function: str = function, args: tuple[int, ...] = args) -> Side:
            warm = (*args[:-1], 200, 1)
            digest = "benchmarks.traffic:fingerprint"
            return lambda n: alone(function, *args, n + 1, warm=warm, digest=digest, package=package)

        found = paired(side(ROOT), side(folder), pairs)
        if any(one.found != other.found for one, other in zip(found.ones, found.others, strict=True)):
            yield Row(name, at_least=1.5, problem="the records differ")
        else:
            yield Row(name, found.ratios, at_least=1.5, times=found.times)
