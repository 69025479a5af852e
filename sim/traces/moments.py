"""Cells that say when something happened, or how long it took, as seconds.

A *moment* is a point on the calendar: a timestamp, ISO 8601, or a number that counts seconds, milliseconds,
microseconds or nanoseconds since 1970. A *span* is a number of seconds, ``0:01:00``, or a number with a unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import timezone as datetime_zone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sim.scenario.errors import InputError, shown
from sim.traces.columns import UNITS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from sim.traces.table import Table

EPOCHS = ((1e9, 1e10, 1.0, "seconds"), (1e12, 1e13, 1e-3, "milliseconds"), (1e15, 1e16, 1e-6, "microseconds"),
          (1e18, 1e19, 1e-9, "nanoseconds"))  # fmt: skip
"""How large a number is that counts from 1970, by its unit: between the years 2001 and 2286."""

_SPAN = r"^\s*(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z]+)\s*$"
_CLOCK = r"^\s*(-?)(?:([0-9]+)\s*(?:d|days?),?\s+)?([0-9]+):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]*)?))?\s*$"
_WITH_OFFSET = r"(?:[zZ]|[+-][0-9]{2}:?(?:[0-9]{2})?)\s*$"


@dataclass(frozen=True, slots=True)
class Times:
    """A column as seconds, NaN where it is empty. Moments count from 1970."""

    seconds: NDArray[np.float64]
    are_moments: bool
    notes: tuple[str, ...] = ()


def zone_of(name: str) -> tzinfo:
    """The time zone with that *name*.

    Raises:
        ValueError: there is none.
    """
    if offset := re.fullmatch(r"([+-])([01][0-9]|2[0-3]):?([0-5][0-9])", name):
        minutes = int(offset[2]) * 60 + int(offset[3])
        return datetime_zone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    try:
        return UTC if name.upper() in ("UTC", "Z") else ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"no time zone {name!r}") from None


def expect_zone(name: str, field: str = "timezone") -> None:
    """Refuse a *name* that is no time zone."""
    try:
        zone_of(name)
    except ValueError:
        problem = (
            f"found {shown(name)}, expected the name of a time zone such as Europe/Berlin, or an offset such as +02:00"
        )
        raise InputError("", field, problem) from None


def week_offset(zero: float | None, timezone: str | None = None) -> float:
    """How many seconds after Monday midnight a moment is that is given in seconds since 1970; 0 for None."""
    if zero is None or zero < EPOCHS[0][0]:
        return 0.0
    at = datetime.fromtimestamp(zero, UTC).astimezone(zone_of(timezone or "UTC"))
    return at.weekday() * 86400.0 + at.hour * 3600.0 + at.minute * 60.0 + at.second


def epoch_unit(values: NDArray[np.float64]) -> tuple[float, str] | None:
    """What numbers that large count since 1970: seconds per unit, and its name. None if they are too small for that."""
    import numpy as np

    there = values[~np.isnan(values) & (values != 0)]
    if not len(there):
        return None
    for low, high, factor, name in EPOCHS:
        if low <= there.min() and there.max() < high:
            return factor, name
    return None


ANY_TIME = "a time: ISO 8601, a number since 1970, a duration such as 90s or 0:01:00, or a number of seconds"


def read_times(table: Table, column: str, timezone: str | None = None, expected: str = ANY_TIME) -> Times:
    """The column of the table as seconds.

    Args:
        table: what was read.
        column: one of its columns.
        timezone: of moments that do not say theirs; without it they are taken to be UTC, and a note says so.
        expected: what the error says of a cell that cannot be read.

    Raises:
        InputError: a cell is neither a moment nor a span, or the column mixes the two.
    """
    import numpy as np
    import pandas as pd

    cells = table.frame[column]
    kind = cells.dtype
    if isinstance(kind, pd.DatetimeTZDtype) or kind.kind == "M":
        return _of_timestamps(cells, table, column, timezone)
    if kind.kind == "m":
        return Times(cells.dt.total_seconds().to_numpy(dtype=np.float64), False)
    if pd.api.types.is_bool_dtype(kind):
        raise InputError(table.source, column, "found a column of type bool, expected times or numbers: seconds")
    if pd.api.types.is_numeric_dtype(kind):
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isinf(numbers).any():
            raise table.mistake(int(np.argmax(np.isinf(numbers))), column, expected)
        return _of_numbers(numbers, column)
    return _of_texts(table, column, timezone, expected)


def _of_numbers(seconds: NDArray[np.float64], column: str) -> Times:
    unit = epoch_unit(seconds)
    if unit is None:
        return Times(seconds, False)
    factor, name = unit
    return Times(seconds * factor, True, (f"{column}: numbers taken for {name} since 1970",))


def _of_timestamps(cells: pd.Series[Any], table: Table, column: str, timezone: str | None) -> Times:
    import pandas as pd

    notes: tuple[str, ...] = ()
    if not isinstance(cells.dtype, pd.DatetimeTZDtype):
        cells, notes = _localized(cells, table, column, timezone)
    return Times(_since_1970(cells), True, notes)


def _since_1970(cells: pd.Series[Any]) -> NDArray[np.float64]:
    import numpy as np

    whole = cells.dt.tz_convert("UTC").dt.as_unit("us")
    seconds: NDArray[np.float64] = whole.astype("int64").to_numpy(dtype=np.float64) / 1e6
    seconds[cells.isna().to_numpy()] = np.nan
    return seconds


def _localized(
    cells: pd.Series[Any], table: Table, column: str, timezone: str | None
) -> tuple[pd.Series[Any], tuple[str, ...]]:
    """Moments that do not say their time zone, in the one that was given; and what to tell their owner."""
    import numpy as np

    zone = zone_of(timezone or "UTC")
    notes: tuple[str, ...] = () if timezone else (f"{column}: times without a time zone taken for UTC",)
    local = cells.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    lost = cells.notna() & local.isna()
    if lost.any():
        # An hour that the clocks skip is moved on, one that they repeat is taken to be the first; either is said.
        fixed = cells[lost].dt.tz_localize(
            zone, ambiguous=np.ones(int(lost.sum()), dtype=bool), nonexistent="shift_forward"
        )
        local = local.where(~lost, fixed.reindex(local.index))
        first = table.row(int(np.argmax(lost.to_numpy())))
        notes += (
            f"{column}: {int(lost.sum())} times are in an hour that the clocks of {timezone} repeat or skip (first "
            f"in {first}): taken for the first of the two, or moved on",
        )
    return local, notes


def _of_texts(table: Table, column: str, timezone: str | None, expected: str) -> Times:
    import numpy as np
    import pandas as pd

    cells = table.frame[column]
    for number, cell in enumerate(cells.tolist()) if cells.dtype == object else ():
        if isinstance(cell, list | dict | bytes | bool | set):
            raise table.mistake(number, column, expected)
    texts = cells.astype("str").str.strip() if cells.dtype == object else cells.str.strip()
    fast = _fast(texts, table, column, timezone)
    if fast is not None:
        return fast
    empty = (cells.isna() | texts.isin(["", "null", "NULL", "None", "NaN", "nan", "NaT", "-", "\\N"])).to_numpy()
    numbers = pd.to_numeric(texts.where(~empty), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~empty & ~np.isfinite(numbers)
    if not wrong.any():
        return _of_numbers(numbers, column)
    spans = _spans(texts, empty)
    if spans is not None:
        return Times(spans, False)
    if 2 * wrong.sum() < (~empty).sum():  # most are numbers, so that the others are the mistake
        raise table.mistake(int(np.argmax(wrong)), column, expected)
    return _of_moments(table, column, texts, empty, timezone, expected)


def _fast(texts: pd.Series[str], table: Table, column: str, timezone: str | None) -> Times | None:
    """Texts that are all numbers, or all ISO 8601 with a time zone, or all without one; None if they are not."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        cells = pa.array(texts, pa.string(), from_pandas=True)
        cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
        try:
            numbers = np.array(pc.cast(cells, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
            return _of_numbers(numbers, column) if not np.isinf(numbers).any() else None
        except pa.ArrowInvalid:
            pass
        for unit in ("ns", "us"):  # with nine digits of seconds, or with years far from ours
            try:
                return Times(_since_1970(pd.Series(pc.cast(cells, pa.timestamp(unit, "UTC")).to_pandas())), True)
            except pa.ArrowInvalid:
                pass
        local = pd.Series(pc.cast(cells, pa.timestamp("ns")).to_pandas())
    except (pa.ArrowException, ValueError, OverflowError):
        return None
    zoned, notes = _localized(local, table, column, timezone)
    return Times(_since_1970(zoned), True, notes)


def _spans(texts: pd.Series[str], empty: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Seconds of texts such as ``90s``, ``5 min``, ``0:01:00`` or ``2 days 01:00:00``; None if any text is not."""
    import numpy as np
    import pandas as pd

    there = texts[~empty]
    if not len(there):
        return np.full(len(texts), np.nan)
    found = np.full(len(texts), np.nan)
    bare = pd.to_numeric(there, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    units = there.str.extract(_SPAN)
    factor = units[1].str.lower().map(UNITS).to_numpy(dtype=np.float64, na_value=np.nan)
    with_unit = pd.to_numeric(units[0], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan) * factor
    clock = there.str.extract(_CLOCK)
    days, hours, minutes, seconds = (pd.to_numeric(clock[n]).fillna(0).to_numpy(dtype=np.float64) for n in (1, 2, 3, 4))
    by_clock = days * 86400 + hours * 3600 + minutes * 60 + seconds
    by_clock = np.where(clock[0] == "-", -by_clock, by_clock)
    by_clock[clock[2].isna().to_numpy()] = np.nan
    values = np.where(np.isfinite(bare), bare, np.where(np.isfinite(with_unit), with_unit, by_clock))
    if np.isnan(values).any():
        return None
    found[~empty] = values
    return found


def _of_moments(
    table: Table, column: str, texts: pd.Series[str], empty: NDArray[np.bool_], timezone: str | None, expected: str
) -> Times:
    import numpy as np
    import pandas as pd

    there = texts.where(~empty, None).str.replace(r"\s*UTC$", "+00:00", regex=True)
    offset = (there.str.contains(_WITH_OFFSET, regex=True, na=False) & there.str.contains(":", na=False)).to_numpy()
    parsed = pd.to_datetime(there.where(offset, None), errors="coerce", utc=True, format="ISO8601")
    seconds = _since_1970(parsed)
    notes: tuple[str, ...] = ()
    naive = ~offset & ~empty
    if naive.any():
        local = pd.to_datetime(there.where(naive, None), errors="coerce", format="ISO8601")
        if isinstance(local.dtype, pd.DatetimeTZDtype):
            local = local.dt.tz_localize(None)
        zoned, notes = _localized(local, table, column, timezone)
        seconds = np.where(naive, _since_1970(zoned), seconds)
    bad = ~empty & (np.isnan(seconds) | ~there.str.match(r"[0-9]{4}", na=False).to_numpy())
    if bad.any():
        raise table.mistake(int(np.argmax(bad)), column, expected)
    return Times(seconds, True, notes)
