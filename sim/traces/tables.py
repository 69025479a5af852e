"""Tables in the formats that records come in, read without looking at what they say.

A file's ending says its format: `.csv`, `.tsv`, `.json`, `.jsonl` or `.ndjson`, `.parquet`, `.swf`, `.dat`; each may
be followed by `.gz` or `.zst`. A CSV file may have any of ``, ; | tab`` between its cells.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 20_000_000
"""More rows than this are refused before they are read, or as soon as they are seen."""

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}

SWF_FIELDS = (
    "job", "submit", "wait", "run", "processors", "cpu_time", "memory", "requested_processors", "requested_time",
    "requested_memory", "status", "user", "group", "executable", "queue", "partition", "preceding", "think_time",
)  # fmt: skip
"""The fields of a line in the Standard Workload Format (www.cs.huji.ac.il/labs/parallel/workload/swf.html)."""


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
        cell = self.frame[column].iloc[number] if column in self.frame else None
        return InputError(where, column, f"found {shown('' if is_missing(cell) else cell)}, expected {expected}")


def is_missing(cell: Any) -> bool:
    """Whether there is nothing in *cell*."""
    import pandas as pd

    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, str) and cell == "") or cell != cell


def read_table(path: Path, wanted: Callable[[Sequence[str]], Collection[str]] | None = None) -> Table:
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
        table = reader(path, compression, wanted or (lambda names: names))
    except FileNotFoundError:
        raise InputError(str(path), "", "found no such trace file, expected one of tasks to simulate") from None
    except MemoryError:
        raise InputError(str(path), "", "found a file that does not fit into memory, expected a smaller one") from None
    except OSError as error:
        if compression is not None and error.errno is None:
            problem = f"found {compression} data that is damaged or incomplete ({error}), expected the whole file"
            raise InputError(str(path), "", problem) from None
        raise InputError(str(path), "", f"cannot be read: {error.strerror or error}, expected a trace file") from None
    _expect_not_too_long(path, len(table))
    return table


def _expect_not_too_long(path: Path, rows: int) -> None:
    if rows > MOST_ROWS:
        raise InputError(str(path), "", f"found {rows:,} rows, expected at most {MOST_ROWS:,}")


def _bytes_of(path: Path, compression: str | None) -> bytes:
    import pyarrow as pa

    if compression is None:
        return path.read_bytes()
    with pa.input_stream(str(path), compression=compression) as stream:
        return bytes(stream.read())


def text_of(path: Path, compression: str | None, what: str) -> str:
    """The file as text, without a byte order mark."""
    data = _bytes_of(path, compression)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}", "", f"found bytes that are not UTF-8, expected {what} in UTF-8") from None


# CSV


def _read_csv(
    path: Path,
    compression: str | None,
    wanted: Callable[[Sequence[str]], Collection[str]],
    delimiter: str | None = None,
) -> Table:
    header, delimiter = _header_of(path, compression, delimiter)
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{path}:{_first_line(path, compression)}", name,
                             "found the column twice, expected it once")  # fmt: skip
    chosen = wanted(header)
    columns = [name for name in header if name in chosen]
    try:
        frame = _fast_csv(path, compression, delimiter, header, columns)
    except ValueError:  # among them pyarrow's ArrowInvalid: the careful reader finds the place, or no fault at all
        frame = _careful_csv(path, compression, delimiter, header, columns)
    return Table(str(path), frame, lambda row: _line_of_csv(path, compression, delimiter, row))


def _header_of(path: Path, compression: str | None, delimiter: str | None) -> tuple[list[str], str]:
    import pyarrow as pa

    with pa.input_stream(str(path), compression=compression) as stream:
        start = bytes(stream.read(1 << 20))
    text = start.decode("utf-8-sig", errors="ignore")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{path}:1", "", "found an empty file, expected a line with the names of columns")
    if delimiter is None:
        delimiter = max(",;\t|", key=lambda each: (_unquoted(lines[0]).count(each), -",;\t|".index(each)))
    header = next(csv.reader([lines[0]], delimiter=delimiter))
    return [name.strip() for name in header], delimiter


def _unquoted(line: str) -> str:
    return "".join(line.split('"')[::2])


def _first_line(path: Path, compression: str | None) -> int:
    for number, line in enumerate(text_of(path, compression, "a CSV file").splitlines(), 1):
        if line.strip():
            return number
    return 1


def _fast_csv(
    path: Path, compression: str | None, delimiter: str, header: list[str], columns: list[str]
) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    with pa.input_stream(str(path), compression=compression) as stream:
        batches = arrow_csv.open_csv(
            stream,
            read_options=arrow_csv.ReadOptions(block_size=1 << 24),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
            ),
        )
        if [name.strip() for name in batches.schema.names] != header:
            raise ValueError("The header was read differently.")
        kept, rows = [], 0
        for batch in batches:
            rows += batch.num_rows
            _expect_not_too_long(path, rows)
            kept.append([pc.utf8_trim_whitespace(batch.column(header.index(name))) for name in columns])
    arrays = {
        name: pa.chunked_array([part[number] for part in kept], type=pa.string()) for number, name in enumerate(columns)
    }
    _expect_closed_quotes(path, compression)
    frame = pd.DataFrame({name: array.to_pandas() for name, array in arrays.items()})
    return frame if columns else pd.DataFrame(index=range(rows))


def _expect_closed_quotes(path: Path, compression: str | None) -> None:
    """A quote that is never closed reaches, for pyarrow, to the end of the file: refuse that."""
    import pyarrow as pa

    quotes = 0
    with pa.input_stream(str(path), compression=compression) as stream:
        while block := stream.read(1 << 24):
            quotes += bytes(block).count(b'"')
    if quotes % 2:
        raise ValueError("A quote is never closed.")


def _careful_csv(
    path: Path, compression: str | None, delimiter: str, header: list[str], columns: list[str]
) -> pd.DataFrame:
    """The table as Python's own reader has it, which can say in which line a mistake is."""
    import pandas as pd

    text = text_of(path, compression, "a CSV file")
    rows: list[list[str]] = []
    try:
        for line, cells in _rows_of_csv(io.StringIO(text, newline=""), delimiter, header=False):
            if len(cells) != len(header):
                problem = f"found {len(cells)} cells, expected {len(header)}, as many as there are columns"
                raise InputError(f"{path}:{line}", "", problem)
            rows.append([cell.strip() for cell in cells])
    except csv.Error as error:
        raise InputError(f"{path}:{_line_at(text, delimiter)}", "",
                         f"found {error}, expected one task per line") from None  # fmt: skip
    frame = pd.DataFrame(rows[1:], columns=header, dtype=str)
    return frame[columns]


def _line_at(text: str, delimiter: str) -> int:
    """The line on which the row begins that cannot be read."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for _ in reader:
            line = reader.line_num + 1
    except csv.Error:
        pass
    return line


def _rows_of_csv(file: io.TextIOBase, delimiter: str, header: bool = True) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line on which it begins. Without the header if it is to be left."""
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    line, skip = 1, header
    for cells in reader:
        if cells:
            if not skip:
                yield line, cells
            skip = False
        line = reader.line_num + 1


def _line_of_csv(path: Path, compression: str | None, delimiter: str, row: int) -> int:
    """The line of the file on which a row of the table begins."""
    text = _bytes_of(path, compression).decode("utf-8-sig", errors="replace")
    found = next(islice(_rows_of_csv(io.StringIO(text, newline=""), delimiter), row, None), None)
    return 0 if found is None else found[0]


def _read_tsv(path: Path, compression: str | None, wanted: Callable[[Sequence[str]], Collection[str]]) -> Table:
    return _read_csv(path, compression, wanted, "\t")


# JSON


def _read_json(path: Path, compression: str | None, wanted: Callable[[Sequence[str]], Collection[str]]) -> Table:
    text = text_of(path, compression, "JSON")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("{") and "Extra data" in str(error):
            return _json_lines(path, text, wanted)
        line = getattr(error, "lineno", 1)
        raise InputError(f"{path}:{line}", "", f"found text that is no JSON ({error}), expected JSON") from None
    return Table(str(path), _frame_of(path, objects_in(data, str(path)), wanted))


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


def _read_json_lines(path: Path, compression: str | None, wanted: Callable[[Sequence[str]], Collection[str]]) -> Table:
    return _json_lines(path, text_of(path, compression, "JSON lines"), wanted)


def _json_lines(path: Path, text: str, wanted: Callable[[Sequence[str]], Collection[str]]) -> Table:
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


def _frame_of(
    path: Path, objects: list[dict[str, Any]], wanted: Callable[[Sequence[str]], Collection[str]]
) -> pd.DataFrame:
    """The objects as rows. Objects within them become columns with dots in their names."""
    import pandas as pd

    _expect_not_too_long(path, len(objects))
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


def _read_parquet(path: Path, compression: str | None, wanted: Callable[[Sequence[str]], Collection[str]]) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = pa.BufferReader(_bytes_of(path, compression)) if compression else pa.OSFile(str(path))
        with source, pq.ParquetFile(source) as file:
            _expect_not_too_long(path, file.metadata.num_rows)
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


def _read_swf(path: Path, compression: str | None, wanted: Callable[[Sequence[str]], Collection[str]]) -> Table:
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


def _read_dat(path: Path, compression: str | None, wanted: Callable[[Sequence[str]], Collection[str]]) -> Table:
    import numpy as np
    import pandas as pd

    data = _bytes_of(path, compression)
    if len(data) % 8:
        raise InputError(str(path), "", f"found {len(data)} bytes, expected records of 8 bytes each")
    seconds = np.frombuffer(data, dtype=">u4").reshape(-1, 2) / 1000.0
    return Table(str(path), pd.DataFrame({"arrive": seconds[:, 0], "plan": seconds[:, 1]}))


_READERS: dict[str, Callable[..., Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
    ".swf": _read_swf,
    ".dat": _read_dat,
}
