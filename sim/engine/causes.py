"""Why tasks waited: their waits for a plan and for an apply, each split among causes without remainder.

What tasks of one type without a slot wait for is the same for all of them, so it is integrated once for all: a task
notes the totals when it begins to wait, and takes the differences when it stops. A confirmed task that has a slot waits
for its own pod; its split changes only when that pod falls silent or is back.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.engine.clock import Clock
from sim.engine.entities import RESERVED, EnginePod, EngineTask
from sim.engine.pool import EnginePool
from sim.engine.server import EngineServer
from sim.engine.task_columns import TaskColumns
from sim.runs.codes import (
    AGENT_OFFLINE,
    APPLY_PENDING,
    CAUSES,
    NO_SLOT,
    POD_STARTING,
    POLLING,
    REPLANNING,
    SERVER_DOWN,
)
from sim.runs.time import NEVER


class _Wait:
    """A wait that is not over: how long it was for which cause so far, and for what it is since when."""

    __slots__ = ("own_cause", "parts", "since", "totals")

    def __init__(self) -> None:
        self.parts = [0] * len(CAUSES)
        self.own_cause: int | None = None
        self.since = 0
        self.totals: tuple[int, ...] = ()


class _Totals:
    """For how long tasks of one pool and type that have no slot would have waited so far for which cause."""

    __slots__ = ("applies", "by_cause", "current", "pool", "since", "waiting")

    def __init__(self, pool: EnginePool, applies: bool) -> None:
        self.pool = pool
        self.applies = applies
        self.by_cause = [0] * len(CAUSES)
        self.current = NO_SLOT
        self.since = 0
        self.waiting = 0
        """So many tasks want to know."""


class Causes:
    """Splits the waits of tasks that are eligible.

    Args:
        clock: the time.
        pools: what slots there are.
        server: whether it is down.
        columns: where the waits are noted.
    """

    def __init__(self, clock: Clock, pools: Sequence[EnginePool], server: EngineServer, columns: TaskColumns) -> None:
        self._clock = clock
        self._columns = columns
        self._server = server
        self._waits: dict[EngineTask, _Wait] = {}
        """Those of confirmed tasks, for their apply."""
        self._plan_waits: dict[EngineTask, tuple[int, ...]] = {}
        """Those of tasks that have not planned yet: the totals when they began to wait."""
        self._plans = [_Totals(pool, applies=False) for pool in pools]
        self._applies = [_Totals(pool, applies=True) for pool in pools]
        self._watched: list[_Totals] = []
        """Those that some task wants to know."""

    def _after_event(self) -> None:
        """Something may have changed what tasks without a slot wait for."""
        for totals in self._watched:
            self._look(totals)

    def _without_slot(self, task: EngineTask) -> _Totals:
        return (self._applies if task.applies else self._plans)[task.pool.number]

    def _look(self, totals: _Totals) -> None:
        now = self._clock.now
        totals.by_cause[totals.current] += now - totals.since
        totals.since = now
        if self._server.is_down:
            totals.current = SERVER_DOWN
            return
        found = totals.pool.free_slot(totals.applies)
        if found is not None:
            totals.current = AGENT_OFFLINE if found.pod.is_offline else POLLING
        else:
            totals.current = POD_STARTING if totals.pool.starting else NO_SLOT

    def _count(self, totals: _Totals, more: int) -> None:
        before = totals.waiting
        totals.waiting = before + more
        if before == 0 or totals.waiting == 0:
            self._watched = [each for each in (*self._plans, *self._applies) if each.waiting]
            self._clock.after_event = self._after_event if self._watched else None

    # Before the first plan

    def begin_plan(self, task: EngineTask) -> None:
        """The task is eligible, has not planned yet, and got no slot at once."""
        totals = self._without_slot(task)
        self._look(totals)
        self._plan_waits[task] = tuple(totals.by_cause)
        self._count(totals, 1)

    def end_plan(self, task: EngineTask) -> None:
        """The task starts to plan, or never will: its wait for that is over, if it did wait."""
        if task in self._plan_waits:
            self._end_plan(task)

    def _end_plan(self, task: EngineTask) -> None:
        totals = self._without_slot(task)
        self._look(totals)
        before = self._plan_waits.pop(task)
        for number, column in enumerate(self._columns.plan_waits):
            column[task.index] = totals.by_cause[number] - before[number]
        self._count(totals, -1)

    # After the confirmation

    def begin(self, task: EngineTask) -> None:
        """The task has been confirmed and did not start its apply, or has to plan again."""
        if task in self._waits:
            self._end_part(task)
        else:
            self._waits[task] = _Wait()
            self._count(self._without_slot(task), 1)
        self._begin_part(task)

    def turn(self, task: EngineTask) -> None:
        """What the task waits for may be another thing now: it has lost or regained its slot, or its pod."""
        if task in self._waits:
            self._end_part(task)
            self._begin_part(task)

    def turn_pod(self, pod: EnginePod) -> None:
        """The pod fell silent, or is back."""
        for slot in pod.slots:
            if slot.state == RESERVED and slot.task is not None:
                self.turn(slot.task)

    def end(self, task: EngineTask) -> None:
        """The task starts its apply, or never will: its wait is over, if it did wait."""
        if task in self._waits:
            self._end(task)

    def end_for_ever(self, task: EngineTask, horizon: int) -> None:
        """The task has failed before its apply, which will never come: if it waits, it does so to the *horizon*."""
        if task in self._waits:
            self._waits[task].parts[REPLANNING] += horizon - self._clock.now
            self._end(task)

    def end_all(self) -> None:
        """The horizon has come."""
        for task in list(self._waits):
            self._end(task)
        for task in list(self._plan_waits):
            self._end_plan(task)

    def _end(self, task: EngineTask) -> None:
        self._end_part(task)
        for column, part in zip(self._columns.waits, self._waits.pop(task).parts, strict=True):
            column[task.index] = part
        self._count(self._without_slot(task), -1)

    def _begin_part(self, task: EngineTask) -> None:
        totals = self._without_slot(task)
        self._look(totals)
        wait = self._waits[task]
        wait.since = self._clock.now
        wait.totals = tuple(totals.by_cause)
        wait.own_cause = self._own_cause(task)

    @staticmethod
    def _own_cause(task: EngineTask) -> int | None:
        """What the task waits for alone; None if it is what all wait for that have no slot."""
        if task.state != APPLY_PENDING or task.confirmed_at == NEVER:
            return REPLANNING
        if task.slot is None:
            return None
        return AGENT_OFFLINE if task.slot.pod.is_offline else POLLING

    def _end_part(self, task: EngineTask) -> None:
        totals = self._without_slot(task)
        self._look(totals)
        wait = self._waits[task]
        passed = [total - before for total, before in zip(totals.by_cause, wait.totals, strict=True)]
        if wait.own_cause is not None:
            down = passed[SERVER_DOWN]
            passed = [0] * len(CAUSES)
            passed[SERVER_DOWN] = down
            passed[wait.own_cause] = self._clock.now - wait.since - down
        wait.parts = [part + more for part, more in zip(wait.parts, passed, strict=True)]
