"""Small CSV files that a scenario names beside its trace: a column of numbers, or rows of texts."""

from __future__ import annotations

import csv
from pathlib import Path

from sim.scenario.errors import InputError, shown


def read_column(path: Path, column: str) -> list[float]:
    """The numbers in the column named *column* of the CSV file *path*.

    Raises:
        InputError: there is no such file or column, or a cell is not a number.
    """
    names, rows = _read(path)
    if column not in names:
        raise InputError(f"{path}:1", "", f"found the columns {shown(', '.join(names))}, expected {shown(column)}")
    values = []
    for where, row in rows:
        try:
            values.append(float(row[column]))
        except (TypeError, ValueError):
            raise InputError(where, column, f"found {shown(row[column])}, expected seconds") from None
    return values


def read_rows(path: Path) -> list[tuple[str, dict[str, str]]]:
    """The rows of the CSV file *path*: where each is, for messages, and its cells by the name of their column.

    Raises:
        InputError: there is no such file, or a row has not as many cells as there are columns.
    """
    names, rows = _read(path)
    for where, row in rows:
        if len(row) != len(names) or None in row.values():
            found = sum(cell is not None for cell in row.values())
            raise InputError(where, "", f"found {found} cells, expected {len(names)}, as many as there are columns")
    return [(where, {name: cell.strip() for name, cell in row.items()}) for where, row in rows]


def _read(path: Path) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = list(reader.fieldnames or [])
            for name in names:
                if names.count(name) > 1:
                    raise InputError(f"{path}:1", name, "found the column twice, expected it once")
            return names, [(f"{path}:{reader.line_num}", row) for row in reader]
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise InputError(str(path), "", f"found {error}, expected CSV in UTF-8") from None
