"""Recorded tasks, read from CSV, Parquet or `.dat` files into columns.

The columns are those of a listed task, as ``id type workspace arrive plan confirm apply``, times in seconds; only
``arrive`` has to be there. An empty ``confirm`` means that the human never decides, an empty ``cancel`` that the task
is not canceled, and an empty ``plan_result``, ``decision``, ``apply_result`` or ``execution_mode`` the usual one.

A ``.dat`` file holds records of two big-endian unsigned 32-bit integers, arrival and duration in milliseconds: the
format of taskcluster-provisioning-simulator's ``loadgen`` recordings. The duration becomes ``plan``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.scenario import Scenario
from sim.scenario.errors import InputError, shown
from sim.scenario.units import LONGEST
from sim.scenario.workload import gaps
from sim.traces.tables import CHOICES, COLUMNS, TIMES, Table, is_missing, read_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Recording:
    """The columns of a trace, in order of arrival.

    `columns` has those of `COLUMNS` that the file has: times as float64 seconds (NaN where empty), `id` and `workspace`
    as objects (int or str), the others as str. `notes` says what the reader did to the data that its owner should know.
    """

    columns: dict[str, NDArray[Any]]
    notes: tuple[str, ...]
    sha256: str
    """The checksum of the file that it was read from."""

    def __len__(self) -> int:
        return len(self.columns["arrive"])


def recording_of(scenario: Scenario) -> Recording | None:
    """The tasks of the scenario's trace, if it has one. A file that has not changed is read only once.

    Raises:
        InputError: the trace cannot be read, or lacks a column that the scenario does not give either.
    """
    trace, path = scenario.workload.trace, scenario.trace_path
    if trace is None or path is None:
        return None
    try:
        recording = _read_once(path, *_signature(path))
    except InputError as error:
        raise scenario.mistake(("workload", "trace"), str(error)) from None
    first = float(recording.columns["arrive"][0])
    if first >= scenario.horizon:
        problem = (
            f"found no task that arrives before the horizon ({scenario.horizon:g} s): the first does at {first:.15g} s"
        )
        raise scenario.mistake(("workload", "trace"), problem + _suspicion(first))
    _expect_known_pools(scenario, recording)
    for field, problem in gaps(trace, frozenset(recording.columns)):
        raise scenario.mistake(("workload", "trace", field), problem)
    return recording


def _expect_known_pools(scenario: Scenario, recording: Recording) -> None:
    for pool in dict.fromkeys(recording.columns["pool"].tolist() if "pool" in recording.columns else ()):
        if pool not in scenario.all_pools:
            known = ", ".join(scenario.all_pools)
            problem = f"found the pool {shown(pool)} in the trace, expected one of the pools: {known}"
            raise scenario.mistake(("workload", "trace"), problem)


def _suspicion(first: float) -> str:
    """What times that large probably are, in words."""
    if 1e9 <= first < 1e10:
        return ", which looks like seconds since 1970; expected seconds since the start of the simulation"
    if 1e12 <= first < 1e13:
        return ", which looks like milliseconds since 1970; expected seconds since the start of the simulation"
    return "; expected a longer horizon, or times that count from the start of the simulation"


def _signature(path: Path) -> tuple[int, int]:
    """What changes when the file does: its time of modification and its size."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return 0, 0  # reading it will say what is wrong
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=2)
def _read_once(path: Path, modified: int, size: int) -> Recording:
    recording = read_recording(path)
    if _signature(path) != (modified, size):
        raise InputError(str(path), "", "found that it changed while it was read, expected it to stay as it is")
    return recording


def read_recording(path: Path) -> Recording:
    """The trace in the file *path*; its ending says which format it has.

    Raises:
        InputError: the file cannot be read, or a row of it is not a task.
    """
    import numpy as np

    table = read_table(path)
    if "arrive" not in table.columns:
        found = ", ".join(table.columns) or "none"
        raise InputError(f"{path}:1", "arrive", f"found only the columns {shown(found)}, expected one named arrive")
    if not len(table):
        raise InputError(str(path), "", "found no rows, expected at least one task")
    columns: dict[str, NDArray[Any]] = {}
    for name in COLUMNS:
        if name in table.columns:
            columns[name] = _times(table, name) if name in TIMES else _words(table, name)
    _check_choices(columns, table)
    if "id" in columns:
        _check_ids(columns["id"], table)

    notes = []
    ignored = [name for name in table.columns if name not in COLUMNS]
    if ignored:
        notes.append(f"{path}: columns not used: {shown(', '.join(ignored))}")
    arrive = columns["arrive"]
    out_of_order = np.flatnonzero(arrive[1:] < arrive[:-1])
    if len(out_of_order):
        row = table.row(int(out_of_order[0]) + 1)
        notes.append(f"{path}: arrivals were not in order (first at {row}): sorted by arrival")
        order = np.argsort(arrive, kind="stable")
        columns = {name: column[order] for name, column in columns.items()}
    return Recording(columns, tuple(notes), sha256(path.read_bytes()).hexdigest())


def _times(table: Table, name: str) -> NDArray[np.float64]:
    import numpy as np
    import pandas as pd

    cells = table.columns[name]
    empty = np.isnan(cells) if cells.dtype == np.float64 else np.array([is_missing(cell) for cell in cells.tolist()])
    times = pd.to_numeric(pd.Series(cells).mask(empty), errors="coerce").to_numpy(dtype=np.float64)
    bad = ~empty & ~((times >= 0) & (times <= LONGEST))
    if name in ("arrive", "plan"):
        bad |= empty
    if bad.any():
        raise table.mistake(int(np.argmax(bad)), name, "seconds: a number of 0 or more")
    return times


def _words(table: Table, name: str) -> NDArray[Any]:
    import numpy as np

    words = np.empty(len(table), dtype=object)
    for row, cell in enumerate(table.columns[name].tolist()):
        if is_missing(cell) and name in CHOICES and name != "type":
            words[row] = CHOICES[name][0]
            continue
        if is_missing(cell):
            raise table.mistake(row, name, f"the {name} of the task")
        if name != "id":
            words[row] = str(cell)
        else:
            words[row] = int(cell) if isinstance(cell, str) and cell.isdecimal() and len(cell) < 19 else cell
    return words


def _check_choices(columns: dict[str, NDArray[Any]], table: Table) -> None:
    """Refuse rows of an unknown type, and confirmed tasks with nothing to apply where the file has all columns."""
    import numpy as np

    for name, choices in CHOICES.items():
        for row, word in enumerate(columns[name].tolist() if name in columns else ()):
            if word not in choices:
                raise table.mistake(row, name, f"{', '.join(choices[:-1])} or {choices[-1]}")
    if all(name in columns for name in ("type", "confirm", "apply")):
        applies = columns["type"] == "plan_and_apply"
        for name, ending in (("decision", "discard"), ("plan_result", "no_changes"), ("plan_result", "error")):
            if name in columns:
                applies &= columns[name] != ending
        lacks = applies & ~np.isnan(columns["confirm"]) & np.isnan(columns["apply"])
        if lacks.any():
            raise table.mistake(int(np.argmax(lacks)), "apply", "seconds, as the task is confirmed and then applies")


def _check_ids(ids: NDArray[Any], table: Table) -> None:
    seen: set[str] = set()
    for row, identifier in enumerate(ids.tolist()):
        if str(identifier) in seen:
            raise table.mistake(row, "id", "an id of its own: an earlier row has the same")
        seen.add(str(identifier))
