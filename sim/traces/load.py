"""A scenario with the trace that it names, and traces alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.scenario import Scenario
from sim.scenario.reading.load import read_scenario

if TYPE_CHECKING:
    import pandas as pd


def load_scenario(path: str | Path) -> Scenario:
    """The scenario in the YAML file *path*, checked together with its trace if it has one.

    Args:
        path: the file; ``-`` is standard input.

    Raises:
        InputError: the file cannot be read, or is not a scenario, or its trace cannot be used. The error's text is
            one line that names file, line and field, and says what was found and what was expected.
    """
    scenario = read_scenario(path)
    if scenario.workload.trace is not None:
        from sim.traces.recording import recording_of

        recording_of(scenario)
    return scenario


def read_trace(
    source: str | Path | pd.DataFrame,
    *,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    where: Mapping[str, Any] | None = None,
    timezone: str | None = None,
    start: str | None = None,
) -> pd.DataFrame:
    """Recorded tasks as a frame with the columns of a trace, in order of arrival, times in seconds.

    Args:
        source: a file (CSV, TSV, JSON, JSON lines, Parquet, SWF, each also .gz or .zst), or a frame.
        columns: which column is what, such as ``{"arrive": "created_at", "plan": ["started_at", "planned_at"]}``, where
            two columns stand for their difference. Without it the columns are guessed by their names, unless one is
            called ``arrive``.
        where: the rows to keep, by the values of a column.
        timezone: of times that do not say theirs.
        start: what time 0 is, in ISO 8601; by default the first arrival.

    Returns:
        A frame whose `attrs` have `notes` (what was done to the data, a line for each thing) and `zero` (what time 0
        is, in seconds since 1970, or None).

    Raises:
        InputError: it cannot be read, or a row of it is no task.
    """
    import pandas as pd
    from pydantic import ValidationError

    from sim.scenario.errors import InputError
    from sim.scenario.reading.error_messages import mistake_in
    from sim.scenario.workload import Trace
    from sim.traces.fit import frame_of
    from sim.traces.recording import read_recording

    path = Path(source) if isinstance(source, str) else source
    given = {"columns": columns, "where": where, "timezone": timezone}
    if not isinstance(path, Path | pd.DataFrame):
        raise InputError("", "source", f"found {type(source).__name__}, expected a file or a pandas frame")
    data: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    data["file"] = str(path) if isinstance(path, Path) else "a frame"
    try:
        trace = Trace.model_validate(data)
    except ValidationError as error:
        raise mistake_in(error, data) from None
    recording = read_recording(path, trace, start)
    frame = frame_of(recording)
    frame.attrs = {"notes": recording.notes, "zero": recording.zero}
    return frame
