"""What the tasks and workspaces of a scenario are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.scenario.workload import ListedTask
from sim.traces.recording import recording_of


@dataclass(frozen=True, slots=True)
class Names:
    """What tasks and workspaces are called, the same in every replication.

    `ids` are the tasks' by row, int64 or text; None if a task's id is its row. `workspaces` are by number; None if
    they are only numbered.
    """

    ids: NDArray[Any] | None
    workspaces: tuple[str, ...] | None


def names_of(scenario: Scenario) -> Names:
    """The names in *scenario*."""
    tasks, recording = scenario.workload.tasks, recording_of(scenario)
    if tasks is not None:
        return Names(_identifiers([task.id for task in tasks]), workspaces_of(tasks))
    columns = {} if recording is None else recording.columns
    return Names(
        ids=_identifiers(columns["id"].tolist()) if "id" in columns else None,
        workspaces=tuple(np.unique(columns["workspace"]).tolist()) if "workspace" in columns else None,
    )


def workspaces_of(tasks: tuple[ListedTask, ...]) -> tuple[str, ...]:
    """The workspaces of *tasks*, in the order in which they first occur: the n-th has the number n."""
    return tuple(dict.fromkeys(task.workspace for task in tasks))


def _identifiers(ids: list[int | str]) -> NDArray[Any]:
    """The ids of tasks: as whole numbers if all are, and otherwise all as text."""
    if all(isinstance(identifier, int) and abs(identifier) < 2**63 for identifier in ids):
        return np.array(ids, dtype=np.int64)
    return np.array([str(identifier) for identifier in ids], dtype=object)
