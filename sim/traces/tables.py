"""Tables in the formats that records come in, read without looking at what they say.

A file's ending says its format: `.csv`, `.tsv`, `.json`, `.jsonl` or `.ndjson`, `.parquet`, `.swf`, `.dat`; each may
be followed by `.gz` or `.zst`. A CSV file may have any of ``, ; | tab`` between its cells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.traces.csv_tables import read_csv, read_tsv
from sim.traces.table import Table, Wanted, bytes_of, expect_not_too_long, expect_regular, text_of

if TYPE_CHECKING:
    import pandas as pd

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}

SWF_FIELDS = (
    "job", "submit", "wait", "run", "processors", "cpu_time", "memory", "requested_processors", "requested_time",
    "requested_memory", "status", "user", "group", "executable", "queue", "partition", "preceding", "think_time",
)  # fmt: skip
"""The fields of a line in the Standard Workload Format (www.cs.huji.ac.il/labs/parallel/workload/swf.html)."""


def read_table(path: Path, wanted: Wanted | None = None) -> Table:
    """The table in the file *path*; its ending says which format it has.

    Args:
        path: the file.
        wanted: given the names of all columns, which of them to read. By default all are read.

    Raises:
        InputError: it cannot be read, or is not of that format.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    ending = (suffixes[-2] if len(suffixes) > 1 else "") if compression else (suffixes[-1] if suffixes else "")
    reader = _READERS.get(ending)
    if reader is None:
        raise InputError(str(path), "", f"found a trace file that ends in {shown(path.suffix)}, "
                                        f"expected one of {', '.join(_READERS)}, each also .gz or .zst")  # fmt: skip
    try:
        path.stat()
        if path.is_dir():
            raise InputError(str(path), "", "found a folder, expected a trace file")
        expect_regular(path)
        table = reader(path, compression, wanted or (lambda names: names))
    except FileNotFoundError:
        raise InputError(str(path), "", "found no such trace file, expected one of tasks to simulate") from None
    except MemoryError:
        raise InputError(str(path), "", "found a file that does not fit into memory, expected a smaller one") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            str(path).replace("\0", "\\0"), "", f"cannot be read: {error}, expected a trace file"
        ) from None
    except OSError as error:
        if compression is not None and error.errno is None:
            problem = f"found {compression} data that is damaged or incomplete ({error}), expected the whole file"
            raise InputError(str(path), "", problem) from None
        raise InputError(str(path), "", f"cannot be read: {error.strerror or error}, expected a trace file") from None
    expect_not_too_long(path, len(table))
    return table


# JSON


def _read_json(path: Path, compression: str | None, wanted: Wanted) -> Table:
    text = without_lone_surrogates(text_of(path, compression, "JSON"))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("{") and "Extra data" in str(error):
            return _json_lines(path, text, wanted)
        line = getattr(error, "lineno", 1)
        raise InputError(f"{path}:{line}", "", f"found text that is no JSON ({error}), expected JSON") from None
    return Table(str(path), _frame_of(path, objects_in(data, str(path)), wanted))


_LONE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def without_lone_surrogates(text: str) -> str:
    """JSON without halves of characters, which no file can hold: they become the replacement character."""
    return _LONE.sub(r"\\ufffd", text) if "\\ud" in text.lower() else text


def objects_in(data: Any, source: str) -> list[dict[str, Any]]:
    """The list of objects that *data* is, or that is the longest of the lists in it.

    Raises:
        InputError: there is none.
    """
    lists = [data] if isinstance(data, list) else list(data.values()) if isinstance(data, dict) else []
    found = [each for each in lists if isinstance(each, list) and each and all(isinstance(o, dict) for o in each)]
    if not found:
        raise InputError(source, "", "found no list of objects, expected one: an object for each task")
    return max(found, key=len)


def _read_json_lines(path: Path, compression: str | None, wanted: Wanted) -> Table:
    return _json_lines(path, without_lone_surrogates(text_of(path, compression, "JSON lines")), wanted)


def _json_lines(path: Path, text: str, wanted: Wanted) -> Table:
    objects, lines = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:
            problem = f"found text that is no JSON ({error}), expected an object on each line"
            raise InputError(f"{path}:{number}", "", problem) from None
        if not isinstance(data, dict):
            raise InputError(f"{path}:{number}", "", f"found {shown(data)}, expected an object on each line")
        objects.append(data)
        lines.append(number)
    return Table(str(path), _frame_of(path, objects, wanted), lambda row: lines[row])


def _frame_of(path: Path, objects: list[dict[str, Any]], wanted: Wanted) -> pd.DataFrame:
    """The objects as rows. Objects within them become columns with dots in their names."""
    import pandas as pd

    expect_not_too_long(path, len(objects))
    flat = objects if not any(isinstance(v, dict) for o in objects for v in o.values()) else list(map(_flat, objects))
    names = list(dict.fromkeys(name for each in flat for name in each))
    chosen = wanted(names)
    columns = [name for name in names if name in chosen]
    return pd.DataFrame(
        {name: pd.Series([each.get(name) for each in flat], dtype=object) for name in columns}, index=range(len(flat))
    )


def _flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


# Other formats


def _read_parquet(path: Path, compression: str | None, wanted: Wanted) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = pa.BufferReader(bytes_of(path, compression)) if compression else pa.OSFile(str(path))
        with source, pq.ParquetFile(source) as file:
            expect_not_too_long(path, file.metadata.num_rows)
            names = file.schema_arrow.names
            for name in names:
                if names.count(name) > 1:
                    raise InputError(str(path), name, "found the column twice, expected it once")
            chosen = wanted(names)
            columns = [name for name in names if name in chosen]
            table = file.read(columns=columns)
            zero = _zero_of(file.metadata.metadata or {})
            columns = [name for name in names if name in table.column_names]
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(str(path), "", f"found {error}, expected a Parquet file") from None
    return Table(str(path), frame_of_arrow(table.select(columns), str(path)), None, zero)


def _zero_of(metadata: dict[bytes, bytes]) -> float | None:
    try:
        return float(metadata[b"sim.zero"])
    except (KeyError, ValueError):
        return None


def frame_of_arrow(table: Any, source: str) -> pd.DataFrame:
    """An Arrow table as a frame: dictionaries as what they stand for, decimals as floats, whole numbers whole."""
    import pandas as pd
    import pyarrow as pa

    columns = {}
    for number, name in enumerate(table.column_names):
        column = table.column(number)
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = kind.value_type
        if pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        if pa.types.is_integer(kind) and column.null_count:
            columns[name] = column.to_pandas(types_mapper=lambda _: pd.Int64Dtype())
        else:
            columns[name] = column.to_pandas()
    return pd.DataFrame(columns, index=range(table.num_rows))


def _read_swf(path: Path, compression: str | None, wanted: Wanted) -> Table:
    import pandas as pd

    rows, lines = [], []
    for number, line in enumerate(text_of(path, compression, "a Standard Workload file").splitlines(), 1):
        cells = line.split(";")[0].split()
        if not cells:
            continue
        if len(cells) != len(SWF_FIELDS):
            problem = f"found {len(cells)} fields, expected the {len(SWF_FIELDS)} of the Standard Workload Format"
            raise InputError(f"{path}:{number}", "", problem)
        rows.append(cells)
        lines.append(number)
    return Table(str(path), pd.DataFrame(rows, columns=list(SWF_FIELDS), dtype=str), lambda row: lines[row])


def _read_dat(path: Path, compression: str | None, wanted: Wanted) -> Table:
    import numpy as np
    import pandas as pd

    data = bytes_of(path, compression)
    if len(data) % 8:
        raise InputError(str(path), "", f"found {len(data)} bytes, expected records of 8 bytes each")
    seconds = np.frombuffer(data, dtype=">u4").reshape(-1, 2) / 1000.0
    return Table(str(path), pd.DataFrame({"arrive": seconds[:, 0], "plan": seconds[:, 1]}))


_READERS: dict[str, Callable[..., Table]] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
    ".swf": _read_swf,
    ".dat": _read_dat,
}
