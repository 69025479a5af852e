"""A sweep in a folder: what was asked, and the figures of each point as soon as it is done.

`study.json` says what was asked. `points.jsonl` gets a line for each point when it is done, so that a process that is
killed loses the point that it was at, and nothing else. `points.parquet` is made of these lines once there are no more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sim.experiment.points import Point
from sim.experiment.sweep import PointFigures, Sweep
from sim.results.atomic_write import write_text
from sim.results.summary import plain_figure
from sim.scenario import InputError
from sim.traces.recording import recording_of

if TYPE_CHECKING:
    import pandas as pd


def asked(sweep: Sweep) -> dict[str, Any]:
    """What a sweep asks for, as plain data. Two sweeps that ask for the same have the same figures."""
    recording = recording_of(sweep.scenario)
    return {
        "kind": "sweep",
        "version": version("slotpool-sim"),
        "scenario": sweep.scenario.model_dump(mode="json", exclude_none=True),
        "trace_sha256": None if recording is None else recording.sha256,
        "policies": None if sweep.policies is None else list(sweep.policies),
        "points": list(sweep.points),
    }


class Study:
    """The folder of one sweep. Only one process at a time may have it open for writing.

    Args:
        folder: where it is.
        asked: what `asked` says of the sweep.

    Raises:
        InputError: the folder holds something else, or another sweep, or another process is at it.
    """

    def __init__(self, folder: Path, asked: dict[str, Any]) -> None:
        self.folder = folder
        self._asked = json.loads(json.dumps(asked))
        self._journal = folder / "points.jsonl"

    @contextmanager
    def opened(self) -> Iterator[set[int]]:
        """Keep other processes out, and give the numbers of the points that are done."""
        question = self.folder / "study.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not question.exists() and any(path.name != ".lock" for path in self.folder.iterdir()):
                raise InputError(str(self.folder), "", "found a folder that holds no study, expected another place")
            with (self.folder / ".lock").open("w") as lock:
                _hold(lock, self.folder)
                if not question.exists():
                    write_text(question, json.dumps(self._asked, indent=2))
                self._expect_same(question)
                yield self._done()
        except OSError as error:
            problem = f"cannot be written: {error.strerror or error}, expected a folder for the study"
            raise InputError(str(self.folder), "", problem) from None

    def _expect_same(self, question: Path) -> None:
        try:
            found = json.loads(question.read_text(encoding="utf-8"))
        except ValueError:
            raise InputError(str(question), "", "found no JSON, expected what sim sweep has written") from None
        if found != self._asked:
            there = found if isinstance(found, dict) else {}
            differs = ", ".join(name for name in self._asked if there.get(name) != self._asked[name])
            problem = f"found a study that asked for something else ({differs}), expected the same, or another --name"
            raise InputError(str(question), "", problem)

    def _done(self) -> set[int]:
        """The points that are done. A last line that was cut off by a kill is taken away."""
        if not self._journal.exists():
            return set()
        data = self._journal.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            with self._journal.open("r+b") as file:
                file.truncate(len(whole))
        return {json.loads(line)["number"] for line in whole.splitlines()}

    def add(self, number: int, found: PointFigures) -> None:
        """Keep the figures of a point: a line that is there whole, or not at all."""
        with self._journal.open("ab") as file:
            file.write(json.dumps(line_of(number, found)).encode() + b"\n")

    def frame(self) -> pd.DataFrame:
        """The points that are done, see `frame_of`."""
        lines = [json.loads(line) for line in self._journal.read_text(encoding="utf-8").splitlines()]
        points: list[Point] = self._asked["points"]
        return frame_of(lines, list(dict.fromkeys(path for point in points for path in point)))

    def finish(self) -> pd.DataFrame:
        """Write `points.parquet`, and give what is in it."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from sim.results.atomic_write import atomic_write

        frame = self.frame()
        with atomic_write(self.folder / "points.parquet") as partial:
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), partial, compression="zstd")
        return frame


def line_of(number: int, found: PointFigures) -> dict[str, Any]:
    """The figures of a point as plain data, under its number."""
    replicated = found.replications > 1
    figures = {
        label: {name: plain_figure(figure, replicated) for name, figure in by_metric.items()}
        for label, by_metric in found.figures.items()
    }
    return {"number": number, "point": found.point, "replications": found.replications, "figures": figures}


def frame_of(lines: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> pd.DataFrame:
    """Points as a frame: a row per point, policy and metric, in order.

    Columns: `point policy metric value ci_low ci_high lower_bound replications`, and one for each setting, named by its
    path. A setting whose values are not all numbers is text.
    """
    import pandas as pd

    rows = [
        {
            "point": each["number"],
            "policy": label,
            "metric": metric,
            "value": entry["value"],
            "ci_low": entry.get("ci_low"),
            "ci_high": entry.get("ci_high"),
            "lower_bound": entry.get("lower_bound", False),
            "replications": each["replications"],
            **each["point"],
        }
        for each in sorted(lines, key=lambda each: int(each["number"]))
        for label, by_metric in each["figures"].items()
        for metric, entry in by_metric.items()
    ]
    frame = pd.DataFrame(rows)
    for name in ("value", "ci_low", "ci_high"):
        frame[name] = frame[name].astype(float)
    for path in paths:
        if frame[path].map(lambda value: isinstance(value, bool) or not isinstance(value, int | float)).any():
            frame[path] = frame[path].map(lambda value: "" if value is None else str(value))
    return frame


def _hold(lock: IO[str], folder: Path) -> None:
    """Hold the lock for as long as the file is open: it ends with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows: two at a time are not noticed there.
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise InputError(str(folder), "", "found another process at this study, expected it to be done") from None
