"""A table as it was read from a file, and what all formats have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sim.scenario.errors import InputError, shown

if TYPE_CHECKING:
    import pandas as pd

Wanted: TypeAlias = Callable[[Sequence[str]], Collection[str]]
"""Given the names of all columns, which of them to read."""

MOST_ROWS = 20_000_000
"""More rows than this are refused before they are read, or as soon as they are seen."""


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a file, and where its rows are.

    Cells of a text format are texts, and those of other formats have the type that the file gives them.
    """

    source: str
    frame: pd.DataFrame
    line_of: Callable[[int], int] | None = None
    """The line on which a row begins, counted from 1, of a file that has lines."""
    zero: float | None = None
    """What time 0 is, in seconds since 1970, if the file says so (`sim import` writes it into its traces)."""

    def __len__(self) -> int:
        return len(self.frame)

    def row(self, number: int) -> str:
        """Where the row is, in words."""
        return f"row {number}" if self.line_of is None else f"line {self.line_of(number)}"

    def mistake(self, number: int, column: str, expected: str) -> InputError:
        """The error for a cell that is not what was *expected*."""
        where = f"{self.source}: row {number}" if self.line_of is None else f"{self.source}:{self.line_of(number)}"
        cell: Any = self.frame[column].iloc[number] if column in self.frame else None
        cell = cell.item() if getattr(cell, "size", 0) == 1 and hasattr(cell, "item") else cell
        return InputError(where, column, f"found {shown('' if is_missing(cell) else cell)}, expected {expected}")


def is_missing(cell: Any) -> bool:
    """Whether there is nothing in *cell*."""
    import pandas as pd

    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, str) and cell == "") or cell != cell


def expect_not_too_long(path: Path, rows: int) -> None:
    if rows > MOST_ROWS:
        raise InputError(str(path), "", f"found {rows:,} rows, expected at most {MOST_ROWS:,}")


def table_of(frame: pd.DataFrame) -> Table:
    """A pandas frame as a table. It stays as it is.

    Raises:
        InputError: it is no frame, or two of its columns have one name.
    """
    import pandas as pd
    import pyarrow as pa

    if not isinstance(frame, pd.DataFrame):
        raise InputError("", "source", f"found {type(frame).__name__}, expected a file or a pandas frame")
    names = [str(name) for name in frame.columns]
    for name in names:
        if names.count(name) > 1:
            raise InputError("the frame", name, "found the column twice, expected it once")
    plain = frame.reset_index(drop=True).set_axis(names, axis=1)
    for name, kind in zip(names, plain.dtypes, strict=True):
        if isinstance(kind, pd.ArrowDtype):
            plain[name] = pa.array(plain[name]).to_pandas()
        elif isinstance(kind, pd.PeriodDtype | pd.IntervalDtype):
            plain[name] = plain[name].astype(object)
        elif isinstance(kind, pd.CategoricalDtype):
            plain[name] = plain[name].astype(kind.categories.dtype)
    return Table("the frame", plain)


def expect_regular(path: Path) -> None:
    """Refuse pipes and devices, which may have no end."""
    if not path.is_file():
        raise InputError(str(path), "", "found no regular file, expected one")


def bytes_of(path: Path, compression: str | None) -> bytes:
    import pyarrow as pa

    expect_regular(path)
    if compression is None:
        return path.read_bytes()
    with pa.input_stream(str(path), compression=compression) as stream:
        return bytes(stream.read())


def text_of(path: Path, compression: str | None, what: str) -> str:
    """The file as text, without a byte order mark."""
    data = bytes_of(path, compression)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}", "", f"found bytes that are not UTF-8, expected {what} in UTF-8") from None
