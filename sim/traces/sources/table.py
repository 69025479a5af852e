"""`table`: any table whose columns have names that say what they are (`sim.traces.guess`).

| event | columns it is taken from |
|---|---|
| created | `created_at`, `submitted_at`, `submission_time`, `queued_at`, ... |
| plan started | `plan_started_at`, `started_at`, `starting_time`, ... |
| plan ended | `plan_finished_at`, `planned_at`, `finish_time`, ... |
| decided | `confirmed_at`, `approved_at`, `discarded_at`, ... |
| apply started, ended | `apply_started_at`, `applying_at`; `apply_finished_at`, `applied_at` |
| ended | `canceled_at`, `errored_at` |

A length (`duration`, `execution_time`) stands in for a missing end, a wait (`waiting_time`, `queued_duration`) for a
missing arrival or start. `status`, `conclusion` or `state` says how it ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.traces.events import EVENTS, NAMES, STATUS_OF, TYPE_OF, Account, words
from sim.traces.guess import guess, in_words
from sim.traces.moments import read_times
from sim.traces.table import Table, is_missing

if TYPE_CHECKING:
    import pandas as pd


def events_of(table: Table, account: Account, timezone: str | None = None) -> pd.DataFrame:
    """The events in a table, whose columns are known by their names.

    Raises:
        InputError: nothing in it says when a task arrived, or a cell is no time.
    """
    roles = guess(list(table.frame.columns))
    if "created" not in roles and not ("plan_started" in roles and "wait" in roles):
        found = ", ".join(map(str, table.frame.columns)) or "none"
        problem = f"found only the columns {shown(found)}, expected one that says when a task arrived: arrive, " \
                  "created_at, submitted_at or so"  # fmt: skip
        where = table.source if table.line_of is None else f"{table.source}:1"
        raise InputError(where, "arrive", problem)
    account.notes.append(f"Guessed by their names: {in_words(roles)}.")
    if roles.get("created") == roles.get("plan_started"):
        account.ran = False
        account.notes.append(
            f"Nothing says when a task asked for a slot: {roles['created']} is taken for the arrival. So arrivals are "
            "too late by the real wait, and how long tasks really waited is not known."
        )
    unused = [str(name) for name in table.frame.columns if name not in roles.values()]
    if unused:
        account.notes.append(f"Columns not used: {shown(', '.join(unused))}.")
    return events_by_role(table, roles, account, timezone)


def events_by_role(
    table: Table, roles: Mapping[str, str], account: Account, timezone: str | None = None
) -> pd.DataFrame:
    """The events in a table of which *roles* says what each column is: a key of `sim.traces.guess.KNOWN`."""
    import numpy as np
    import pandas as pd

    size = len(table)
    nothing = np.full(size, np.nan)
    times = {}
    for role, column in roles.items():
        if role in NAMES:
            continue
        read = read_times(table, column, timezone)
        account.notes.extend(note for note in read.notes if note not in account.notes)
        times[role] = read.seconds
    events = {event: times.get(event, nothing) for event in EVENTS}
    if "wait" in times:
        if "created" not in roles:
            events["created"] = events["plan_started"] - times["wait"]
        elif "plan_started" not in roles:
            events["plan_started"] = events["created"] + times["wait"]
    if "plan" in times and "plan_ended" not in roles:
        events["plan_ended"] = events["plan_started"] + times["plan"]
    if "plan_started" not in roles and "plan" in times and "plan_ended" in roles:
        events["plan_started"] = events["plan_ended"] - times["plan"]
        if np.nanmax(np.abs(events["plan_started"] - events["created"]), initial=0.0) <= 1.0:
            account.ran = False
            account.notes.append(
                "The begin of a plan follows from its length, and is its arrival: how long tasks really waited is not "
                "known."
            )
    frame = pd.DataFrame(events)
    for name in NAMES:
        frame[name] = _texts(table, roles[name]) if name in roles else pd.Series([None] * size, dtype=object)
    frame["type"] = types_of(frame.type, account)
    frame["status"] = statuses_of(frame.status, account)
    frame["execution_mode"] = modes_of(frame.execution_mode, account)
    return frame


def _texts(table: Table, column: str) -> pd.Series[Any]:
    """The cells as texts, None where there is nothing."""
    import pandas as pd

    cells = table.frame[column]
    if isinstance(cells.dtype, pd.StringDtype) or cells.dtype == object:
        for row, cell in enumerate(cells.tolist()) if cells.dtype == object else ():
            if isinstance(cell, list | dict | bytes | set):
                raise table.mistake(row, column, "text or a number")
    if isinstance(cells.dtype, pd.StringDtype):
        return cells.astype(object).where(cells.notna() & (cells != ""), None)
    if pd.api.types.is_integer_dtype(cells.dtype) and not cells.isna().any():
        return cells.astype("str").astype(object)
    texts = [None if is_missing(cell) else _plain_number(cell) for cell in cells.tolist()]
    return pd.Series(texts, dtype=object, index=cells.index)


def _plain_number(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _known(cells: pd.Series[Any], known: Mapping[str, str], what: str, account: Account) -> pd.Series[Any]:
    """The cells in our words; None, and a note, where a word is not known."""
    import pandas as pd

    there = pd.Series(cells.dropna().unique(), dtype=object)
    plain = words(there)
    meanings = {cell: known.get(word) for cell, word in zip(there, plain, strict=True) if word != ""}
    strange = [str(cell) for cell, meaning in meanings.items() if meaning is None]
    if strange:
        rows = int(cells.isin(strange).sum())
        account.notes.append(
            f"{rows} rows have a {what} that is not known: {shown(', '.join(strange))}. They are taken as if they said "
            "none."
        )
    found = cells.map(meanings).astype(object)
    return found.where(found.notna(), None)


def statuses_of(cells: pd.Series[Any], account: Account) -> pd.Series[Any]:
    """What became of each task: one of `STATUSES`, and `done` where nothing is said."""
    found = _known(cells, {**STATUS_OF, "1": "done", "0": "errored", "5": "canceled"}, "status", account)
    return found.where(found.notna(), "done")


def types_of(cells: pd.Series[Any], account: Account) -> pd.Series[Any]:
    """The type of each task; None where nothing is said."""
    return _known(cells, TYPE_OF, "type", account)


def modes_of(cells: pd.Series[Any], account: Account) -> pd.Series[Any]:
    """Where each task runs; None where nothing is said."""
    known = {**dict.fromkeys(("k8s", "kubernetes", "remote"), "k8s"), "agent": "agent", "local": "local"}
    return _known(cells, known, "execution mode", account)
