"""A task and its life (model.md, 1), and which tasks are eligible (model.md, 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sim.runs.codes import (
    APPLIED,
    APPLY_PENDING,
    APPLYING,
    CANCELED,
    CAUSES,
    CHANGES,
    DISCARDED,
    ERRORED,
    FAILED,
    FINAL,
    PENDING,
    PLANNED,
    PLANNED_AND_FINISHED,
    PLANNING,
    STATES,
)
from sim.runs.errors import IllegalMoveError
from sim.runs.time import NEVER

MOVES: Final[Mapping[int, tuple[int, ...]]] = {
    PENDING: (PLANNING, CANCELED),
    # Pending again: only with `on_pod_loss: requeue`.
    PLANNING: (PLANNED, APPLY_PENDING, PLANNED_AND_FINISHED, ERRORED, FAILED, CANCELED, PENDING),
    # Pending again: only with the safeguard `lost_reservation: replan`.
    APPLY_PENDING: (APPLYING, DISCARDED, CANCELED, PENDING),
    APPLYING: (APPLIED, ERRORED, FAILED, CANCELED),
    **dict.fromkeys(FINAL, ()),
}
"""From which state a task can come to which others. A state that leads nowhere is final."""


class Task:
    """One task. Times and durations are in nanoseconds, and `NEVER` where something does not happen.

    Args:
        index: its place in the list of tasks, which orders tasks within one instant.
        applies: whether it is a `plan_and_apply`.
        workspace: the number of its workspace.
        plan: how long its plan takes.
        confirm: how long after the plan's end its human decides.
        apply: how long its apply takes.
        pool: the number of its pool.
        execution_mode: one of `sim.runs.codes.EXECUTION_MODES`.
        plan_result: one of `sim.runs.codes.PLAN_RESULTS`.
        discards: whether its human decides against the plan.
        apply_fails: whether its apply ends with an error.
        cancel: how long after its arrival it is canceled.
    """

    def __init__(
        self,
        index: int,
        applies: bool,
        workspace: int,
        plan: int,
        confirm: int,
        apply: int,
        pool: int = 0,
        execution_mode: int = 0,
        plan_result: int = CHANGES,
        discards: bool = False,
        apply_fails: bool = False,
        cancel: int = NEVER,
    ) -> None:
        self.index = index
        self.applies = applies
        self.workspace = workspace
        self.plan = plan
        self.confirm = confirm
        self.apply = apply
        self.pool = pool
        self.execution_mode = execution_mode
        self.plan_result = plan_result
        self.discards = discards
        self.apply_fails = apply_fails
        self.cancel = cancel
        self.state = PENDING
        self.is_confirmed = False
        """Whether its human has confirmed the plan that it has now."""
        self.times_out = False
        """Whether what runs now takes longer than `task_timeout`."""
        self.queued_at = NEVER
        """When it became eligible last: its place in a queue (`dispatch: notify`)."""
        self.arrived_at = NEVER
        self.eligible_at = NEVER
        """When it became eligible for the first time: the plan wait counts from here."""
        self.plan_started_at = NEVER
        self.plan_ended_at = NEVER
        self.confirmed_at = NEVER
        """When its human confirmed for the first time: the apply wait counts from here."""
        self.apply_started_at = NEVER
        self.apply_ended_at = NEVER
        self.final_at = NEVER
        self.planned_on: tuple[int, int] | None = None
        """Numbers of the pod and of the slot on which it planned last."""
        self.applied_on: tuple[int, int] | None = None
        self.waits = [0] * len(CAUSES)
        """For how long it has waited for its apply, by cause."""
        self.plan_waits = [0] * len(CAUSES)
        """For how long it has waited for its first plan while it was eligible, by cause."""

    @property
    def elsewhere(self) -> bool:
        """Whether it never uses the pods of its pool."""
        return self.execution_mode != 0

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
    """The tasks that have arrived.

    Args:
        locks_all: whether a pending task waits for all earlier tasks of its workspace (`workspace_lock: all`).
    """

    def __init__(self, locks_all: bool) -> None:
        self._locks_all = locks_all
        self.arrived: list[Task] = []
        """All of them, in the order in which they arrived."""
        self.open: dict[Task, None] = {}
        """Those that are not final, in the same order."""
        self.awaiting_plan: dict[Task, None] = {}
        """Those that are eligible and have not planned yet, in the order in which they became so."""
        self.awaiting_apply: dict[Task, None] = {}
        """Those whose human has confirmed a plan and whose apply has not started, in order of the confirmation."""
        self._workspaces: dict[int, list[Task]] = {}
        """The open tasks of each workspace, in the same order."""

    def arrive(self, task: Task, now: int) -> None:
        """Take in a task that is new at the time *now*."""
        task.arrived_at = now
        self.arrived.append(task)
        self.open[task] = None
        self._workspaces.setdefault(task.workspace, []).append(task)
        if self.is_eligible(task):
            self._await_plan(task, now)

    def is_eligible(self, task: Task) -> bool:
        """Whether an open task may have a slot, if it has none (model.md, 2.1)."""
        if task.state == APPLY_PENDING:
            return task.is_confirmed
        is_locked = task.applies or self._locks_all
        return task.state == PENDING and (not is_locked or self._first(task.workspace) is task)

    def is_unblocked(self, task: Task) -> bool:
        """Whether no earlier task of its workspace, of either type, is open."""
        return self._workspaces[task.workspace][0] is task

    def _first(self, workspace: int) -> Task | None:
        """The task of the workspace that all later ones have to wait for, of those that can be made to wait."""
        queue = self._workspaces[workspace]
        return next((task for task in queue if task.applies or self._locks_all), None)

    def _await_plan(self, task: Task, now: int) -> None:
        self.awaiting_plan[task] = None
        task.eligible_at = min(task.eligible_at, now)

    def start_plan(self, task: Task, now: int) -> None:
        """The task's plan starts at the time *now*."""
        task.move(PLANNING)
        task.plan_started_at = now
        self.awaiting_plan.pop(task, None)  # It is not there if it plans again.

    def plan_again(self, task: Task, now: int) -> None:
        """The task is pending again, and has no plan."""
        task.move(PENDING)
        task.plan_started_at = task.plan_ended_at = NEVER
        task.is_confirmed = False
        if task.confirmed_at == NEVER:  # Otherwise what it waits for is still its apply.
            self._await_plan(task, now)

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

    def close(self, task: Task, state: int, now: int) -> Task | None:
        """The task has come to a final *state*. Returns the task that is eligible because of that, if there is one."""
        task.move(state)
        task.final_at = now
        del self.open[task]
        self.awaiting_plan.pop(task, None)
        self.awaiting_apply.pop(task, None)
        before = self._first(task.workspace)
        self._workspaces[task.workspace].remove(task)
        after = self._first(task.workspace)
        if after is None or after is before:
            return None
        self._await_plan(after, now)
        return after
