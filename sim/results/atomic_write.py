"""Files are written beside, and renamed into place when they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sim.scenario import InputError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Where to write what is to be the file *path*; it takes its place on leaving, unless that is by an error.

    A pipe or a device is not replaced but written to, and of a link what it leads to is replaced.

    Raises:
        InputError: it cannot be written.
    """
    is_special = str(path.absolute()).startswith(("/dev/", "/proc/"))  # /dev/stdout may lead to a plain file
    in_place = path.exists() and (is_special or not (path.is_file() or path.is_dir()))
    target = path if is_special else Path(os.path.realpath(path))
    partial = target if in_place else target.with_name(f".{target.name}.partial-{os.getpid()}")
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            if not in_place:
                partial.replace(target)
        finally:
            if not in_place:
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(str(path), "", f"cannot be written: {error.strerror}, expected a file") from None


def write_text(path: Path, text: str) -> None:
    """Write *text* to the file *path*.

    Raises:
        InputError: it cannot be written.
    """
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")
