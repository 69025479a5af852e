"""Results that were written, read again."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.scenario import InputError, Scenario

if TYPE_CHECKING:
    import pandas as pd


class StoredResult:
    """A folder of results as `sim run` writes it. It has the frames, the summary and the labels of a `Result`.

    Args:
        folder: the folder, e.g. ``results/reserved-pod-deleted``.

    Raises:
        InputError: it is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        manifest = self._json("manifest.json")
        self.summary: dict[str, Any] = self._json("summary.json")
        try:
            self.scenario = Scenario.model_validate(manifest["scenario"])
            self.labels: tuple[str, ...] = tuple(manifest["policies"])
            self.replications: int = manifest["replications"]
            self.warmup: float = manifest["warmup"]["seconds"]
            self.precision_reached: bool | None = manifest["precision_reached"]
            for label in self.labels:
                self.summary["policies"][label]
        except (KeyError, TypeError, ValueError):
            problem = "found another format, expected that of this version: run the scenario again"
            raise InputError(str(folder / "manifest.json"), "", problem) from None

    def _json(self, name: str) -> dict[str, Any]:
        path = self._folder / name
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            problem = f"cannot be read: {error.strerror}, expected a folder that sim run has written"
            raise InputError(str(path), "", problem) from None
        except ValueError:
            raise InputError(str(path), "", "found no JSON, expected what sim run has written") from None
        if not isinstance(found, dict):
            raise InputError(str(path), "", "found no mapping, expected what sim run has written")
        return found

    @cached_property
    def tasks(self) -> pd.DataFrame:
        """One row per policy, replication and task."""
        return self._frame("tasks")

    @cached_property
    def pods(self) -> pd.DataFrame:
        """One row per policy, replication and pod."""
        return self._frame("pods")

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """One row each time an autoscaler changed the number of pods."""
        return self._frame("decisions")

    @cached_property
    def reservations(self) -> pd.DataFrame:
        """One row per time for which a slot was reserved for a task."""
        return self._frame("reservations")

    @cached_property
    def incidents(self) -> pd.DataFrame:
        """One row per fault that struck, and what it struck."""
        return self._frame("incidents")

    def _frame(self, name: str) -> pd.DataFrame:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from sim.results.tables import frame

        path = self._folder / f"{name}.parquet"
        try:
            with path.open("rb") as file:
                return frame(pq.ParquetFile(file).read())
        except OSError as error:
            problem = f"cannot be read: {error.strerror or error}, expected a file that sim run has written"
            raise InputError(str(path), "", problem) from None
        except pa.ArrowException as error:
            raise InputError(str(path), "", f"found {error}, expected what sim run has written") from None
