"""`sim import`: the records of a real system, or a trace that there is already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sim.scenario.errors import InputError, shown
from sim.traces.events import Account, Imported
from sim.traces.fit import frame_of
from sim.traces.importing import KINDS, Kind, foreign_records
from sim.traces.moments import expect_zone
from sim.traces.odd_rows import endings_of, odd_rows
from sim.traces.recording import read_recording
from sim.traces.tables import read_table

if TYPE_CHECKING:
    import pandas as pd


def import_records(
    source: str | Path | pd.DataFrame,
    kind: Kind | None = None,
    timezone: str | None = None,
    lock: bool = True,
) -> Imported:
    """The records in *source* as a trace.

    Args:
        source: a file; a folder with the pages of an API; the address of a database, ``postgresql://...``; or a frame.
        kind: what wrote them; guessed if it is not said, and the account says what was guessed.
        timezone: of times that do not say theirs, such as ``Europe/Berlin``.
        lock: whether the system locks workspaces as the model does. If not, each task gets a workspace of its own, and
            nothing is concluded from a later run of a workspace.

    Returns:
        The trace as `frame`, and as `account` what became of every row.

    Raises:
        InputError: they cannot be read, or are not of that kind.
    """
    import pandas as pd

    if not isinstance(source, str | Path | pd.DataFrame):
        raise InputError("", "source", f"found {type(source).__name__}, expected a file, an address or a pandas frame")
    if kind is not None and kind not in KINDS:
        raise InputError("", "kind", f"found {shown(kind)}, expected one of: {', '.join(KINDS)}")
    if timezone is not None:
        expect_zone(timezone)
    if kind in (None, "table") and isinstance(source, str | Path) and "://" not in str(source):
        path = Path(source)
        names: list[str] = []
        if path.is_file() and path.suffix.lower() != ".json":
            read = read_table(path, lambda found: [name for name in found if name in ("arrive", "plan")])
            names = [str(name) for name in read.frame.columns]
        if {"arrive", "plan"} <= set(names):
            return _as_it_is(path, lock)
    return foreign_records(source, kind, timezone, lock=lock)


def _as_it_is(path: Path, lock: bool) -> Imported:
    """A file that is a trace already: nothing is guessed or concluded."""
    recording = read_recording(path)
    frame = frame_of(recording)
    account = Account(str(path), len(frame), len(frame), odd=odd_rows(frame), endings=endings_of(frame))
    account.notes += ["It is a trace already: nothing is guessed or concluded.", *recording.notes]
    imported = Imported(frame, account, recording.zero if recording.zero is not None else 0.0)
    return imported if lock else replace(imported, frame=frame.drop(columns="workspace", errors="ignore"))
