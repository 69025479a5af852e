"""Tasks: what each is, which state it is in, and how many there are of which kind (model.md, 1 and 2.1)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sim.model.clock import NEVER

if TYPE_CHECKING:
    from sim.model.pool import Slot

# States are plain integers: every transition of every task is checked, and an Enum would cost more than the check.
PENDING: Final = 0
PLANNING: Final = 1
PLANNED: Final = 2
APPLY_PENDING: Final = 3
APPLYING: Final = 4
APPLIED: Final = 5
FAILED: Final = 6

STATES: Final = ("pending", "planning", "planned", "apply_pending", "applying", "applied", "failed")
"""The names of the states, by number."""

_PLAN_MOVES: Final = ((PLANNING,), (PLANNED, FAILED), (), (), (), (), ())
_PLAN_AND_APPLY_MOVES: Final = (
    (PLANNING,), (APPLY_PENDING, FAILED), (), (APPLYING, PENDING), (APPLIED, FAILED), (), (),
)  # fmt: skip

NO_WAIT: Final = (0, 0, 0, 0, 0, 0)
"""The wait, by cause, of a task that did not wait."""


class IllegalMoveError(RuntimeError):
    """The model tried something that model.md does not allow. A defect of the simulator."""


class Task:
    """One task.

    Args:
        index: its place in the list of tasks; the order of tasks within one instant.
        applies: whether it is a `plan_and_apply`.
        workspace: number of its workspace.
        plan: how long its plan takes.
        confirm: how long after the plan's end its human confirms, or `NEVER`.
        apply: how long its apply takes.
    """

    __slots__ = (
        "applies",
        "apply",
        "apply_ended_at",
        "apply_on",
        "apply_slot",
        "apply_started_at",
        "arrived_at",
        "asks",
        "confirm",
        "confirmed_at",
        "final_at",
        "first_confirmed_at",
        "index",
        "plan",
        "plan_ended_at",
        "plan_slot",
        "plan_started_at",
        "planned_on",
        "slot",
        "state",
        "waited",
        "waiting",
        "waiting_since",
        "workspace",
    )

    def __init__(self, index: int, applies: bool, workspace: int, plan: int, confirm: int, apply: int) -> None:
        self.index = index
        self.applies = applies
        self.workspace = workspace
        self.plan = plan
        self.confirm = confirm
        self.apply = apply
        self.state = PENDING
        self.slot: Slot | None = None
        """The slot it runs on or that is reserved for it; None otherwise, and once it is final."""
        self.planned_on = -1
        """Number of the pod on which it has planned."""
        self.plan_slot = self.apply_on = self.apply_slot = -1
        """The slot there; and the pod and the slot of its apply."""
        self.waiting = False
        """Whether an attempt for it has failed, or could not be made, so that it waits for the next."""
        self.waiting_since = NEVER
        """When it became eligible, as long as it has no slot."""
        self.asks: tuple[int, ...] = ()
        """While it waits: where within the retry interval its retries fall."""
        self.arrived_at = NEVER
        self.plan_started_at = NEVER
        self.plan_ended_at = NEVER
        self.confirmed_at = NEVER
        """When its human confirmed the plan that it has now."""
        self.first_confirmed_at = NEVER
        """When its human first confirmed a plan of it."""
        self.apply_started_at = NEVER
        self.apply_ended_at = NEVER
        self.final_at = NEVER
        self.waited: tuple[int, ...] = NO_WAIT
        """How long it waited for its apply, by cause (see `sim.model.causes`)."""

    def become(self, state: int) -> None:
        """Change the state.

        Raises:
            IllegalMoveError: a task of this type in this state does not get there.
        """
        moves = _PLAN_AND_APPLY_MOVES if self.applies else _PLAN_MOVES
        if state not in moves[self.state]:
            raise IllegalMoveError(f"task {self.index} cannot go from {STATES[self.state]} to {STATES[state]}")
        self.state = state


class Tasks:
    """The tasks of the pool's workspaces that have arrived and are not final, counted as the autoscaler sees them.

    Args:
        changed: called whenever one of the counts may have changed.
        finished: called with each task that has become final.
    """

    def __init__(self, changed: Callable[[], None], finished: Callable[[Task], None]) -> None:
        self._changed = changed
        self._finished = finished
        self._workspaces: dict[int, deque[Task]] = {}
        self._plans: dict[int, Task] = {}
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

    def arrive(self, task: Task, now: int) -> bool:
        """Take in a new task; whether it is eligible."""
        task.arrived_at = now
        self.pending += 1
        self._changed()
        if not task.applies:
            self._plans[task.index] = task
            self.eligible_plan += 1
            return True
        queue = self._workspaces.get(task.workspace)
        if queue is None:
            self._workspaces[task.workspace] = deque((task,))
            self.eligible_plan_and_apply += 1
            return True
        queue.append(task)
        return False

    def start_plan(self, task: Task, slot: Slot, now: int) -> None:
        task.become(PLANNING)
        task.plan_started_at = now
        task.slot = slot
        task.planned_on = slot.pod.number
        task.plan_slot = slot.number
        self.pending -= 1
        if task.applies:
            self.eligible_plan_and_apply -= 1
        else:
            self.eligible_plan -= 1

    def end_plan(self, task: Task, now: int) -> None:
        """The plan has ended: a plan is final, a plan_and_apply waits for its human, with its slot reserved."""
        task.plan_ended_at = now
        if task.applies:
            task.become(APPLY_PENDING)
        else:
            task.become(PLANNED)
            self._close(task, now)

    def confirm(self, task: Task, now: int) -> None:
        task.confirmed_at = now
        task.first_confirmed_at = min(task.first_confirmed_at, now)
        if task.slot is None:
            self.slotless_confirmed += 1
        self._changed()

    def start_apply(self, task: Task, slot: Slot, now: int) -> None:
        if task.confirmed_at > now:
            raise IllegalMoveError(f"task {task.index} cannot apply before its confirmation")
        if task.slot is None:
            self.slotless -= 1
            self.slotless_confirmed -= 1
        task.become(APPLYING)
        task.apply_started_at = now
        task.apply_on = slot.pod.number
        task.apply_slot = slot.number
        task.slot = slot

    def end_apply(self, task: Task, now: int) -> Task | None:
        """The apply has ended. Returns the task of its workspace that is eligible now, if there is one."""
        task.apply_ended_at = now
        task.become(APPLIED)
        return self._close(task, now)

    def fail(self, task: Task, now: int) -> Task | None:
        """What ran has been cut off. Returns the task of its workspace that is eligible now, if there is one."""
        task.become(FAILED)
        return self._close(task, now)

    def lose_slot(self, task: Task) -> None:
        """The slot that was reserved for *task* is so no longer."""
        task.slot = None
        self.slotless += 1
        if task.confirmed_at != NEVER:
            self.slotless_confirmed += 1
        self._changed()

    def replan(self, task: Task) -> None:
        """The task, confirmed and without a slot, has to plan again, and to be confirmed again."""
        task.become(PENDING)
        task.confirmed_at = task.plan_started_at = task.plan_ended_at = NEVER
        self.slotless -= 1
        self.slotless_confirmed -= 1
        self.pending += 1
        self.eligible_plan_and_apply += 1
        self._changed()

    def regain_slot(self, task: Task, slot: Slot) -> None:
        """A slot is reserved for *task* again."""
        task.slot = slot
        self.slotless -= 1
        if task.confirmed_at != NEVER:
            self.slotless_confirmed -= 1
        self._changed()

    def unfinished(self) -> list[Task]:
        """The tasks that have arrived and are not final, in order of index."""
        tasks = list(self._plans.values())
        for queue in self._workspaces.values():
            tasks.extend(queue)
        return sorted(tasks, key=lambda task: task.index)

    def _close(self, task: Task, now: int) -> Task | None:
        task.final_at = now
        task.slot = None
        self._finished(task)
        if not task.applies:
            del self._plans[task.index]
            return None
        queue = self._workspaces[task.workspace]
        if queue.popleft() is not task:
            raise IllegalMoveError(f"task {task.index} ended out of turn in its workspace")
        if not queue:
            del self._workspaces[task.workspace]
            return None
        self.eligible_plan_and_apply += 1
        return queue[0]
