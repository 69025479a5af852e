"""The tasks there are: their states, and how many there are of which kind (model.md, 1 and 2.1)."""

from __future__ import annotations

from sim.engine.entities import EngineSlot, EngineTask
from sim.engine.task_columns import TaskColumns
from sim.runs.codes import (
    APPLY_PENDING,
    APPLYING,
    CANCELED,
    DISCARDED,
    PENDING,
    PLANNING,
    STATES,
)
from sim.runs.errors import IllegalMoveError
from sim.runs.time import NEVER


class Workspace:
    """The tasks of a workspace that are not final, in order of arrival, as two chains: all, and the plan_and_applies.

    A final task that is not the first of its chain stays in it until all before it are final, too.
    """

    __slots__ = ("first", "first_apply", "last", "last_apply")

    def __init__(self, task: EngineTask) -> None:
        self.first: EngineTask | None = task
        self.last = task
        self.first_apply: EngineTask | None = task if task.applies else None
        self.last_apply = task

    def add(self, task: EngineTask) -> None:
        self.last.later = task
        self.last = task
        if task.applies:
            if self.first_apply is None:
                self.first_apply = task
            else:
                self.last_apply.later_apply = task
            self.last_apply = task


class EngineTasks:
    """The tasks that have arrived and are not final, counted by pool as the autoscaler sees them.

    Every change of a task's state is made and noted here, and here it is checked that it is one that model.md allows.

    Args:
        columns: where it is noted what becomes of each task.
        locks_all: whether a pending task waits for all earlier tasks of its workspace (`workspace_lock: all`).
    """

    def __init__(self, columns: TaskColumns, locks_all: bool) -> None:
        self._columns = columns
        self._locks_all = locks_all
        self._workspaces: dict[int, Workspace] = {}

    def arrive(self, task: EngineTask, now: int) -> bool:
        """Take in a new task; whether it is eligible."""
        self._columns.arrived_at[task.index] = now
        workspace = self._workspaces.get(task.workspace)
        if workspace is None:
            self._workspaces[task.workspace] = workspace = Workspace(task)
        else:
            workspace.add(task)
        counts = task.counts
        counts.pending += 1
        if workspace.first is task:
            self._unblock(task)
        first = workspace.first if self._locks_all else workspace.first_apply
        if task is not first and (task.applies or self._locks_all):
            return False
        self._become_eligible(task, now)
        return True

    def _unblock(self, task: EngineTask) -> None:
        task.is_unblocked = True
        task.counts.unblock(task, 1)

    def _become_eligible(self, task: EngineTask, now: int) -> None:
        task.is_eligible = True
        self._columns.eligible_at[task.index] = now
        task.counts.make_eligible(task, 1)

    def _leave_pending(self, task: EngineTask) -> None:
        counts = task.counts
        counts.pending -= 1
        if task.is_eligible:
            counts.make_eligible(task, -1)
        if task.is_unblocked:
            counts.unblock(task, -1)

    def start_plan(self, task: EngineTask, slot: EngineSlot | None, now: int) -> None:
        if task.state != PENDING:
            raise _illegal(task, PLANNING)
        index, columns = task.index, self._columns
        task.state = PLANNING
        columns.plan_started_at[index] = now
        if slot is not None:
            columns.plan_slot[index] = slot.index
            task.planned_on = slot.pod.number
            task.slot = slot
        self._leave_pending(task)

    def end_plan(self, task: EngineTask, now: int) -> None:
        """The plan has ended."""
        if task.state != PLANNING:
            raise _illegal(task, APPLY_PENDING)
        self._columns.plan_ended_at[task.index] = now

    def await_human(self, task: EngineTask) -> None:
        """The plan has ended well, and its human has to decide. If the task has a slot, that is reserved."""
        if task.state != PLANNING:
            raise _illegal(task, APPLY_PENDING)
        task.state = APPLY_PENDING
        task.counts.apply_pending += 1
        if task.slot is None:
            task.counts.slotless += 1

    def confirm(self, task: EngineTask, now: int) -> None:
        task.confirmed_at = now
        if self._columns.confirmed_at[task.index] == NEVER:
            self._columns.confirmed_at[task.index] = now
        if task.slot is None:
            task.counts.slotless_confirmed += 1

    def start_apply(self, task: EngineTask, slot: EngineSlot | None, now: int) -> None:
        if task.state != APPLY_PENDING or task.confirmed_at > now:
            raise _illegal(task, APPLYING)
        self._leave_apply_pending(task)
        index, columns = task.index, self._columns
        task.state = APPLYING
        columns.apply_started_at[index] = now
        if slot is not None:
            columns.apply_slot[index] = slot.index
            task.slot = slot

    def _leave_apply_pending(self, task: EngineTask) -> None:
        counts = task.counts
        counts.apply_pending -= 1
        if task.slot is None:
            counts.slotless -= 1
            if task.confirmed_at != NEVER:
                counts.slotless_confirmed -= 1

    def end_apply(self, task: EngineTask, now: int) -> None:
        """The apply has ended."""
        if task.state != APPLYING:
            raise _illegal(task, APPLYING)
        self._columns.apply_ended_at[task.index] = now

    def lose_slot(self, task: EngineTask) -> None:
        """The slot that was reserved for *task* is so no longer."""
        task.slot = None
        task.counts.slotless += 1
        if task.confirmed_at != NEVER:
            task.counts.slotless_confirmed += 1

    def replan(self, task: EngineTask) -> None:
        """The task, confirmed and without a slot, has to plan again, and to be confirmed again."""
        if task.state != APPLY_PENDING:
            raise _illegal(task, PENDING)
        index, columns = task.index, self._columns
        self._leave_apply_pending(task)
        task.is_replanning = True
        task.state = PENDING
        columns.plan_started_at[index] = columns.plan_ended_at[index] = task.confirmed_at = NEVER
        task.counts.pending += 1
        if task.is_eligible:
            task.counts.make_eligible(task, 1)
        if task.is_unblocked:
            task.counts.unblock(task, 1)

    def regain_slot(self, task: EngineTask, slot: EngineSlot) -> None:
        """A slot is reserved for *task* again."""
        task.slot = slot
        task.counts.slotless -= 1
        if task.confirmed_at != NEVER:
            task.counts.slotless_confirmed -= 1

    def close(self, task: EngineTask, state: int, now: int) -> EngineTask | None:
        """The task has come to a final *state*. Returns the task of its workspace that is eligible now, if there is."""
        if task.is_final or (state not in (CANCELED, DISCARDED) and task.state not in (PLANNING, APPLYING)):
            raise _illegal(task, state)
        if task.state == PENDING:
            self._leave_pending(task)
        elif task.state == APPLY_PENDING:
            self._leave_apply_pending(task)
        task.state = state
        task.slot = None
        task.is_final = True
        self._columns.final_at[task.index] = now
        self._columns.final_state[task.index] = state
        return self._next_in_workspace(task, now)

    def _next_in_workspace(self, task: EngineTask, now: int) -> EngineTask | None:
        workspace = self._workspaces[task.workspace]
        successor: EngineTask | None = None
        if workspace.first is task:
            first = task.later
            while first is not None and first.is_final:
                first = first.later
            workspace.first = first
            if first is None:
                del self._workspaces[task.workspace]
            else:
                first.is_unblocked = True
                if first.state == PENDING:
                    first.counts.unblock(first, 1)
                if self._locks_all:
                    successor = first
        if workspace.first_apply is task:
            first = task.later_apply
            while first is not None and first.is_final:
                first = first.later_apply
            workspace.first_apply = first
            if not self._locks_all:
                successor = first
        if successor is not None:
            self._become_eligible(successor, now)
        return successor


def _illegal(task: EngineTask, state: int) -> IllegalMoveError:
    return IllegalMoveError(f"task {task.index} cannot go from {STATES[task.state]} to {STATES[state]}")
