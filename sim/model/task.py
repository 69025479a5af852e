"""A task and its life (model.md, 1), and which tasks are eligible (model.md, 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sim.runs.codes import APPLIED, APPLY_PENDING, APPLYING, CAUSES, FAILED, PENDING, PLANNED, PLANNING, STATES
from sim.runs.errors import IllegalMoveError
from sim.runs.time import NEVER

MOVES: Final[Mapping[int, tuple[int, ...]]] = {
    PENDING: (PLANNING,),
    PLANNING: (PLANNED, APPLY_PENDING, FAILED),
    APPLY_PENDING: (APPLYING, PENDING),  # Pending again: only with the safeguard `lost_reservation: replan`.
    APPLYING: (APPLIED, FAILED),
    PLANNED: (),
    APPLIED: (),
    FAILED: (),
}
"""From which state a task can come to which others. A state that leads nowhere is final."""


class Task:
    """One task. Times and durations are in nanoseconds, and `NEVER` where something does not happen.

    Args:
        index: its place in the list of tasks, which orders tasks within one instant.
        applies: whether it is a `plan_and_apply`.
        workspace: the number of its workspace.
        plan: how long its plan takes.
        confirm: how long after the plan's end its human confirms.
        apply: how long its apply takes.
    """

    def __init__(self, index: int, applies: bool, workspace: int, plan: int, confirm: int, apply: int) -> None:
        self.index = index
        self.applies = applies
        self.workspace = workspace
        self.plan = plan
        self.confirm = confirm
        self.apply = apply
        self.state = PENDING
        self.is_confirmed = False
        """Whether its human has confirmed the plan that it has now."""
        self.queued_at = NEVER
        """When it became eligible last: its place in a queue (`dispatch: notify`)."""
        self.arrived_at = NEVER
        self.plan_started_at = NEVER
        self.plan_ended_at = NEVER
        self.confirmed_at = NEVER
        """When its human confirmed for the first time: the apply wait counts from here."""
        self.apply_started_at = NEVER
        self.apply_ended_at = NEVER
        self.failed_at = NEVER
        self.planned_on: tuple[int, int] | None = None
        """Numbers of the pod and of the slot on which it planned last."""
        self.applied_on: tuple[int, int] | None = None
        self.waits = [0] * len(CAUSES)
        """For how long it has waited for its apply, by cause."""
        self.plan_waits = [0] * len(CAUSES)
        """For how long it has waited for its first plan while it was eligible, by cause."""

    @property
    def is_final(self) -> bool:
        """Whether nothing can become of it any more."""
        return not MOVES[self.state]

    def move(self, state: int) -> None:
        """Come to another *state*.

        Raises:
            IllegalMoveError: model.md knows no such transition.
        """
        if state not in MOVES[self.state]:
            raise IllegalMoveError(f"task {self.index} cannot go from {STATES[self.state]} to {STATES[state]}")
        self.state = state


class Tasks:
    """The tasks that have arrived."""

    def __init__(self) -> None:
        self.arrived: list[Task] = []
        """All of them, in the order in which they arrived."""
        self.open: dict[Task, None] = {}
        """Those that are not final, in the same order."""
        self.awaiting_plan: dict[Task, None] = {}
        """Those that are eligible and have not planned yet, in the order in which they became so."""
        self.awaiting_apply: dict[Task, None] = {}
        """Those whose human has confirmed a plan and whose apply has not started, in order of the confirmation."""
        self._workspaces: dict[int, list[Task]] = {}
        """The open plan_and_applies of each workspace, in the same order."""

    def arrive(self, task: Task, now: int) -> None:
        """Take in a task that is new at the time *now*."""
        task.arrived_at = now
        self.arrived.append(task)
        self.open[task] = None
        if task.applies:
            self._workspaces.setdefault(task.workspace, []).append(task)
        if self.is_eligible(task):
            self.awaiting_plan[task] = None

    def is_eligible(self, task: Task) -> bool:
        """Whether an open task may have a slot, if it has none (model.md, 2.1)."""
        if task.state == APPLY_PENDING:
            return task.is_confirmed
        is_first = not task.applies or self._workspaces[task.workspace][0] is task
        return task.state == PENDING and is_first

    def start_plan(self, task: Task, now: int) -> None:
        """The task's plan starts at the time *now*."""
        task.move(PLANNING)
        task.plan_started_at = now
        self.awaiting_plan.pop(task, None)  # It is not there if it plans again.

    def confirm(self, task: Task, now: int) -> None:
        """The task's human confirms its plan at the time *now*."""
        task.is_confirmed = True
        if task.confirmed_at == NEVER:
            task.confirmed_at = now
            self.awaiting_apply[task] = None

    def start_apply(self, task: Task, now: int) -> None:
        """The task's apply starts at the time *now*."""
        task.move(APPLYING)
        task.apply_started_at = now
        del self.awaiting_apply[task]

    def close(self, task: Task) -> Task | None:
        """The task is final. Returns the task that is eligible because of that, if there is one."""
        del self.open[task]
        self.awaiting_apply.pop(task, None)
        if not task.applies:
            return None
        queue = self._workspaces[task.workspace]
        queue.remove(task)
        if not queue:
            return None
        self.awaiting_plan[queue[0]] = None
        return queue[0]
