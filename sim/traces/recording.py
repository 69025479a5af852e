"""Recorded tasks, read from a file or a frame into columns that can be simulated.

A file whose columns are those of a listed task (`id type workspace arrive plan confirm apply`, ...; only `arrive` has
to be there) is read as it is: times are seconds since the start, and an empty `confirm` means that the human never
decides. Where the scenario says which column is what, its words count (`sim.traces.mapping`). Otherwise the columns
are guessed by their names, and the endings concluded, as `sim import` does it (`sim.traces.importing`).

Time 0 is the scenario's `start` if it has one, and else the first arrival, where arrivals are moments on a calendar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.scenario import Scenario
from sim.scenario.errors import InputError, shown
from sim.scenario.workload import Trace, gaps
from sim.traces.cells import check_choices, check_ids, holds_numbers, times_in, words_in
from sim.traces.columns import COLUMNS, RECORDED, TIMES
from sim.traces.mapping import mapped, selected, wanted_columns
from sim.traces.moments import read_times, zone_of
from sim.traces.table import Table, table_of
from sim.traces.tables import read_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from sim.traces.events import Account


@dataclass(frozen=True, slots=True)
class Recording:
    """The columns of a trace, in order of arrival.

    `columns` has those of `COLUMNS` that the file has: times as float64 seconds (NaN where empty), `id` and `workspace`
    as objects (int or str), the others as str. `recorded` has those of `RECORDED`, likewise. `notes` says what the
    reader did to the data that its owner should know. `zero` is what time 0 is, in seconds since 1970, if it is known.
    """

    columns: dict[str, NDArray[Any]]
    notes: tuple[str, ...]
    sha256: str
    """The checksum of the file that it was read from."""
    recorded: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    zero: float | None = None

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
        recording = _read_once(path, *_signature(path), trace.model_dump_json(), scenario.start, scenario.trace_frame)
    except InputError as error:
        raise scenario.mistake(("workload", "trace"), str(error)) from None
    first = float(recording.columns["arrive"][0])
    if first >= scenario.horizon:
        problem = (
            f"found no task that arrives before the horizon ({scenario.horizon:g} s): the first does at {first:.15g} s"
        )
        raise scenario.mistake(("workload", "trace"), problem + _suspicion(first))
    last = float(recording.columns["arrive"][-1])
    if trace.resample is not None and trace.resample > last:
        problem = f"found {trace.resample:g} s, expected at most the time up to the last arrival ({last:g} s)"
        raise scenario.mistake(("workload", "trace", "resample"), problem)
    _expect_known_pools(scenario, recording)
    for name, problem in gaps(trace, frozenset(recording.columns)):
        raise scenario.mistake(("workload", "trace", name), problem)
    return recording


def _expect_known_pools(scenario: Scenario, recording: Recording) -> None:
    for pool in dict.fromkeys(recording.columns["pool"].tolist() if "pool" in recording.columns else ()):
        if pool not in scenario.all_pools:
            known = ", ".join(scenario.all_pools)
            problem = f"found the pool {shown(pool)} in the trace, expected one of the pools: {known}"
            if scenario.pools is None:
                problem += "; 'sim import --scenario' drafts a scenario with the pools of the records"
            raise scenario.mistake(("workload", "trace"), problem)


def _suspicion(first: float) -> str:
    """What times that large probably are, in words."""
    hint = "; expected seconds since the start of the simulation, or 'columns: {arrive: arrive}', which counts from " \
           "the first arrival"  # fmt: skip
    if 1e9 <= first < 1e10:
        return ", which looks like seconds since 1970" + hint
    if 1e12 <= first < 1e13:
        return ", which looks like milliseconds since 1970" + hint
    return "; expected a longer horizon, or times that count from the start of the simulation"


def _signature(path: Path) -> tuple[int, int]:
    """What changes when the file does: its time of modification and its size."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return 0, 0  # reading it will say what is wrong
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _read_once(path: Path, modified: int, size: int, trace: str, start: str | None, frame: object | None) -> Recording:
    if frame is not None:
        import pandas as pd

        held = getattr(frame, "frame", None)
        if not isinstance(held, pd.DataFrame):
            raise InputError("", "", f"found {type(held).__name__}, expected a file or a pandas frame")
        return read_recording(held, Trace.model_validate_json(trace), start)
    recording = read_recording(path, Trace.model_validate_json(trace), start)
    if _signature(path) != (modified, size):
        raise InputError(str(path), "", "found that it changed while it was read, expected it to stay as it is")
    return recording


def read_recording(source: Path | pd.DataFrame, trace: Trace | None = None, start: str | None = None) -> Recording:
    """The trace in the file or frame *source*.

    Args:
        source: a file, whose ending says which format it has, or a frame.
        trace: says which column is what, and which rows to keep, if anything has to be said.
        start: what time 0 is on the calendar, in ISO 8601.

    Raises:
        InputError: the file cannot be read, or a row of it is not a task.
    """
    trace = trace or Trace(file=str(source) if isinstance(source, Path) else "-")
    named = wanted_columns(trace)

    all_names: list[str] = []

    def wanted(names: Sequence[str]) -> Sequence[str]:
        all_names.extend(names)
        plain = "arrive" in names and trace.columns is None
        return [name for name in names if name in named or name in COLUMNS or name in RECORDED] if plain else names

    table = read_table(source, wanted) if isinstance(source, Path) else table_of(source)
    digest = _digest(source)
    if not len(table) and ("arrive" in table.frame or not isinstance(source, Path)):
        raise InputError(table.source, "", "found no rows, expected at least one task")
    zero = None if start is None else _moment_of(start, trace.timezone)
    if trace.columns is None and "arrive" not in table.frame:
        return _guessed(source, table, trace, zero, digest)
    table, notes = selected(table, trace)
    if trace.columns is not None:
        table, first, more = mapped(table, trace)
        notes += more
        zero = None if first is None else (zero if zero is not None else first)
    elif not holds_numbers(table.frame["arrive"]):
        times = read_times(table, "arrive", trace.timezone, "seconds: a number of 0 or more")
        notes += [f"{table.source}: {note}" for note in times.notes]
        if times.are_moments:
            import numpy as np

            if np.isnan(times.seconds).any():
                raise table.mistake(int(np.argmax(np.isnan(times.seconds))), "arrive", "a time")
            zero = float(times.seconds.min()) if zero is None else zero
            table = Table(table.source, table.frame.assign(arrive=times.seconds), table.line_of)
        else:
            zero = None
    else:
        names = all_names or [str(name) for name in table.frame.columns]
        ignored = [name for name in names if name not in COLUMNS and name not in RECORDED]
        if ignored:
            notes.append(f"{table.source}: columns not used: {shown(', '.join(ignored))}")
        return _recording(table, notes, digest, table.zero)
    if zero is not None:
        table, more = _from_zero(table, zero)
        notes += more
    return _recording(table, notes, digest, zero)


def _moment_of(start: str, timezone: str | None) -> float:
    try:
        at = datetime.fromisoformat(start)
    except (TypeError, ValueError):
        raise InputError("", "start", f"found {shown(start)}, expected a moment such as 2026-06-01T08:00") from None
    zone = zone_of(timezone) if timezone else UTC
    return (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()


def _from_zero(table: Table, zero: float) -> tuple[Table, list[str]]:
    """The table with moments as seconds since time 0, without the rows that arrived before that."""
    frame = table.frame.copy()
    for name in ("arrive", *(name for name in RECORDED if name in frame)):
        frame[name] = (frame[name] - zero).round(6)
    early = frame["arrive"] < 0
    if not early.any():
        return Table(table.source, frame, table.line_of), []
    if early.all():
        problem = "found that all tasks arrive before the scenario's start, expected one that arrives after it"
        raise InputError(table.source, "arrive", problem)
    rows = (~early).to_numpy().nonzero()[0]
    lines = table.line_of
    kept = frame[~early].reset_index(drop=True)
    notes = [f"{table.source}: {int(early.sum())} rows left out, as they arrive before the scenario's start"]
    return Table(table.source, kept, None if lines is None else (lambda n: lines(int(rows[n])))), notes


def _guessed(source: Path | pd.DataFrame, table: Table, trace: Trace, zero: float | None, digest: str) -> Recording:
    """A table with columns of other names: what they are is guessed, and the endings concluded."""
    from sim.traces.importing import foreign_records

    if trace.where:
        table, notes = selected(table, trace)
        imported = foreign_records(table.frame, None, trace.timezone, zero)
    else:
        notes = []
        imported = foreign_records(source, None, trace.timezone, zero)
    notes += [f"{table.source}: {line}" for line in lines_of(imported.account)]
    return _recording(Table(table.source, imported.frame), notes, digest, imported.zero)


def lines_of(account: Account) -> list[str]:
    """What an account says, a line for each thing."""
    lines = [*account.notes]
    lines += [f"{each.rows} rows left out: {each.reason} (first {each.first})" for each in account.left_out]
    return [*lines, *account.inferred]


def _digest(source: Path | pd.DataFrame) -> str:
    if isinstance(source, Path):
        found = sha256()
        with source.open("rb") as file:
            while block := file.read(1 << 24):
                found.update(block)
        return found.hexdigest()
    import pandas as pd

    return sha256(pd.util.hash_pandas_object(source.astype(str)).to_numpy().tobytes()).hexdigest()


def _recording(table: Table, notes: list[str], digest: str, zero: float | None) -> Recording:
    """The table's columns, checked, in order of arrival."""
    import numpy as np

    columns: dict[str, NDArray[Any]] = {}
    for name in COLUMNS:
        if name in table.frame:
            columns[name] = times_in(table, name) if name in TIMES else words_in(table, name)
    check_choices(columns, table)
    if "id" in columns:
        check_ids(columns["id"], table)
    recorded = {
        name: read_times(table, name, expected="seconds: a number").seconds for name in RECORDED if name in table.frame
    }
    arrive = columns["arrive"]
    out_of_order = np.flatnonzero(arrive[1:] < arrive[:-1])
    if len(out_of_order):
        row = table.row(int(out_of_order[0]) + 1)
        notes.append(f"{table.source}: arrivals were not in order (first at {row}): sorted by arrival")
        order = np.argsort(arrive, kind="stable")
        columns = {name: column[order] for name, column in columns.items()}
        recorded = {name: column[order] for name, column in recorded.items()}
    return Recording(columns, tuple(notes), digest, recorded, zero)
