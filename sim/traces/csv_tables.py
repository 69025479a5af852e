"""CSV and TSV files, whatever stands between their cells.

pyarrow reads them, which is fast. Where it refuses one, Python's own reader says in which line the mistake is, or reads
what pyarrow does not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sim.scenario.errors import InputError
from sim.traces.table import Table, Wanted, bytes_of, expect_not_too_long, text_of

if TYPE_CHECKING:
    import pandas as pd


def read_csv(
    path: Path,
    compression: str | None,
    wanted: Wanted,
    delimiter: str | None = None,
) -> Table:
    raw, delimiter = _header_of(path, compression, delimiter)
    header = [name.strip() for name in raw]
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{path}:{_first_line(path, compression)}", name,
                             "found the column twice, expected it once")  # fmt: skip
    chosen = wanted(header)
    columns = [name for name in header if name in chosen]
    try:
        frame = _fast_csv(path, compression, delimiter, raw, columns)
    except ValueError:  # among them pyarrow's ArrowInvalid: the careful reader finds the place, or no fault at all
        frame = _careful_csv(path, compression, delimiter, header, columns)
    return Table(str(path), frame, lambda row: _line_of_csv(path, compression, delimiter, row))


def _header_of(path: Path, compression: str | None, delimiter: str | None) -> tuple[list[str], str]:
    """The names of the columns as they stand in the file, and what stands between cells."""
    import pyarrow as pa

    with pa.input_stream(str(path), compression=compression) as stream:
        start = bytes(stream.read(1 << 20))
    text = start.decode("utf-8-sig", errors="ignore")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{path}:1", "", "found an empty file, expected a line with the names of columns")
    if delimiter is None:
        delimiter = max(",;\t|", key=lambda each: (_unquoted(lines[0]).count(each), -",;\t|".index(each)))
    try:
        return next(csv.reader([lines[0]], delimiter=delimiter)), delimiter
    except csv.Error as error:
        raise InputError(f"{path}:1", "", f"found {error}, expected a line with the names of columns") from None


def _unquoted(line: str) -> str:
    return "".join(line.split('"')[::2])


def _first_line(path: Path, compression: str | None) -> int:
    for number, line in enumerate(text_of(path, compression, "a CSV file").splitlines(), 1):
        if line.strip():
            return number
    return 1


def _fast_csv(path: Path, compression: str | None, delimiter: str, raw: list[str], columns: list[str]) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    header = [name.strip() for name in raw]
    with pa.input_stream(str(path), compression=compression) as stream:
        batches = arrow_csv.open_csv(
            stream,
            read_options=arrow_csv.ReadOptions(block_size=1 << 24),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys([*header, *raw], pa.string()), strings_can_be_null=False
            ),
        )
        if [name.strip() for name in batches.schema.names] != header:
            raise ValueError("The header was read differently.")
        kept, rows = [], 0
        for batch in batches:
            rows += batch.num_rows
            expect_not_too_long(path, rows)
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
    text = bytes_of(path, compression).decode("utf-8-sig", errors="replace")
    found = next(islice(_rows_of_csv(io.StringIO(text, newline=""), delimiter), row, None), None)
    return 0 if found is None else found[0]


def read_tsv(path: Path, compression: str | None, wanted: Wanted) -> Table:
    return read_csv(path, compression, wanted, "\t")
