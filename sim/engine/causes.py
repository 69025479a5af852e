"""Why a confirmed task waited: its wait, split among causes without remainder.

What a task without a slot waits for is the same for all such tasks, so it is integrated once for all of them: a task
notes the totals when it begins to wait, and takes the differences when it stops. A task that has a slot waits for its
own pod; its split changes only when that pod falls silent or is back.
"""

from __future__ import annotations

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


class Causes:
    """Splits the waits of confirmed tasks.

    Args:
        clock: the time.
        pool: what slots there are.
        server: whether it is down.
        columns: where the waits are noted.
    """

    def __init__(self, clock: Clock, pool: EnginePool, server: EngineServer, columns: TaskColumns) -> None:
        self._clock = clock
        self._columns = columns
        self._pool = pool
        self._server = server
        self._waits: dict[EngineTask, _Wait] = {}
        self._totals = [0] * len(CAUSES)
        self._current = NO_SLOT
        self._since = 0

    def _look(self) -> None:
        """Something may have changed what tasks without a slot wait for."""
        now = self._clock.now
        self._totals[self._current] += now - self._since
        self._since = now
        found = self._pool.free_slot(True)
        if self._server.is_down:
            self._current = SERVER_DOWN
        elif found is not None:
            self._current = AGENT_OFFLINE if found.pod.is_offline else POLLING
        else:
            self._current = POD_STARTING if self._pool.starting else NO_SLOT

    def begin(self, task: EngineTask) -> None:
        """The task has been confirmed and did not start its apply, or has to plan again."""
        if task in self._waits:
            self._end_part(task)
        else:
            self._waits[task] = _Wait()
            self._clock.after_event = self._look
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
        """The task starts its apply: its wait is over, if it did wait."""
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

    def _end(self, task: EngineTask) -> None:
        self._end_part(task)
        for column, part in zip(self._columns.waits, self._waits.pop(task).parts, strict=True):
            column[task.index] = part
        if not self._waits:
            self._clock.after_event = None

    def _begin_part(self, task: EngineTask) -> None:
        self._look()
        wait = self._waits[task]
        wait.since = self._clock.now
        wait.totals = tuple(self._totals)
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
        self._look()
        wait = self._waits[task]
        passed = [total - before for total, before in zip(self._totals, wait.totals, strict=True)]
        if wait.own_cause is not None:
            down = passed[SERVER_DOWN]
            passed = [0] * len(CAUSES)
            passed[SERVER_DOWN] = down
            passed[wait.own_cause] = self._clock.now - wait.since - down
        wait.parts = [part + more for part, more in zip(wait.parts, passed, strict=True)]
