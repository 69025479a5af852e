"""What the tasks and workspaces of a scenario are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.scenario.pools import ONLY_POOL
from sim.scenario.workload import ListedTask
from sim.traces.recording import recording_of


@dataclass(frozen=True, slots=True)
class Names:
    """What tasks and workspaces are called, the same in every replication.

    `ids` are the tasks' by row, int64 or text; None if a task's id is its row. `workspaces` are by number; None if
    they are only numbered. `pools` are by number.
    """

    ids: NDArray[Any] | None
    workspaces: tuple[str, ...] | None
    pools: tuple[str, ...] = (ONLY_POOL,)


def names_of(scenario: Scenario) -> Names:
    """The names in *scenario*."""
    tasks, recording, ids = scenario.workload.tasks, recording_of(scenario), ids_of(scenario)
    workspaces = None
    if tasks is not None:
        workspaces = workspaces_of(tasks)
    elif recording is not None and "workspace" in recording.columns:
        workspaces = tuple(np.unique(recording.columns["workspace"]).tolist())
    return Names(None if ids is None else _identifiers(ids), workspaces, tuple(scenario.all_pools))


def ids_of(scenario: Scenario) -> list[int | str] | None:
    """The ids of the tasks by row; None if they have none."""
    recording = recording_of(scenario)
    if scenario.workload.tasks is not None:
        return [task.id for task in scenario.workload.tasks]
    trace = scenario.workload.trace
    if recording is None or "id" not in recording.columns or (trace is not None and trace.resample is not None):
        return None  # In a resampled world the same recorded task may come twice.
    ids: list[int | str] = recording.columns["id"].tolist()
    return ids


def workspaces_of(tasks: tuple[ListedTask, ...]) -> tuple[str, ...]:
    """The workspaces of *tasks*, in the order in which they first occur: the n-th has the number n."""
    return tuple(dict.fromkeys(task.workspace for task in tasks))


def _identifiers(ids: list[int | str]) -> NDArray[Any]:
    """The ids of tasks: as whole numbers if all are, and otherwise all as text."""
    if all(isinstance(identifier, int) and abs(identifier) < 2**63 for identifier in ids):
        return np.array(ids, dtype=np.int64)
    return np.array([str(identifier) for identifier in ids], dtype=object)
