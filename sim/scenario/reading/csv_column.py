"""One column of numbers from a CSV file."""

from __future__ import annotations

import csv
from pathlib import Path

from sim.scenario.errors import InputError, shown


def read_column(path: Path, column: str) -> list[float]:
    """The numbers in the column named *column* of the CSV file *path*.

    Raises:
        InputError: there is no such file or column, or a cell is not a number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            names = rows.fieldnames or []
            if column not in names:
                raise InputError(
                    f"{path}:1", "", f"found the columns {shown(', '.join(names))}, expected {shown(column)}"
                )
            values = []
            for row in rows:
                try:
                    values.append(float(row[column]))
                except (TypeError, ValueError):
                    problem = f"found {shown(row[column])}, expected seconds"
                    raise InputError(f"{path}:{rows.line_num}", column, problem) from None
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(str(path), "", f"found {error}, expected CSV in UTF-8") from None
    return values
