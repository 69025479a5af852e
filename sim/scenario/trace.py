"""Recorded tasks, read from CSV, Parquet or `.dat` files into columns.

The columns are those of a listed task: ``id type workspace arrive plan confirm apply``, times in seconds; only
``arrive`` has to be there. An empty ``confirm`` means that the task is never confirmed.

A ``.dat`` file holds records of two big-endian unsigned 32-bit integers, arrival and duration in milliseconds: the
format of taskcluster-provisioning-simulator's ``loadgen`` recordings. The duration becomes ``plan``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.scenario.units import LONGEST

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

TIMES = ("arrive", "plan", "confirm", "apply")
COLUMNS = ("id", "type", "workspace", *TIMES)


@dataclass(frozen=True, slots=True)
class Recording:
    """The columns of a trace, in order of arrival.

    `columns` has those of `COLUMNS` that the file has: times as float64 seconds (``confirm`` and ``apply`` NaN where
    empty), `id` and `workspace` as objects (int or str), `type` as str. `notes` says what the reader did to the data
    that its owner should know.
    """

    columns: dict[str, NDArray[Any]]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.columns["arrive"])


def read_recording(path: Path) -> Recording:
    """The trace in the file *path*; its ending says which format it has.

    Raises:
        InputError: the file cannot be read, or a row of it is not a task.
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
        frame, first_line = reader(path)
    except FileNotFoundError:
        raise InputError(str(path), "", "found no such trace file, expected one of tasks to simulate") from None
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror}, expected a trace file") from None
    except UnicodeDecodeError:
        raise InputError(str(path), "", "found bytes that are not UTF-8, expected a CSV file in UTF-8") from None
    return _checked(frame, path, first_line)


def _read_csv(path: Path) -> tuple[pd.DataFrame, int]:
    import pandas as pd

    try:
        frame = pd.read_csv(
            path, header=None, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig"
        )
    except pd.errors.EmptyDataError:
        raise InputError(f"{path}:1", "", "found an empty file, expected a line with the names of columns") from None
    except pd.errors.ParserError as error:
        found = str(error).removeprefix("Error tokenizing data. C error: ")
        raise InputError(str(path), "", f"found {found}, expected one task per line") from None
    # Read without a header, because pandas would rename the second of two columns of one name.
    frame = frame.map(lambda cell: cell.strip() if isinstance(cell, str) else "")
    return frame.iloc[1:].reset_index(drop=True).set_axis(frame.iloc[0].tolist(), axis="columns"), 2


def _read_parquet(path: Path) -> tuple[pd.DataFrame, int]:
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(path), 0
    except pa.ArrowException as error:
        raise InputError(str(path), "", f"found {error}, expected a Parquet file") from None


def _read_dat(path: Path) -> tuple[pd.DataFrame, int]:
    import numpy as np
    import pandas as pd

    data = path.read_bytes()
    if len(data) % 8:
        raise InputError(str(path), "", f"found {len(data)} bytes, expected records of 8 bytes each")
    milliseconds = np.frombuffer(data, dtype=">u4").reshape(-1, 2)
    return pd.DataFrame(milliseconds / 1000.0, columns=["arrive", "plan"]), 1


def _checked(frame: pd.DataFrame, path: Path, first_line: int) -> Recording:
    import numpy as np

    if frame.columns.duplicated().any():
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"{path}:1", str(twice), "found the column twice, expected it once")
    if "arrive" not in frame.columns:
        found = ", ".join(map(str, frame.columns)) or "none"
        raise InputError(f"{path}:1", "arrive", f"found only the columns {shown(found)}, expected one named arrive")
    if frame.empty:
        raise InputError(str(path), "", "found no rows, expected at least one task")

    def mistake(row: int, column: str, expected: str) -> InputError:
        where = f"{path}:{first_line + row}" if path.suffix.lower() == ".csv" else f"{path}: row {first_line + row}"
        cell = frame[column].iloc[row]
        return InputError(where, column, f"found {shown('' if _missing(cell) else cell)}, expected {expected}")

    columns: dict[str, NDArray[Any]] = {}
    for name in COLUMNS:
        if name in frame.columns:
            columns[name] = _times(frame, name, mistake) if name in TIMES else _words(frame, name, mistake)
    _check_types(columns, mistake)
    if "id" in columns:
        _check_ids(columns["id"], mistake)

    notes = []
    ignored = [str(name) for name in frame.columns if name not in COLUMNS]
    if ignored:
        notes.append(f"{path}: columns not used: {', '.join(ignored)}")
    arrive = columns["arrive"]
    out_of_order = np.flatnonzero(arrive[1:] < arrive[:-1])
    if len(out_of_order):
        row = f"line {first_line + out_of_order[0] + 1}"
        notes.append(f"{path}: arrivals were not in order (first at {row}): sorted by arrival")
        order = np.argsort(arrive, kind="stable")
        columns = {name: column[order] for name, column in columns.items()}
    return Recording(columns, tuple(notes))


def _missing(cell: Any) -> bool:
    return cell is None or cell == "" or cell != cell


def _times(frame: pd.DataFrame, name: str, mistake: Any) -> NDArray[np.float64]:
    import numpy as np
    import pandas as pd

    cells = frame[name]
    if cells.dtype.kind in "bmM":
        raise mistake(0, name, "seconds: a number of 0 or more")
    empty = (cells.isna() | (cells == "")).to_numpy(dtype=bool)
    times = pd.to_numeric(cells.mask(empty), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~empty & ~((times >= 0) & (times <= LONGEST))
    if name in ("arrive", "plan"):
        bad |= empty
    if bad.any():
        raise mistake(int(np.argmax(bad)), name, "seconds: a number of 0 or more")
    return times


def _words(frame: pd.DataFrame, name: str, mistake: Any) -> NDArray[Any]:
    import numpy as np

    words = np.empty(len(frame), dtype=object)
    for row, cell in enumerate(frame[name].tolist()):
        if _missing(cell):
            raise mistake(row, name, f"the {name} of the task")
        if name == "id":
            words[row] = int(cell) if isinstance(cell, str) and cell.isdecimal() and len(cell) < 19 else cell
            if isinstance(words[row], float) and words[row].is_integer():
                words[row] = int(words[row])
            if not isinstance(words[row], int | str):
                raise mistake(row, name, "a whole number or text")
        else:
            words[row] = str(cell)
    return words


def _check_types(columns: dict[str, NDArray[Any]], mistake: Any) -> None:
    """Refuse rows of an unknown type, and confirmed tasks with nothing to apply where the file has all columns."""
    if "type" not in columns:
        return
    for row, kind in enumerate(columns["type"].tolist()):
        if kind not in ("plan", "plan_and_apply"):
            raise mistake(row, "type", "plan or plan_and_apply")
    if "confirm" in columns and "apply" in columns:
        rows = zip(columns["type"].tolist(), columns["confirm"].tolist(), columns["apply"].tolist(), strict=True)
        for row, (kind, confirm, apply) in enumerate(rows):
            if kind == "plan_and_apply" and confirm == confirm and apply != apply:
                raise mistake(row, "apply", "seconds, as the task is confirmed and then applies")


def _check_ids(ids: NDArray[Any], mistake: Any) -> None:
    seen: set[str] = set()
    for row, identifier in enumerate(ids.tolist()):
        if str(identifier) in seen:
            raise mistake(row, "id", "an id of its own: an earlier row has the same")
        seen.add(str(identifier))
