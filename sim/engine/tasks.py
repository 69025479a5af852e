"""The tasks there are: their states, and how many there are of which kind (model.md, 1 and 2.1)."""

from __future__ import annotations

from collections import deque

from sim.engine.entities import EngineSlot, EngineTask
from sim.engine.task_columns import TaskColumns
from sim.runs.codes import (
    APPLIED,
    APPLY_PENDING,
    APPLYING,
    FAILED,
    PENDING,
    PLANNED,
    PLANNING,
    STATES,
)
from sim.runs.errors import IllegalMoveError
from sim.runs.time import NEVER


class EngineTasks:
    """The tasks of the pool's workspaces that have arrived and are not final, counted as the autoscaler sees them.

    Every change of a task's state is made and noted here, and here it is checked that it is one that model.md allows.

    Args:
        columns: where it is noted what becomes of each task.
    """

    def __init__(self, columns: TaskColumns) -> None:
        self._columns = columns
        self._workspaces: dict[int, deque[EngineTask]] = {}
        self.pending = 0
        """Tasks in state pending, eligible or not."""
        self.eligible_plan = 0
        """Pending plans. They are all eligible."""
        self.eligible_plan_and_apply = 0
        """Pending plan_and_applies that no other task of their workspace is in the way of."""
        self.slotless = 0
        """Tasks that are apply_pending and for which no slot is reserved."""
        self.slotless_confirmed = 0
        """Those of them whose human has confirmed."""

    def arrive(self, task: EngineTask, now: int) -> bool:
        """Take in a new task; whether it is eligible."""
        self._columns.arrived_at[task.index] = now
        self.pending += 1
        if not task.applies:
            self.eligible_plan += 1
            return True
        queue = self._workspaces.get(task.workspace)
        if queue is None:
            self._workspaces[task.workspace] = deque((task,))
            self.eligible_plan_and_apply += 1
            return True
        queue.append(task)
        return False

    def start_plan(self, task: EngineTask, slot: EngineSlot, now: int) -> None:
        if task.state != PENDING:
            raise _illegal(task, PLANNING)
        index, columns = task.index, self._columns
        task.state = PLANNING
        columns.plan_started_at[index] = now
        columns.plan_slot[index] = slot.index
        task.planned_on = slot.pod.number
        task.slot = slot
        self.pending -= 1
        if task.applies:
            self.eligible_plan_and_apply -= 1
        else:
            self.eligible_plan -= 1

    def end_plan(self, task: EngineTask, now: int) -> None:
        """The plan has ended: a plan is final, a plan_and_apply waits for its human, with its slot reserved."""
        if task.state != PLANNING:
            raise _illegal(task, APPLY_PENDING if task.applies else PLANNED)
        index, columns = task.index, self._columns
        columns.plan_ended_at[index] = now
        if task.applies:
            task.state = APPLY_PENDING
        else:
            task.state = PLANNED
            task.slot = None

    def confirm(self, task: EngineTask, now: int) -> None:
        task.confirmed_at = now
        if self._columns.confirmed_at[task.index] == NEVER:
            self._columns.confirmed_at[task.index] = now
        if task.slot is None:
            self.slotless_confirmed += 1

    def start_apply(self, task: EngineTask, slot: EngineSlot, now: int) -> None:
        if task.state != APPLY_PENDING or task.confirmed_at > now:
            raise _illegal(task, APPLYING)
        if task.slot is None:
            self.slotless -= 1
            self.slotless_confirmed -= 1
        index, columns = task.index, self._columns
        task.state = APPLYING
        columns.apply_started_at[index] = now
        columns.apply_slot[index] = slot.index
        task.slot = slot

    def end_apply(self, task: EngineTask, now: int) -> EngineTask | None:
        """The apply has ended. Returns the task of its workspace that is eligible now, if there is one."""
        if task.state != APPLYING:
            raise _illegal(task, APPLIED)
        self._columns.apply_ended_at[task.index] = now
        return self._close(task, APPLIED)

    def fail(self, task: EngineTask, now: int) -> EngineTask | None:
        """What ran has been cut off. Returns the task of its workspace that is eligible now, if there is one."""
        if task.state not in (PLANNING, APPLYING):
            raise _illegal(task, FAILED)
        self._columns.failed_at[task.index] = now
        return self._close(task, FAILED)

    def lose_slot(self, task: EngineTask) -> None:
        """The slot that was reserved for *task* is so no longer."""
        task.slot = None
        self.slotless += 1
        if task.confirmed_at != NEVER:
            self.slotless_confirmed += 1

    def replan(self, task: EngineTask) -> None:
        """The task, confirmed and without a slot, has to plan again, and to be confirmed again."""
        if task.state != APPLY_PENDING:
            raise _illegal(task, PENDING)
        index, columns = task.index, self._columns
        task.state = PENDING
        columns.plan_started_at[index] = columns.plan_ended_at[index] = task.confirmed_at = NEVER
        self.slotless -= 1
        self.slotless_confirmed -= 1
        self.pending += 1
        self.eligible_plan_and_apply += 1

    def regain_slot(self, task: EngineTask, slot: EngineSlot) -> None:
        """A slot is reserved for *task* again."""
        task.slot = slot
        self.slotless -= 1
        if task.confirmed_at != NEVER:
            self.slotless_confirmed -= 1

    def _close(self, task: EngineTask, state: int) -> EngineTask | None:
        task.state = state
        task.slot = None
        if not task.applies:
            return None
        queue = self._workspaces[task.workspace]
        if queue.popleft() is not task:
            raise IllegalMoveError(f"task {task.index} ended out of turn in its workspace")
        if not queue:
            del self._workspaces[task.workspace]
            return None
        self.eligible_plan_and_apply += 1
        return queue[0]


def _illegal(task: EngineTask, state: int) -> IllegalMoveError:
    return IllegalMoveError(f"task {task.index} cannot go from {STATES[task.state]} to {STATES[state]}")
