"""A table in which a scenario says which column is what (`trace: {file: ..., columns: ..., where: ...}`)."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.traces.columns import RECORDED, TIMES
from sim.traces.events import TYPE_OF, words
from sim.traces.moments import Times, read_times
from sim.traces.table import Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from sim.scenario.workload import Trace


def wanted_columns(trace: Trace) -> set[str]:
    """The columns of the file that the scenario names."""
    named = set(trace.where or ())
    for columns in (trace.columns or {}).values():
        named |= {columns} if isinstance(columns, str) else set(columns)
    return named


def selected(table: Table, trace: Trace) -> tuple[Table, list[str]]:
    """The rows of the table that `where` keeps, and what to say of the others.

    Raises:
        InputError: there is no such column, or no such row.
    """
    import numpy as np

    if not trace.where:
        return table, []
    keep = np.ones(len(table), dtype=bool)
    notes: list[str] = []
    for column, values in trace.where.items():
        _expect_column(table, column)
        wanted = {str(value) for value in (values if isinstance(values, tuple) else (values,))}
        texts = table.frame[column].map(str)
        keep &= texts.isin(wanted).to_numpy()
        unknown = sorted(wanted - set(texts))
        if unknown:
            notes.append(f"{table.source}: no row has {column}: {shown(', '.join(unknown))}")
    if not keep.any():
        said = ", ".join(f"{column}: {shown(_listed(values))}" for column, values in trace.where.items())
        first = next(iter(trace.where))
        there = ", ".join(dict.fromkeys(str(cell) for cell in table.frame[first].head(10_000).tolist()))
        raise InputError(table.source, first, f"found no row with {said}, expected one; the column has {shown(there)}")
    left = int(np.sum(~keep))
    rows = np.flatnonzero(keep)
    lines = table.line_of
    line_of = None if lines is None else (lambda number: lines(int(rows[number])))
    notes += [f"{table.source}: {left} of {len(table)} rows left out by where"] if left else []
    return Table(table.source, table.frame[keep].reset_index(drop=True), line_of), notes


def _listed(values: Any) -> str:
    return " or ".join(map(str, values)) if isinstance(values, tuple) else str(values)


def _expect_column(table: Table, column: str) -> None:
    if column not in table.frame:
        names = [str(name) for name in table.frame.columns]
        near = get_close_matches(column, names, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"expected one of its columns: {', '.join(names[:30])}"
        raise InputError(table.source, column, f"found no column {shown(column)}; {hint}")


def mapped(table: Table, trace: Trace) -> tuple[Table, float | None, list[str]]:
    """The table with the columns of a trace, by the scenario's `columns`; when time 0 could be; and what to say.

    Times that are moments on a calendar become seconds since 1970 in `arrive` and in the recorded ones: time 0 is set
    later. A row without an arrival or a length of its plan, or with a time that is negative, is left out, and said.

    Raises:
        InputError: a column is not there, or a cell in it is no time.
    """
    import numpy as np
    import pandas as pd

    assert trace.columns is not None
    columns: dict[str, Any] = {}
    notes: list[str] = []
    moments: set[str] = set()
    for name, source in trace.columns.items():
        for column in (source,) if isinstance(source, str) else source:
            _expect_column(table, column)
        if name not in TIMES and name not in RECORDED:
            assert isinstance(source, str)
            columns[name] = _types(table.frame[source]) if name == "type" else table.frame[source]
            continue
        times = _times(table, name, source, trace.timezone, notes)
        columns[name] = times.seconds
        if times.are_moments:
            moments.add(name)
    frame = pd.DataFrame(columns, index=range(len(table)))
    bad = np.zeros(len(table), dtype=bool)
    for name, why in (("arrive", "no arrival"), ("plan", "no length of their plan")):
        if name in frame:
            bad |= _counted(frame[name].isna().to_numpy() & ~bad, why, table, notes)
    for name in ("plan", "confirm", "apply", "cancel"):
        if name in frame:
            bad |= _counted((frame[name] < 0).to_numpy() & ~bad, f"a negative {name}", table, notes)
    if "decision" not in frame and "confirm" in frame:
        undecided = int((frame.confirm.isna() & ~bad & _may_apply(frame)).sum())
        if undecided:
            notes.append(
                f"{table.source}: {undecided} runs without a confirm are never decided, and lock their workspace to "
                "the end; 'sim import' concludes how they ended"
            )
    rows = np.flatnonzero(~bad)
    if not len(rows):
        raise InputError(table.source, "", "found no row that can be used, expected at least one "
                                           f"({'; '.join(notes)})")  # fmt: skip
    lines = table.line_of
    kept = Table(
        table.source, frame[~bad].reset_index(drop=True), None if lines is None else (lambda n: lines(int(rows[n])))
    )
    first = float(kept.frame["arrive"].min()) if "arrive" in moments else None
    return kept, first, notes


def _types(cells: pd.Series[Any]) -> pd.Series[Any]:
    """The words that systems have for a type in our words; others as they are."""
    plain = words(cells.fillna(""))
    return plain.map(TYPE_OF).where(plain.isin(list(TYPE_OF)), cells)


def _may_apply(frame: pd.DataFrame) -> Any:
    return frame["type"] == "plan_and_apply" if "type" in frame else True


def _counted(rows: NDArray[np.bool_], why: str, table: Table, notes: list[str]) -> NDArray[np.bool_]:
    import numpy as np

    if rows.any():
        first = table.row(int(np.argmax(rows)))
        notes.append(f"{table.source}: {int(rows.sum())} rows left out, as they have {why} (first {first})")
    return rows


def _times(table: Table, name: str, source: str | tuple[str, ...], timezone: str | None, notes: list[str]) -> Times:
    """What `columns` says of a time: a column, or the second of two columns less the first."""
    read = [read_times(table, column, timezone) for column in ((source,) if isinstance(source, str) else source)]
    notes += [f"{table.source}: {note}" for each in read for note in each.notes]
    if len(read) == 2:
        if read[0].are_moments != read[1].are_moments:
            raise InputError(table.source, name, f"found a difference of {source[0]} and {source[1]}, of which one is "
                                                 "a moment and the other a length; expected two of a kind")  # fmt: skip
        return Times((read[1].seconds - read[0].seconds).round(6), False)
    is_moment = name == "arrive" or name in RECORDED
    if read[0].are_moments and not is_moment:
        raise InputError(table.source, name, f"found moments in {source}, expected a length: [from, {source}] is the "
                                             "difference of two columns")  # fmt: skip
    return read[0]
