"""Where the compiled model is, in a checkout that has it."""

from __future__ import annotations

import os
from pathlib import Path

_PLACE = Path(__file__).parents[1] / ".compiled"


def instead_of(package: str, folder: str) -> list[str]:
    """The folder of what `make compiled` has made of a package, if it has made it of exactly the files there are now.

    Args:
        package: the package's name.
        folder: where its files are.
    """
    compiled = _PLACE.joinpath(*package.split("."))
    if os.environ.get("SIM_COMPILED") == "0" or not compiled.is_dir():
        return []
    try:
        return [str(compiled)] if _source(compiled) == _source(Path(folder)) else []
    except OSError:
        return []


def _source(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.py")}
