"""Runs as Arrow tables, with the columns of interface.md: times in float64 seconds, missing ones null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim.experiment.draw import Names
from sim.experiment.metrics import apply_waits
from sim.experiment.runner import Run
from sim.model.clock import NEVER, SECOND
from sim.model.record import DELETED_BY
from sim.model.tasks import STATES

TYPES = ("plan", "plan_and_apply")


def tasks_table(runs: Sequence[Run], names: Names, horizon: int) -> Any:
    """One row per run and task, in order of the runs and then of the tasks."""
    columns = _stacked(runs, "tasks")
    wait, censored = apply_waits(columns, horizon)
    index, workspace = columns["index"], columns["workspace"]
    if names.ids is None:
        ids = pa.array(index)
    else:
        ids = pa.array(names.ids[index], type=pa.int64() if names.ids.dtype.kind == "i" else pa.string())
    if names.workspaces is None:
        used, position = np.unique(workspace, return_inverse=True)
        spaces = _words(position, [f"ws-{number + 1}" for number in used.tolist()])
    else:
        spaces = _words(workspace, names.workspaces)
    return pa.table(
        {
            **_keys(runs, "tasks"),
            "task_id": ids,
            "workspace": spaces,
            "type": _words(columns["applies"], TYPES),
            "state": _words(columns["state"], STATES),
            **{name: _seconds(columns[name]) for name in columns if name.endswith("_at") and name != "final_at"},
            "apply_wait": _seconds(np.where(wait < 0, NEVER, wait)),
            "censored": pa.array(censored),
            **{
                name: _seconds(np.where(wait < 0, NEVER, columns[name])) for name in columns if name.startswith("wait_")
            },
        }
    )


def pods_table(runs: Sequence[Run]) -> Any:
    """One row per run and pod, in order of the runs and then of the pods."""
    columns = _stacked(runs, "pods")
    return pa.table(
        {
            **_keys(runs, "pods"),
            "pod": pa.array(columns["pod"]),
            **{name: _seconds(columns[name]) for name in ("created_at", "ready_at", "deleted_at")},
            "deleted_by": _words(columns["deleted_by"], DELETED_BY, missing=columns["deleted_by"] == 0),
        }
    )


def decisions_table(runs: Sequence[Run]) -> Any:
    """One row per run and change of the number of pods by the autoscaler, in order of the runs and then of time."""
    columns = _stacked(runs, "decisions")
    numbers = {name: pa.array(columns[name]) for name in ("pods_before", "desired", "pods_after")}
    return pa.table({**_keys(runs, "decisions"), "time": _seconds(columns["time"]), **numbers})


def _stacked(runs: Sequence[Run], part: str) -> dict[str, NDArray[np.int64]]:
    parts = [getattr(run, part) for run in runs]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _keys(runs: Sequence[Run], part: str) -> dict[str, Any]:
    """The columns `policy` and `replication`."""
    lengths = [len(next(iter(getattr(run, part).values()))) for run in runs]
    labels = list(dict.fromkeys(run.label for run in runs))
    which = np.repeat([labels.index(run.label) for run in runs], lengths)
    return {
        "policy": _words(which, labels),
        "replication": pa.array(np.repeat(np.array([run.replication for run in runs], dtype=np.int64), lengths)),
    }


def _seconds(times: NDArray[np.int64]) -> Any:
    return pa.array(times / SECOND, mask=times == NEVER)


def _words(codes: NDArray[np.int64], words: Sequence[str], missing: NDArray[np.bool_] | None = None) -> Any:
    indices = pa.array(codes.astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(words), type=pa.string())).cast(pa.string())
