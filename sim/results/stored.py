"""Results that were written, read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sim.results.result_base import ResultBase
from sim.results.summary import entry
from sim.results.tables import COLUMNS
from sim.scenario import InputError, Scenario
from sim.statistics.metric_names import CAUSE_METRICS, COST_METRICS, COUNT_METRICS, WAIT_METRICS


class StoredResult(ResultBase):
    """A folder of results as `sim run` writes it.

    Args:
        folder: the folder, e.g. ``results/reserved-pod-deleted``.

    Raises:
        InputError: it is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        manifest = self._json("manifest.json")
        self.summary = self._json("summary.json")
        try:
            self.scenario = Scenario.model_validate(_with_place_of_trace(manifest))
            self.labels = tuple(manifest["policies"])
            self.replications = _whole(manifest["replications"])
            self.warmup = float(manifest["warmup"]["seconds"])
            self.varies = bool(manifest["random"])
            self.warmup_too_short = bool(manifest["warmup"].get("too_short", False))
            self.precision_reached = manifest["precision_reached"]
            if not self.labels or len(set(self.labels)) < len(self.labels) or self.replications < 1:
                raise ValueError("policies")
            for kind, labels in (("policies", self.labels), ("comparisons", self.labels[1:])):
                for label in labels:
                    for metric in (*COUNT_METRICS, *WAIT_METRICS, *CAUSE_METRICS, *COST_METRICS):
                        entry(self.summary[kind][label], metric)["value"]
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

    def _table(self, name: str) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._folder / f"{name}.parquet"
        try:
            with path.open("rb") as file:
                table = pq.ParquetFile(file).read()
        except OSError as error:
            problem = f"cannot be read: {error.strerror or error}, expected a file that sim run has written"
            raise InputError(str(path), "", problem) from None
        except pa.ArrowException as error:
            raise InputError(str(path), "", f"found {error}, expected what sim run has written") from None
        missing = [column for column in COLUMNS[name] if column not in table.column_names]
        if missing:
            problem = f"found no column {missing[0]}, expected that of this version: run the scenario again"
            raise InputError(str(path), "", problem)
        return table


def _with_place_of_trace(manifest: dict[str, Any]) -> dict[str, Any]:
    """The scenario of the manifest, with its trace where it was: the scenario's own path counts from its own folder."""
    scenario: dict[str, Any] = manifest["scenario"]
    if manifest["trace"] is None or not isinstance(scenario["workload"].get("trace"), dict):
        return scenario
    trace = {**scenario["workload"]["trace"], "file": manifest["trace"]["file"]}
    return {**scenario, "workload": {**scenario["workload"], "trace": trace}}


def _whole(number: object) -> int:
    if type(number) is not int:
        raise ValueError(number)
    return number
