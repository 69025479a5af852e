"""Records of a real system, read from a file, a folder of pages or a database, as a trace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from sim.scenario.errors import InputError, shown
from sim.traces.conclusions import trace_of
from sim.traces.events import Account, Imported
from sim.traces.sources import batsim, buildkite, github, gitlab, hcp_terraform, swf, table, terranova
from sim.traces.table import table_of, text_of
from sim.traces.tables import COMPRESSIONS, read_table, without_lone_surrogates

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["table", "swf", "batsim", "hcp-terraform", "terranova", "gitlab", "github", "buildkite"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_OF_OBJECTS: Final[Mapping[str, Any]] = {
    "hcp-terraform": hcp_terraform,
    "gitlab": gitlab,
    "github": github,
    "buildkite": buildkite,
}


def foreign_records(
    source: str | Path | pd.DataFrame,
    kind: Kind | None = None,
    timezone: str | None = None,
    zero: float | None = None,
    lock: bool = True,
) -> Imported:
    """The records in *source*, which are no trace yet, as one.

    Args:
        source: a file; a folder with the pages of an API; the address of a database, ``postgresql://...``; or a frame.
        kind: what wrote them; guessed if it is not said, and the account says what was guessed.
        timezone: of times that do not say theirs, such as ``Europe/Berlin``.
        zero: what time 0 is to be, in seconds since 1970; by default the first arrival.
        lock: whether the system locks workspaces as the model does. If not, each task gets a workspace of its own, and
            nothing is concluded from a later run of a workspace.

    Raises:
        InputError: they cannot be read, or are not of that kind.
    """
    if not isinstance(source, str | Path):
        account = Account("the frame")
        return _checked(trace_of(table.events_of(table_of(source), account, timezone), account, zero, lock))
    address = str(source)
    account = Account(address.rpartition("@")[2] if "://" in address else address)
    if "://" in address or kind == "terranova":
        if not address.startswith(terranova.SCHEMES):
            scheme = shown(address.partition("://")[0])
            problem = f"found an address that begins with {scheme}, expected that of a database: postgresql://..."
            raise InputError("", "", problem)
        return _checked(trace_of(terranova.events_of(address, account, timezone), account, zero, lock))
    path = Path(source)
    if kind in _OF_OBJECTS or (kind is None and (path.is_dir() or _is_json(path))):
        found = _of_json(path, kind, account, timezone)
        if found is not None:
            return _checked(trace_of(found, account, zero, lock))
    if kind == "batsim" and _is_json(path):
        raise InputError(str(path), "", "found no workload of Batsim, expected jobs and profiles")
    read = read_table(path)
    if kind == "swf" or (kind is None and ".swf" in [suffix.lower() for suffix in path.suffixes]):
        if "submit" not in read.frame:
            raise InputError(str(path), "", "found no Standard Workload file, expected one that ends in .swf")
        events = swf.events_of(read, account, timezone)
    else:
        events = table.events_of(read, account, timezone)
    return _checked(trace_of(events, account, zero, lock))


def _checked(imported: Imported) -> Imported:
    account = imported.account
    if not account.kept:
        reasons = "; ".join(f"{each.rows} {each.reason}" for each in account.left_out) or "there are no rows"
        raise InputError(account.source, "", f"found no task that can be used ({reasons}), expected at least one")
    return imported


def _is_json(path: Path) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in COMPRESSIONS]
    return bool(suffixes) and suffixes[-1] in (".json", ".jsonl", ".ndjson")


def _of_json(path: Path, kind: Kind | None, account: Account, timezone: str | None) -> pd.DataFrame | None:
    """The events in the files of an API; None if nothing was said of what wrote them, and they are a plain table."""
    files = sorted(each for each in path.iterdir() if _is_json(each)) if path.is_dir() else [path]
    if files == [path] and not _is_json(path):
        problem = f"found a file that is no JSON, expected the answers of the API of {kind} as .json or .jsonl"
        raise InputError(str(path), "", problem)
    others = sorted(each.name for each in path.iterdir() if each not in files) if path.is_dir() else []
    if others:
        account.notes.append(f"Files that are no JSON are not read: {shown(', '.join(others))}.")
    if not files:
        raise InputError(str(path), "", "found a folder without .json or .jsonl files, expected the pages of an API")
    documents = [document for file in files for document in _documents(file)]
    objects = [each for document in documents for each in (document if isinstance(document, list) else [document])]
    first = objects[0] if objects else None
    if isinstance(first, Mapping) and "profiles" in first and "jobs" in first and kind in (None, "batsim"):
        account.notes.append("Guessed to be a workload of Batsim.")
        return batsim.events_of_workload(first, account, str(path))
    guessed = kind or _kind_of(first)
    if guessed is None:
        return None
    if kind is None:
        account.notes.append(f"Guessed to be of {guessed}; --from says otherwise.")
    if len(files) > 1:
        account.notes.append(f"Read {len(files)} files.")
    found: pd.DataFrame = _OF_OBJECTS[guessed].events_of(objects, account, str(path), timezone)
    return found


def _kind_of(first: Any) -> Kind | None:
    """What wrote an object, by the fields that only its system has."""
    if not isinstance(first, Mapping):
        return None
    data = first.get("data", first)
    run = data[0] if isinstance(data, list) and data else data
    if isinstance(run, Mapping) and "attributes" in run:
        return "hcp-terraform"
    jobs = first.get("jobs")
    job = jobs[0] if isinstance(jobs, list) and jobs else first
    if isinstance(job, Mapping):
        if "runner_group_name" in job or ("run_id" in job and "completed_at" in job):
            return "github"
        if isinstance(jobs, list) and ("agent_query_rules" in job or "runnable_at" in job or "pipeline" in first):
            return "buildkite"
        if "queued_duration" in job:
            return "gitlab"
    return None


def _documents(path: Path) -> list[Any]:
    """What is in a JSON file, or on each line of a file of JSON lines."""
    compression = COMPRESSIONS.get(path.suffix.lower())
    try:
        text = text_of(path, compression, "JSON")
    except FileNotFoundError:
        raise InputError(str(path), "", "found no such file, expected records to read") from None
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror or error}, expected records") from None
    text = without_lone_surrogates(text)
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError) as error:
        whole = error
    found = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except (ValueError, RecursionError):
                at = getattr(whole, "lineno", number) if number == 1 else number
                problem = f"found text that is no JSON ({whole}), expected JSON, or a JSON object on each line"
                raise InputError(f"{path}:{at}", "", problem) from None
    return found


def with_other_names(imported: Imported, key: str) -> Imported:
    """The same trace with other names of tasks and workspaces, which nobody without *key* can undo.

    The same name gets the same new one. Pools keep their names, as a scenario needs them.
    """

    def new(name: object, prefix: str) -> str:
        return f"{prefix}-{blake2b(str(name).encode(), key=key.encode()[:64], digest_size=6).hexdigest()}"

    frame, account = imported.frame.copy(), imported.account
    for column, prefix in (("id", "task"), ("workspace", "ws")):
        if column in frame:
            frame[column] = frame[column].map({name: new(name, prefix) for name in frame[column].unique()})
    if "id" in frame:
        account.odd = [replace(each, row=new(each.row, "task")) for each in account.odd]
        account.left_out = [replace(each, first=new(each.first, "task")) for each in account.left_out]
    return replace(imported, frame=frame)


def write_trace(imported: Imported, path: Path) -> None:
    """Write the trace as a Parquet file, whose metadata says what time 0 is."""
    write_frame(imported.frame, path, {"sim.zero": repr(imported.zero), "sim.source": imported.account.source})


def write_frame(frame: pd.DataFrame, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a frame as a Parquet file, beside its place first.

    Raises:
        InputError: it cannot be written there.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix != ".parquet":
        raise InputError(str(path), "", "found another ending, expected a file that ends in .parquet")
    columns = pa.Table.from_pandas(frame, preserve_index=False)
    buffer = pa.BufferOutputStream()
    pq.write_table(columns.replace_schema_metadata(dict(metadata or {})), buffer, compression="zstd")
    path = path.resolve() if path.is_symlink() else path
    temporary = path.with_name(f".{path.name}.partial")
    try:
        temporary.write_bytes(buffer.getvalue().to_pybytes())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        problem = f"cannot be written: {error.strerror or error}, expected a place for the trace"
        raise InputError(str(path), "", problem) from None
