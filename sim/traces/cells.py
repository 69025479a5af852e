"""The cells of a trace whose columns are known: read, and refused where they are not what they should be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError
from sim.scenario.units import LONGEST
from sim.traces.columns import CHOICES
from sim.traces.moments import read_times
from sim.traces.table import Table, is_missing

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def holds_numbers(cells: pd.Series[Any]) -> bool:
    """Whether a column holds numbers, or texts most of which are numbers: the plain form of a trace."""
    import pandas as pd

    if isinstance(cells.dtype, pd.DatetimeTZDtype) or cells.dtype.kind in "mM":
        return False
    if pd.api.types.is_numeric_dtype(cells.dtype) or _is_object(cells):
        return True
    numbers = pd.to_numeric(cells, errors="coerce")
    return bool(2 * numbers.notna().sum() >= (cells != "").sum())


def times_in(table: Table, name: str) -> NDArray[np.float64]:
    import numpy as np
    import pandas as pd

    cells = table.frame[name]
    kind = cells.dtype
    expected = "seconds: a number of 0 or more"
    is_bare = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
    if isinstance(kind, pd.StringDtype) and name != "arrive" and not holds_numbers(cells):
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
        try:
            times = np.array(pd.to_numeric(there, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
        except OverflowError:  # a whole number that no float can hold
            huge = there.map(lambda cell: isinstance(cell, int) and abs(cell) > 10**300)
            raise table.mistake(int(np.argmax(huge.to_numpy())), name, expected) from None
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


def words_in(table: Table, name: str) -> NDArray[Any]:
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
        # "01" stays text: it is another id than "1".
        numbers = [
            int(word) if isinstance(word, str) and re.fullmatch("0|[1-9][0-9]{0,17}", word) else word for word in words
        ]
        words = np.array(numbers, dtype=object)
    return words


def check_choices(columns: dict[str, NDArray[Any]], table: Table) -> None:
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


def check_ids(ids: NDArray[Any], table: Table) -> None:
    import pandas as pd

    twice = pd.Series([str(each) for each in ids.tolist()]).duplicated()
    if twice.any():
        raise table.mistake(int(twice.to_numpy().argmax()), "id", "an id of its own: an earlier row has the same")
