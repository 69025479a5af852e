"""How long each task of a run waited, and for what (model.md, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.runs.codes import CAUSES
from sim.runs.time import NEVER

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TaskWaits:
    """One kind of wait of some tasks, in nanoseconds.

    `began_at` is `NEVER` for a task that never came to wait so, and its `wait` is -1. Where `censored` the wait was not
    over at the end of the run, and is what it was up to then.
    """

    began_at: Times
    wait: Times
    censored: NDArray[np.bool_]

    def only(self, which: NDArray[np.bool_], horizon: int) -> TaskWaits:
        """The waits of these tasks that began before *horizon*."""
        chosen = which & (self.began_at < horizon)
        return TaskWaits(self.began_at[chosen], self.wait[chosen], self.censored[chosen])


def apply_waits(tasks: Mapping[str, Any], end: int) -> TaskWaits:
    """From the confirmation to the start of the apply. The run ended at *end*, in nanoseconds."""
    began, over = tasks["confirmed_at"], tasks["apply_started_at"]
    wait = np.where(began == NEVER, -1, np.minimum(over, end) - began)
    return TaskWaits(began, wait, (began != NEVER) & (over == NEVER))


def plan_waits(tasks: Mapping[str, Any]) -> TaskWaits:
    """From the moment at which the task became eligible to the start of its first plan."""
    eligible = eligible_at(tasks)
    # Its split adds up to it. The start of the plan is that of the last one, if it had to plan again.
    wait = np.sum([tasks[f"plan_wait_{cause}"] for cause in CAUSES], axis=0)
    has_not_planned = (tasks["plan_started_at"] == NEVER) & (tasks["confirmed_at"] == NEVER)
    is_eligible = eligible != NEVER
    return TaskWaits(eligible, np.where(is_eligible, wait, -1), is_eligible & has_not_planned)


def blocked_waits(tasks: Mapping[str, Any], end: int) -> TaskWaits:
    """From the arrival to the moment at which the task became eligible. The run ended at *end*, in nanoseconds."""
    eligible = eligible_at(tasks)
    return TaskWaits(tasks["arrived_at"], np.minimum(eligible, end) - tasks["arrived_at"], eligible == NEVER)


def eligible_at(tasks: Mapping[str, Any]) -> Times:
    """When each task became eligible to plan for the first time (model.md, 2.1); `NEVER` if it did not.

    A plan is so when it arrives, and a plan_and_apply once all earlier ones of its workspace are final.
    """
    eligible: Times = tasks["arrived_at"].copy()
    for queue in _queues(tasks):
        earlier_are_final = np.maximum.accumulate(tasks["final_at"][queue[:-1]])
        eligible[queue[1:]] = np.maximum(eligible[queue[1:]], earlier_are_final)
    return eligible


def blocked_by(tasks: Mapping[str, Any]) -> Times:
    """The row of the task that each one had to wait for last, to become eligible; -1 if it had not to wait.

    That is the one before it in its workspace, or the one that is still first in the workspace at the end of the run.
    """
    eligible = eligible_at(tasks)
    found = np.full(len(eligible), -1, dtype=np.int64)
    for queue in _queues(tasks):
        final = tasks["final_at"][queue]
        still_open = np.flatnonzero(final == NEVER)
        first = queue[still_open[0]] if len(still_open) else -1
        waited = eligible[queue[1:]] > tasks["arrived_at"][queue[1:]]
        by = np.where(eligible[queue[1:]] == NEVER, first, queue[:-1])
        found[queue[1:]] = np.where(waited, by, -1)
    return found


def _queues(tasks: Mapping[str, Any]) -> list[Times]:
    """The rows of the plan_and_applies of each workspace that has several, in the order in which they arrived."""
    rows = np.flatnonzero(tasks["applies"])
    order = rows[np.lexsort((rows, tasks["arrived_at"][rows], tasks["workspace"][rows]))]
    starts = np.flatnonzero(np.diff(tasks["workspace"][order])) + 1
    return [queue for queue in np.split(order, starts) if len(queue) > 1]
