"""How long each task of a run waited, and for what (model.md, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.runs.codes import CANCELED, CAUSES
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
    wait = np.where(began == NEVER, -1, np.minimum(over, _given_up(tasks, end)) - began)
    return TaskWaits(began, wait, (began != NEVER) & (over == NEVER))


def plan_waits(tasks: Mapping[str, Any]) -> TaskWaits:
    """From the moment at which the task became eligible to the start of its first plan."""
    eligible = tasks["eligible_at"]
    # Its split adds up to it. The start of the plan is that of the last one, if it had to plan again.
    wait = np.sum([tasks[f"plan_wait_{cause}"] for cause in CAUSES], axis=0)
    has_not_planned = (tasks["plan_started_at"] == NEVER) & (tasks["confirmed_at"] == NEVER)
    is_eligible = eligible != NEVER
    return TaskWaits(eligible, np.where(is_eligible, wait, -1), is_eligible & has_not_planned)


def blocked_waits(tasks: Mapping[str, Any], end: int) -> TaskWaits:
    """From the arrival to the moment at which the task became eligible. The run ended at *end*, in nanoseconds."""
    eligible = tasks["eligible_at"]
    wait = np.minimum(eligible, _given_up(tasks, end)) - tasks["arrived_at"]
    return TaskWaits(tasks["arrived_at"], wait, eligible == NEVER)


def _given_up(tasks: Mapping[str, Any], end: int) -> Times:
    """Up to when a task is known to have waited whose wait did not end: its cancellation, or the *end* of the run."""
    return np.where(tasks["state"] == CANCELED, np.minimum(tasks["final_at"], end), end)


def blocked_by(tasks: Mapping[str, Any], locks_all: bool) -> Times:
    """The row of the task that each one had to wait for last, to become eligible; -1 if it had not to wait.

    If it did not become eligible, that is the first task of its workspace that was still open when it was canceled, or
    at the end of the run. With *locks_all* tasks of both types wait for each other, and without only plan_and_applies.
    """
    eligible, final = tasks["eligible_at"], tasks["final_at"]
    found = np.full(len(eligible), -1, dtype=np.int64)
    waited = np.minimum(eligible, final) > tasks["arrived_at"]
    for queue in _queues(tasks, locks_all):
        for place in np.flatnonzero(waited[queue]).tolist():
            row, earlier = queue[place], queue[:place]
            if eligible[row] == NEVER:
                in_the_way = earlier[final[earlier] > min(final[row], NEVER - 1)]
            else:
                in_the_way = earlier[final[earlier] == eligible[row]][-1:]
            found[row] = in_the_way[0] if len(in_the_way) else -1
    return found


def _queues(tasks: Mapping[str, Any], locks_all: bool) -> list[Times]:
    """The rows of the tasks of each workspace that wait for each other, in the order in which they arrived."""
    rows = np.arange(len(tasks["applies"])) if locks_all else np.flatnonzero(tasks["applies"])
    order = rows[np.lexsort((rows, tasks["arrived_at"][rows], tasks["workspace"][rows]))]
    starts = np.flatnonzero(np.diff(tasks["workspace"][order])) + 1
    return [queue for queue in np.split(order, starts) if len(queue) > 1]
