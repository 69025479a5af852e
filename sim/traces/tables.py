"""Tables of recorded tasks in the formats that a trace may have, read without looking at what they say."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from sim.scenario.errors import InputError, shown
from sim.scenario.workload import ApplyResult, Decision, ExecutionMode, PlanResult, TaskType

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

TIMES = ("arrive", "plan", "confirm", "apply", "cancel")
CHOICES = {
    "type": get_args(TaskType),
    "execution_mode": get_args(ExecutionMode),
    "plan_result": get_args(PlanResult),
    "decision": get_args(Decision),
    "apply_result": get_args(ApplyResult),
}
"""Columns whose cells are one of a few words."""

COLUMNS = ("id", "workspace", "pool", *CHOICES, *TIMES)


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a file by name, all of one length, and where its rows are.

    Cells of a CSV file are texts. Those of other files are what the column's type makes them: float64 (NaN where
    there is nothing) or objects (None where there is nothing).
    """

    path: Path
    columns: dict[str, NDArray[Any]]
    lines: Sequence[int] | None = None
    """The line on which each row begins, counted from 1, of a file that has lines."""

    def __len__(self) -> int:
        return max((len(column) for column in self.columns.values()), default=0)

    def row(self, number: int) -> str:
        """Where the row is, in words."""
        return f"row {number}" if self.lines is None else f"line {self.lines[number]}"

    def mistake(self, number: int, column: str, expected: str) -> InputError:
        """The error for a cell that is not what was *expected*."""
        where = f"{self.path}: row {number}" if self.lines is None else f"{self.path}:{self.lines[number]}"
        cell = self.columns[column][number]
        return InputError(where, column, f"found {shown('' if is_missing(cell) else cell)}, expected {expected}")


def is_missing(cell: Any) -> bool:
    """Whether there is nothing in *cell*."""
    return cell is None or cell == "" or cell != cell


def read_table(path: Path) -> Table:
    """The table in the file *path*; its ending says which format it has.

    Raises:
        InputError: it cannot be read, or is not of that format.
    """
    readers = {".csv": _read_csv, ".parquet": _read_parquet, ".dat": _read_dat}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(str(path), "", f"found a trace file that ends in {shown(path.suffix)}, "
                                        f"expected one of {', '.join(readers)}")  # fmt: skip
    try:
        path.stat()
        if path.is_dir():
            raise InputError(str(path), "", "found a folder, expected a trace file")
        return reader(path)
    except FileNotFoundError:
        raise InputError(str(path), "", "found no such trace file, expected one of tasks to simulate") from None
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror or error}, expected a trace file") from None


def _read_csv(path: Path) -> Table:
    import numpy as np

    rows: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if cells:
                    rows.append([cell.strip() for cell in cells])
                    lines.append(line)
                line = reader.line_num + 1
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: _decoded(path, error)].count(b"\n") + 1
        raise InputError(f"{path}:{line}", "", "found bytes that are not UTF-8, expected a CSV file in UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{path}:{line}", "", f"found {error}, expected one task per line") from None
    if not rows:
        raise InputError(f"{path}:1", "", "found an empty file, expected a line with the names of columns")
    header, rows = rows[0], rows[1:]
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{path}:{lines[0]}", name, "found the column twice, expected it once")
    for number, cells in enumerate(rows, 1):
        if len(cells) != len(header):
            problem = f"found {len(cells)} cells, expected {len(header)}, as many as there are columns"
            raise InputError(f"{path}:{lines[number]}", "", problem)
    columns = {name: np.array([row[n] for row in rows], dtype=object) for n, name in enumerate(header)}
    return Table(path, columns, lines[1:])


def _decoded(path: Path, error: UnicodeDecodeError) -> int:
    """How many bytes of the file can be decoded: *error* only tells it of the block that was being read."""
    try:
        path.read_bytes().decode()
    except UnicodeDecodeError as whole:
        return whole.start
    return error.start


def _read_parquet(path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read()
        columns = {name: _cells(table.column(n), path, name) for n, name in enumerate(table.column_names)}
    except pa.ArrowException as error:
        raise InputError(str(path), "", f"found {error}, expected a Parquet file") from None
    if len(columns) < table.num_columns:
        twice = next(name for name in table.column_names if table.column_names.count(name) > 1)
        raise InputError(str(path), twice, "found the column twice, expected it once")
    return Table(path, columns)


def _cells(column: pa.ChunkedArray, path: Path, name: str) -> NDArray[Any]:
    """A column of a Parquet file: numbers as float64, and whole numbers and texts of other columns as they are."""
    import numpy as np
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if name not in COLUMNS or pa.types.is_null(kind):
        return np.full(len(column), None, dtype=object)
    whole, text = pa.types.is_integer(kind), pa.types.is_string(kind) or pa.types.is_large_string(kind)
    number = whole or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if name in TIMES:
        if not number:
            raise InputError(str(path), name, f"found a column of type {kind}, expected numbers: seconds")
        return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    if not (text or (whole and name not in CHOICES)):
        raise InputError(str(path), name, f"found a column of type {kind}, expected texts or whole numbers")
    return np.array(column.to_pylist(), dtype=object)


def _read_dat(path: Path) -> Table:
    import numpy as np

    data = path.read_bytes()
    if len(data) % 8:
        raise InputError(str(path), "", f"found {len(data)} bytes, expected records of 8 bytes each")
    milliseconds = np.frombuffer(data, dtype=">u4").reshape(-1, 2) / 1000.0
    return Table(path, {"arrive": milliseconds[:, 0], "plan": milliseconds[:, 1]})
