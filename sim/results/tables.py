"""Runs as Arrow tables, with the columns of interface.md: times in float64 seconds, missing ones null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sim.experiment.spec import Run
from sim.runs.codes import DELETED_BY, EXECUTION_MODES, INCIDENTS, STATES
from sim.runs.time import NEVER, SECOND
from sim.statistics.metric_names import TYPES
from sim.statistics.task_waits import TaskWaits, apply_waits, blocked_by, blocked_waits, plan_waits
from sim.world.names import Names

if TYPE_CHECKING:
    import pandas as pd

MOMENTS = (
    "plan_started_at",
    "plan_ended_at",
    "confirmed_at",
    "apply_started_at",
    "apply_ended_at",
)

COLUMNS = {
    "tasks": [
        "policy",
        "replication",
        "task_id",
        "pool",
        "workspace",
        "type",
        "state",
        "arrived_at",
        "eligible_at",
        "plan_started_at",
        "plan_ended_at",
        "confirmed_at",
        "apply_started_at",
        "apply_ended_at",
        "ended_at",
        "plan_wait",
        "blocked_wait",
        "apply_wait",
        "censored",
        "plan_censored",
        "blocked_censored",
        "blocked_by",
        "execution_mode",
        "plan_pod",
        "plan_slot",
        "apply_pod",
        "apply_slot",
    ],
    "pods": [
        "policy",
        "replication",
        "pool",
        "pod",
        "created_at",
        "ready_at",
        "deleted_at",
        "deleted_by",
        "draining_at",
    ],
    "decisions": ["policy", "replication", "pool", "time", "pods_before", "desired", "pods_after"],
    "reservations": ["policy", "replication", "task_id", "pool", "pod", "slot", "reserved_at", "released_at"],
    "incidents": ["policy", "replication", "time", "until", "kind", "pool", "pod"],
}
"""The columns that every version of a table has, but for the causes of waits."""


def task_ids(index: NDArray[np.int64], names: Names) -> Any:
    """What the tasks with these indices are called. Those that a process of one's own has submitted come last."""
    ids = names.ids
    if ids is None:
        return pa.array(index)
    submitted = np.arange(len(ids), int(index.max(initial=0)) + 1) - len(ids) + 1
    if ids.dtype.kind == "i":
        return pa.array(np.concatenate([ids, ids.max(initial=0) + submitted])[index])
    return pa.array([*ids, *(f"submitted-{number}" for number in submitted.tolist())]).take(pa.array(index))


def _workspaces(codes: NDArray[np.int64], names: Names) -> Any:
    if names.workspaces is None:
        used, position = np.unique(codes, return_inverse=True)
        return _words(position, [f"ws-{number + 1}" for number in used.tolist()])
    submitted = range(1, int(codes.max(initial=0)) + 2 - len(names.workspaces))
    return _words(codes, [*names.workspaces, *(f"submitted-{number}" for number in submitted)])


def tasks_table(runs: Sequence[Run], names: Names, end: int, locks_all: bool) -> Any:
    """One row per run and task, in order of the runs and then of the tasks.

    Args:
        runs: the runs.
        names: what tasks, workspaces and pools are called.
        end: when the runs ended, in nanoseconds.
        locks_all: whether tasks of both types wait for earlier ones of their workspace.
    """
    columns = _stacked(runs, "tasks")
    parts = [run.record.tasks for run in runs]
    planned = _waits([plan_waits(tasks) for tasks in parts])
    blocked = _waits([blocked_waits(tasks, end) for tasks in parts])
    applied = _waits([apply_waits(tasks, end) for tasks in parts])
    return pa.table(
        {
            **_keys(runs, "tasks"),
            "task_id": task_ids(columns["index"], names),
            "pool": _words(columns["pool"], names.pools),
            "workspace": _workspaces(columns["workspace"], names),
            "type": _words(columns["applies"], TYPES),
            "state": _words(columns["state"], STATES),
            "arrived_at": _seconds(columns["arrived_at"]),
            "eligible_at": _seconds(planned.began_at),
            **{name: _seconds(columns[name]) for name in MOMENTS},
            "ended_at": _seconds(columns["final_at"]),
            "plan_wait": _seconds(_or_never(planned.wait, planned)),
            "blocked_wait": _seconds(blocked.wait),
            "apply_wait": _seconds(_or_never(applied.wait, applied)),
            "censored": pa.array(applied.censored),
            "plan_censored": pa.array(planned.censored),
            "blocked_censored": pa.array(blocked.censored),
            "blocked_by": _blockers(parts, names, locks_all),
            "execution_mode": _words(columns["execution_mode"], EXECUTION_MODES),
            **{name: _seconds(_or_never(columns[name], applied)) for name in columns if name.startswith("wait_")},
            **{name: _seconds(_or_never(columns[name], planned)) for name in columns if name.startswith("plan_wait_")},
            **{name: _number(columns[name]) for name in ("plan_pod", "plan_slot", "apply_pod", "apply_slot")},
        }
    )


def _waits(parts: Sequence[TaskWaits]) -> TaskWaits:
    """The waits of the tasks of several runs, one after the other."""
    return TaskWaits(
        np.concatenate([part.began_at for part in parts]),
        np.concatenate([part.wait for part in parts]),
        np.concatenate([part.censored for part in parts]),
    )


def _or_never(times: NDArray[np.int64], waits: TaskWaits) -> NDArray[np.int64]:
    """*times* of the tasks that came to wait, and `NEVER` of the others."""
    return np.where(waits.began_at == NEVER, NEVER, times)


def _blockers(parts: Sequence[Mapping[str, NDArray[np.int64]]], names: Names, locks_all: bool) -> Any:
    """The ids of the tasks that tasks had to wait for last to become eligible; null of those that had not to wait."""
    index = []
    for tasks in parts:
        rows = blocked_by(tasks, locks_all)
        index.append(np.where(rows < 0, -1, tasks["index"][rows]) if len(rows) else rows)
    blockers = np.concatenate(index)
    return pc.if_else(pa.array(blockers >= 0), task_ids(np.maximum(blockers, 0), names), None)


def pods_table(runs: Sequence[Run], names: Names) -> Any:
    """One row per run and pod, in order of the runs and then of the pods."""
    columns = _stacked(runs, "pods")
    return pa.table(
        {
            **_keys(runs, "pods"),
            "pool": _words(columns["pool"], names.pools),
            "pod": pa.array(columns["pod"]),
            **{name: _seconds(columns[name]) for name in ("created_at", "ready_at", "deleted_at")},
            "deleted_by": _words(columns["deleted_by"], DELETED_BY, missing=columns["deleted_by"] == 0),
            "draining_at": _seconds(columns["draining_at"]),
        }
    )


def decisions_table(runs: Sequence[Run], names: Names) -> Any:
    """One row per run and change of the number of pods by the autoscaler, in order of the runs and then of time."""
    columns = _stacked(runs, "decisions")
    numbers = {name: pa.array(columns[name]) for name in ("pods_before", "desired", "pods_after")}
    pools = _words(columns["pool"], names.pools)
    return pa.table({**_keys(runs, "decisions"), "pool": pools, "time": _seconds(columns["time"]), **numbers})


def reservations_table(runs: Sequence[Run], names: Names) -> Any:
    """One row per run and time for which a slot was reserved; `released_at` is null if it was at the horizon."""
    columns = _stacked(runs, "reservations")
    return pa.table(
        {
            **_keys(runs, "reservations"),
            "task_id": task_ids(columns["index"], names),
            "pool": _words(columns["pool"], names.pools),
            "pod": pa.array(columns["pod"]),
            "slot": pa.array(columns["slot"]),
            "reserved_at": _seconds(columns["reserved_at"]),
            "released_at": _seconds(columns["released_at"]),
        }
    )


def incidents_table(runs: Sequence[Run], names: Names) -> Any:
    """One row per run and fault that struck; `until` is null if it was for good, `pool` and `pod` if it struck all."""
    columns = _stacked(runs, "incidents")
    return pa.table(
        {
            **_keys(runs, "incidents"),
            "time": _seconds(columns["time"]),
            "until": _seconds(columns["until"]),
            "kind": _words(columns["kind"], INCIDENTS),
            "pool": _words(columns["pool"], names.pools, missing=columns["pool"] < 0),
            "pod": _number(columns["pod"]),
        }
    )


def _number(numbers: NDArray[np.int64]) -> Any:
    # Of 32 bits, which is how `frame` knows columns in which a number may be missing.
    return pa.array(numbers.astype(np.int32), mask=numbers < 0)


def frame(table: Any) -> pd.DataFrame:
    """The table as a pandas frame whose types do not depend on whether something is missing in it."""
    import pandas as pd

    found: pd.DataFrame = table.to_pandas(types_mapper={pa.int32(): pd.Int32Dtype()}.get)
    return found


def _stacked(runs: Sequence[Run], part: str) -> dict[str, NDArray[np.int64]]:
    parts = [getattr(run.record, part) for run in runs]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _keys(runs: Sequence[Run], part: str) -> dict[str, Any]:
    """The columns `policy` and `replication`."""
    lengths = [len(next(iter(getattr(run.record, part).values()))) for run in runs]
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
