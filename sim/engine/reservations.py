"""Slots reserved for an apply: made, expired, lost, forgotten and restored (model.md, 2.6 and 4)."""

from __future__ import annotations

from collections import deque

from sim.engine.causes import Causes
from sim.engine.clock import EXPIRY, RESTORE, Alarm, Clock
from sim.engine.entities import IDLE, RESERVED, EngineSlot, EngineTask
from sim.engine.pool import EnginePool
from sim.engine.tasks import EngineTasks
from sim.runs.codes import APPLY_PENDING
from sim.runs.settings import PlatformSettings
from sim.runs.time import NEVER


class EngineReservations:
    """Which slots of a pool are reserved for whom, and which reservations a restarted server does not know any more.

    Args:
        clock: the time.
        settings: when the run ends, and whether tasks plan again that lose their reservation.
        pool: the slots.
        tasks: the tasks.
        causes: told when a waiting task gains or loses a slot.
    """

    def __init__(
        self,
        clock: Clock,
        settings: PlatformSettings,
        pool: EnginePool,
        tasks: EngineTasks,
        causes: Causes,
    ) -> None:
        self._clock = clock
        self._lifetime = pool.config.reservation_ttl
        self._horizon = settings.horizon
        self._replans = settings.safeguards.replan
        self._pool = pool
        self._tasks = tasks
        self._causes = causes
        # All reservations last equally long, so the one made first expires first, and one alarm serves them all.
        self._expiring: deque[tuple[int, EngineSlot, EngineTask]] = deque()
        self._expiry = Alarm(self._expire)
        self._expiry_is_set = False
        self._forgotten: list[tuple[int, EngineSlot, EngineTask]] = []
        self._restoring = Alarm(self._restore)

    def make(self, slot: EngineSlot) -> None:
        """The slot's plan has ended in this instant: the slot is reserved for its task."""
        assert slot.task is not None
        now = self._clock.now
        self._pool.reserve(slot, now)
        if now + self._lifetime >= self._horizon:
            return
        while self._expiring and self._expiring[0][2].state != APPLY_PENDING:
            self._expiring.popleft()
        self._expiring.append((now, slot, slot.task))
        self._expect_expiry()

    def lose(self, slot: EngineSlot) -> None:
        """The slot is not reserved any more; its task has no slot."""
        task = slot.task
        assert task is not None
        self._pool.release(slot)
        self._tasks.lose_slot(task)
        if self._replans and task.confirmed_at != NEVER:
            self._tasks.replan(task)
        if task.waiting:
            self._pool.waiting.moved(task)
            self._causes.turn(task)

    def _expect_expiry(self) -> None:
        if self._expiring and not self._expiry_is_set:
            self._expiry_is_set = True
            self._clock.schedule(self._expiry, self._expiring[0][0] + self._lifetime, EXPIRY)

    def _expire(self, _: Alarm) -> None:
        self._expiry_is_set = False
        while self._expiring and self._is_over(self._expiring[0][0]):
            since, slot, task = self._expiring.popleft()
            if slot.state == RESERVED and slot.task is task and slot.reserved_at == since:
                self.lose(slot)
        self._expect_expiry()
        self._pool.waiting.offer()

    def _is_over(self, since: int) -> bool:
        return since + self._lifetime <= self._clock.now

    # The server forgets

    def stop_restoring(self) -> None:
        """The server goes down: what it has not restored yet it will restore when the next start says so."""
        self._restoring.cancel()
        self._restoring = Alarm(self._restore)

    def forget(self, reconcile_after: int) -> None:
        """The server has come up and knows no reservation. After *reconcile_after* it restores what it can."""
        for pod in self._pool.pods.values():
            for slot in pod.slots:
                if slot.state == RESERVED:
                    assert slot.task is not None
                    self._forgotten.append((slot.reserved_at, slot, slot.task))
                    self.lose(slot)
        if reconcile_after == 0:
            self._restore(self._restoring)
        elif reconcile_after < NEVER:
            self._clock.schedule(self._restoring, self._clock.now + reconcile_after, RESTORE)

    def _restore(self, _: Alarm) -> None:
        forgotten, self._forgotten = self._forgotten, []
        for since, slot, task in forgotten:
            still_fits = not slot.pod.gone and slot.state == IDLE and task.state == APPLY_PENDING and task.slot is None
            if still_fits and not self._is_over(since):
                self._pool.restore(slot, task, since)
                self._tasks.regain_slot(task, slot)
                if task.waiting:
                    self._pool.waiting.moved(task)
                    self._causes.turn(task)
        self._pool.waiting.offer()
