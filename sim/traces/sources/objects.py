"""What the importers of JSON have in common: fields within fields, and times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.traces.events import EVENTS, NAMES, Account, LeftOut
from sim.traces.moments import EPOCHS, zone_of

if TYPE_CHECKING:
    import pandas as pd


def at(data: Any, *path: str) -> Any:
    """The value at a path of keys; None if there is none."""
    for key in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data


def seconds(value: Any, where: str, field: str, timezone: str | None = None) -> float | None:
    """A moment as seconds since 1970; None for none.

    Raises:
        InputError: it is no moment.
    """
    if value is None or value == "":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        for low, high, factor, _ in EPOCHS:
            if low <= value < high:
                return float(value) * factor
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.replace(" UTC", "+00:00"))
        except ValueError:
            moment = None
        if moment is not None:
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=zone_of(timezone) if timezone else UTC)
            return zoned.timestamp()
    raise InputError(where, field, f"found {shown(value)}, expected a time such as 2026-01-31T12:00:00Z")


def number(value: Any, where: str, field: str) -> float | None:
    """A number of seconds; None for none.

    Raises:
        InputError: it is no number.
    """
    if value is None or value == "":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12:
        return float(value)
    raise InputError(where, field, f"found {shown(value)}, expected a number of seconds")


def without(
    objects: Sequence[Any], is_left_out: Callable[[Any], bool], why: str, account: Account
) -> list[tuple[int, Any]]:
    """The objects that are not left out, each with its number; the account names the others."""
    account.read = len(objects)
    out = [each for each in objects if is_left_out(each)]
    if out:
        account.left_out.append(LeftOut(why, len(out), str(at(out[0], "id"))))
    return [(number, each) for number, each in enumerate(objects) if not is_left_out(each)]


def frame_of(rows: Iterable[Mapping[str, Any]], account: Account) -> pd.DataFrame:
    """The events in *rows*, mappings with some of the names in `EVENTS` and `NAMES`."""
    import numpy as np
    import pandas as pd

    from sim.traces.sources.table import modes_of, statuses_of, types_of

    listed = list(rows)
    frame = pd.DataFrame(index=range(len(listed)))
    for event in EVENTS:
        values = [row.get(event) for row in listed]
        frame[event] = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    for name in NAMES:
        frame[name] = pd.Series(
            [None if row.get(name) in (None, "") else str(row.get(name)) for row in listed], dtype=object
        )
    frame["type"] = types_of(frame.type, account)
    frame["status"] = statuses_of(frame.status, account)
    frame["execution_mode"] = modes_of(frame.execution_mode, account)
    return frame
