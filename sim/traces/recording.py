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
from sim.scenario.units import LONGEST
from sim.scenario.workload import Trace, gaps
from sim.traces.columns import CHOICES, COLUMNS, RECORDED, TIMES
from sim.traces.mapping import mapped, selected, wanted_columns
from sim.traces.moments import read_times, zone_of
from sim.traces.tables import Table, is_missing, read_table

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
        assert isinstance(held, pd.DataFrame)
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

    def wanted(names: Sequence[str]) -> Sequence[str]:
        plain = "arrive" in names and trace.columns is None
        return [name for name in names if name in named or name in COLUMNS or name in RECORDED] if plain else names

    table = Table("the frame", source) if not isinstance(source, Path) else read_table(source, wanted)
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
    elif not _holds_numbers(table.frame["arrive"]):
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
        ignored = _ignored(source, table)
        if ignored:
            notes.append(f"{table.source}: columns not used: {shown(', '.join(ignored))}")
        return _recording(table, notes, digest, table.zero)
    if zero is not None:
        table, more = _from_zero(table, zero)
        notes += more
    return _recording(table, notes, digest, zero)


def _ignored(source: Path | pd.DataFrame, table: Table) -> list[str]:
    """Columns of the file that are not those of a trace."""
    names: list[str] = []

    def all_names(found: Sequence[str]) -> Sequence[str]:
        names.extend(found)
        return []

    if isinstance(source, Path):
        read_table(source, all_names)
    else:
        names = [str(name) for name in table.frame.columns]
    return [name for name in names if name not in COLUMNS and name not in RECORDED]


def _moment_of(start: str, timezone: str | None) -> float:
    at = datetime.fromisoformat(start)
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
    from sim.traces.importing import import_records

    if trace.where:
        table, notes = selected(table, trace)
        imported = import_records(table.frame, None, trace.timezone, zero)
    else:
        notes = []
        imported = import_records(source, None, trace.timezone, zero)
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
            columns[name] = _times(table, name) if name in TIMES else _words(table, name)
    _check_choices(columns, table)
    if "id" in columns:
        _check_ids(columns["id"], table)
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


def _holds_numbers(cells: pd.Series[Any]) -> bool:
    """Whether a column holds numbers, or texts most of which are numbers: the plain form of a trace."""
    import pandas as pd

    if isinstance(cells.dtype, pd.DatetimeTZDtype) or cells.dtype.kind in "mM":
        return False
    if pd.api.types.is_numeric_dtype(cells.dtype) or _is_object(cells):
        return True
    numbers = pd.to_numeric(cells, errors="coerce")
    return bool(2 * numbers.notna().sum() >= (cells != "").sum())


def _times(table: Table, name: str) -> NDArray[np.float64]:
    import numpy as np
    import pandas as pd

    cells = table.frame[name]
    kind = cells.dtype
    expected = "seconds: a number of 0 or more"
    is_bare = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
    if isinstance(kind, pd.StringDtype) and name != "arrive" and not _holds_numbers(cells):
        read = read_times(table, name, expected=expected)
        if read.are_moments:
            problem = "found moments on a calendar, expected lengths: say in 'columns' which two columns to subtract"
            raise InputError(table.source, name, problem)
        times, empty = read.seconds, np.isnan(read.seconds)
    elif not (is_bare or isinstance(kind, pd.StringDtype) or _is_object(cells) or kind.kind == "m"):
        raise InputError(table.source, name, f"found a column of type {_type_of(cells)}, expected numbers: seconds")
    elif kind.kind == "m":
        times = cells.dt.total_seconds().to_numpy(dtype=np.float64)
        empty = np.isnan(times)
    else:
        if _is_object(cells):
            _expect_plain_cells(table, name, (int, float), "numbers: seconds")
        empty = np.asarray(cells.isna() | (cells.astype(str) == "")) if not is_bare else cells.isna().to_numpy()
        there = cells.where(~empty) if not is_bare else cells
        times = np.array(pd.to_numeric(there, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
    bad = ~empty & ~((times >= 0) & (times <= LONGEST))
    if name == "arrive":
        bad = ~empty & ~((times >= 0) & (times <= 1e14))  # so large a one is told with what it looks like
    if name in ("arrive", "plan"):
        bad |= empty
    if bad.any():
        raise table.mistake(int(np.argmax(bad)), name, expected)
    return times


def _is_object(cells: pd.Series[Any]) -> bool:
    """Whether a column holds objects of any kind."""
    return bool(cells.dtype.kind == "O") and cells.dtype.name == "object"


def _type_of(cells: pd.Series[Any]) -> str:
    """The type of a column, as Arrow calls it."""
    import pyarrow as pa

    try:
        return str(pa.array(cells).type)
    except (pa.ArrowException, TypeError):
        return str(cells.dtype)


def _expect_plain_cells(table: Table, name: str, kinds: tuple[type, ...], expected: str) -> None:
    """Refuse lists, mappings, bytes and the like."""
    for row, cell in enumerate(table.frame[name].tolist()):
        if is_missing(cell) if not isinstance(cell, list | dict) and not hasattr(cell, "shape") else False:
            continue
        if isinstance(cell, bool) or not isinstance(cell, (*kinds, str)):
            if table.line_of is not None:
                raise table.mistake(row, name, expected)
            kind = _type_of(table.frame[name])
            raise InputError(table.source, name, f"found a column of type {kind}, expected {expected}")


def _words(table: Table, name: str) -> NDArray[Any]:
    import numpy as np
    import pandas as pd

    cells = table.frame[name]
    kind = cells.dtype
    is_text = isinstance(kind, pd.StringDtype)
    whole = pd.api.types.is_integer_dtype(kind) and name not in CHOICES
    expected = "texts or whole numbers"
    if _is_object(cells):
        _expect_plain_cells(table, name, (int,) if name not in CHOICES else (), expected)
    elif not (is_text or whole):
        raise InputError(table.source, name, f"found a column of type {_type_of(cells)}, expected {expected}")
    usual = CHOICES[name][0] if name in CHOICES and name != "type" else None
    empty = (cells.isna() | (cells == "")).to_numpy(dtype=bool) if not whole else cells.isna().to_numpy(dtype=bool)
    if empty.any() and usual is None:
        raise table.mistake(int(np.argmax(empty)), name, f"the {name} of the task")
    words = np.array(cells.tolist(), dtype=object)
    words[empty] = usual
    if name != "id":
        return words if is_text else np.array([str(word) for word in words], dtype=object)
    if is_text or _is_object(cells):
        numbers = [
            int(word) if isinstance(word, str) and word.isdecimal() and len(word) < 19 else word for word in words
        ]
        words = np.array(numbers, dtype=object)
    return words


def _check_choices(columns: dict[str, NDArray[Any]], table: Table) -> None:
    """Refuse rows of an unknown type, and confirmed tasks with nothing to apply where the file has all columns."""
    import numpy as np

    for name, choices in CHOICES.items():
        strange = ~np.isin(columns[name].astype(str), choices) if name in columns else np.zeros(0, dtype=bool)
        if strange.any():
            raise table.mistake(int(np.argmax(strange)), name, f"{', '.join(choices[:-1])} or {choices[-1]}")
    if all(name in columns for name in ("type", "confirm", "apply")):
        applies = columns["type"] == "plan_and_apply"
        for name, ending in (("decision", "discard"), ("plan_result", "no_changes"), ("plan_result", "error")):
            if name in columns:
                applies &= columns[name] != ending
        lacks = applies & ~np.isnan(columns["confirm"]) & np.isnan(columns["apply"])
        if lacks.any():
            raise table.mistake(int(np.argmax(lacks)), "apply", "seconds, as the task is confirmed and then applies")


def _check_ids(ids: NDArray[Any], table: Table) -> None:
    import pandas as pd

    twice = pd.Series([str(each) for each in ids.tolist()]).duplicated()
    if twice.any():
        raise table.mistake(int(twice.to_numpy().argmax()), "id", "an id of its own: an earlier row has the same")
