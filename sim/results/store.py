"""Results on disk: written beside, and renamed into place when they are complete."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from errno import EACCES
from pathlib import Path
from typing import Any

from sim.results.manifest import manifest
from sim.results.result import ExperimentResult
from sim.scenario import InputError


class Place:
    """Where the results of one scenario go. Entering it finds out whether they can be written.

    Args:
        out: the folder for the results of all scenarios.
        name: the scenario's name, and so of its folder in *out*.
    """

    def __init__(self, out: Path, name: str, beside: Path) -> None:
        self.folder = out / name
        self._beside = beside

    def write(self, result: ExperimentResult, pages: Mapping[str, str] | None = None) -> Path:
        """Write everything, *pages* by file name too, and put it in place of what was there. Returns the folder."""
        import pyarrow.parquet as pq

        for name, table in result.tables.items():
            with (self._beside / f"{name}.parquet").open("wb") as file:  # PyArrow cannot open every path
                pq.write_table(table, file)
        write_json(self._beside / "summary.json", result.summary)
        write_json(self._beside / "manifest.json", manifest(result))
        for name, text in (pages or {}).items():
            (self._beside / name).write_text(text, encoding="utf-8")
        if self.folder.is_symlink():
            self.folder.unlink()
        elif self.folder.exists():
            old = _old(self._beside)
            self.folder.rename(old)
            self._beside.rename(self.folder)
            shutil.rmtree(old)
            return self.folder
        self._beside.rename(self.folder)
        return self.folder


def _old(beside: Path) -> Path:
    """Where the results that were there before are while the new ones take their place."""
    return beside.with_name(beside.name.replace(".partial-", ".old-"))


@contextmanager
def reserved_place(out: Path, name: str) -> Iterator[Place]:
    """A place for results, kept until they are written; nothing is left of it if they are not.

    Raises:
        InputError: nothing can be written there.
    """
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    beside = out / f".{name}.partial-{os.getpid()}"
    try:
        try:
            _expect_results(out / name)
            out.mkdir(parents=True, exist_ok=True)
            beside.mkdir(exist_ok=True)
            if (out / name).is_dir() and not os.access(out / name, os.W_OK | os.X_OK):
                raise PermissionError(EACCES, os.strerror(EACCES))  # what is in it could not be replaced
        except OSError as error:
            problem = f"cannot be written: {error.strerror}, expected a folder for results"
            raise InputError(str(out), "", problem) from None
        yield Place(out, name, beside)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        old = _old(beside)
        if old.exists():  # interrupted between two renames, or while the old results were being deleted
            if not (out / name).exists():
                old.rename(out / name)
            shutil.rmtree(old, ignore_errors=True)
        for folder in missing:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _expect_results(folder: Path) -> None:
    """Refuse to replace anything but results of an earlier run. A link is replaced, but not what it leads to.

    Raises:
        InputError: something else is there.
    """
    if folder.is_symlink() or not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not (isinstance(found, dict) and {"scenario", "policies", "versions"} <= set(found)):
        problem = (
            "found something that is no result of an earlier run, expected another scenario name or another folder"
        )
        raise InputError(str(folder), "", problem)


def write_json(path: Path, data: Any) -> None:
    """Write *data* as indented JSON in full precision."""
    path.write_text(json.dumps(data, indent=2, allow_nan=False) + "\n", encoding="utf-8")
