"""Whether machine code that was made of a package's source is still of that source."""

from __future__ import annotations

import os
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Final

FOLDER: Final = "machine_code"
"""Where the machine code of a package is: in a folder of that name beside its source."""

DIGEST: Final = "source.sha256"
"""The file in it that says of which source it was made."""


def usable(package: str) -> str | None:
    """The folder with the machine code of the package whose source is in the folder *package*, if it is to be used.

    Machine code of other source is not used, and a warning says so. With ``SIM_COMPILED=0`` in the environment none
    is used.
    """
    folder = Path(package) / FOLDER
    if os.environ.get("SIM_COMPILED") == "0" or not folder.is_dir():
        return None
    try:
        made_of = (folder / DIGEST).read_text(encoding="ascii").strip()
        if made_of == digest_of(Path(package)):
            return str(folder)
        problem = "was made of other source than there is"
    except (OSError, ValueError) as error:
        problem = f"cannot be used ({error})"
    warnings.warn(
        f"The machine code in {folder} {problem}. The source runs, which is slower. 'make compiled' makes it anew.",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


def digest_of(package: Path) -> str:
    """A fingerprint of the source files of a package."""
    found = sha256()
    for file in sorted(package.glob("*.py")):
        found.update(f"{file.name}\n".encode() + file.read_bytes())
    return found.hexdigest()
