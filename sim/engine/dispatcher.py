"""Tasks arrive, ask for slots, run, end and are confirmed (model.md, 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from sim.engine.arrivals import ArrivalBlock
from sim.engine.causes import Causes
from sim.engine.clock import ARRIVAL, ATTEMPT, END, Alarm, Clock
from sim.engine.dispatch_mode import DispatchMode
from sim.engine.entities import EngineSlot, EngineTask
from sim.engine.notify import NotifyQueue
from sim.engine.polling import Polling
from sim.engine.pool import EnginePool
from sim.engine.reservations import EngineReservations
from sim.engine.server import EngineServer
from sim.engine.tasks import EngineTasks
from sim.runs.codes import APPLY_PENDING, PENDING, PLANNING
from sim.runs.inputs import RandomInputs
from sim.runs.settings import PlatformSettings
from sim.runs.time import NEVER


class Dispatcher:
    """Sends tasks to slots. What falls due while the server is down is put off to when it is up again.

    Args:
        clock: the time.
        settings: how the platform is set up.
        inputs: how much longer applies take elsewhere than their plans.
        pool: the slots.
        tasks: the tasks.
        server: whether it is down.
        causes: splits the waits of confirmed tasks.
    """

    def __init__(
        self,
        clock: Clock,
        settings: PlatformSettings,
        inputs: RandomInputs,
        pool: EnginePool,
        tasks: EngineTasks,
        server: EngineServer,
        causes: Causes,
    ) -> None:
        self._clock = clock
        self._pool = pool
        self._tasks = tasks
        self._server = server
        self._causes = causes
        self._replans = settings.safeguards.replan
        self._horizon = settings.horizon
        self._reinit = inputs.reinit
        self.waiting: DispatchMode
        retry = settings.dispatch_retry
        if settings.notify:
            self.waiting = NotifyQueue(clock, self._attempt)
        else:
            self.waiting = Polling(clock, self._attempt, retry, server.down, pool)
        pool.on_task_end = self._on_task_end
        self._arrivals: Iterator[EngineTask] = iter(())
        self._next: EngineTask | None = None
        self.reservations = EngineReservations(clock, settings, pool, tasks, self.waiting, causes)

    # ArrivalBlock

    def expect(self, arrivals: Iterable[ArrivalBlock]) -> None:
        """Have the tasks arrive, which come in order of time."""
        self._arrivals = chain.from_iterable(map(_tasks, arrivals))
        self._clock.set_arrivals(self._arrived)
        self._expect_next()

    def _expect_next(self) -> None:
        self._next = task = next(self._arrivals, None)
        if task is not None:
            self._clock.expect(task.arrives_at, ARRIVAL + task.index)

    def _arrived(self) -> None:
        task = self._next
        assert task is not None
        # The next one is expected before this one is dealt with, so that the clock knows whether the instant is over.
        self._expect_next()
        self._arrive(task)

    def _arrive(self, task: EngineTask) -> None:
        if self._server.is_down:
            self._clock.schedule(Alarm(self._arrive_late, task), self._server.back_at, ARRIVAL + task.index)
        elif self._tasks.arrive(task, self._clock.now):
            self._become_eligible(task)

    def _arrive_late(self, alarm: Alarm) -> None:
        self._arrive(alarm.subject)

    # Attempts

    def _become_eligible(self, task: EngineTask) -> None:
        """The task gets an attempt in this instant, when attempts have their turn."""
        if self._clock.instant_is_over():
            self._first_attempt(task)
        else:
            self._attempt_in_turn(task)

    def _attempt_in_turn(self, task: EngineTask) -> None:
        self._clock.schedule(Alarm(self._first_attempt_due, task), self._clock.now, ATTEMPT + task.index)

    def _first_attempt_due(self, alarm: Alarm) -> None:
        self._first_attempt(alarm.subject)

    def _first_attempt(self, task: EngineTask) -> None:
        task.waiting_since = self._clock.mark_priority_reached(ATTEMPT + task.index)
        replanned = self._replans and task.state == APPLY_PENDING and task.slot is None
        if replanned:
            self._tasks.replan(task)
            self._causes.begin(task)
        if not self._attempt(task):
            self.waiting.add(task)
            if task.state == APPLY_PENDING:
                self._causes.begin(task)
            elif not replanned:
                self._causes.begin_plan(task)

    def _attempt(self, task: EngineTask) -> bool:
        slot = self._pool.free_slot(task.applies) if task.slot is None else task.slot
        if slot is None or slot.pod.offline_since != NEVER or self._server.is_down:
            return False
        now = self._clock.now
        self._pool.run(slot, task)
        if task.state == PENDING:
            self._causes.end_plan(task)
            self._tasks.start_plan(task, slot, now)
            self._clock.schedule(slot.end, now + task.plan, END + task.index)
        else:
            self._causes.end(task)
            self._tasks.start_apply(task, slot, now)
            more = 0 if slot.pod.number == task.planned_on else self._reinit(task.index)
            self._clock.schedule(slot.end, now + task.apply + more, END + task.index)
        return True

    # Ends

    def _on_task_end(self, alarm: Alarm) -> None:
        """What runs on a slot has ended."""
        slot: EngineSlot = alarm.subject
        task = slot.task
        assert task is not None
        if self._server.is_down:
            self._clock.schedule(alarm, self._server.back_at, END + task.index)
            return
        now = self._clock.now
        if task.state != PLANNING:
            self._free(slot, self._tasks.end_apply(task, now))
        elif task.applies:
            self._tasks.end_plan(task, now)
            self.reservations.make(slot)
            if task.confirm < NEVER:
                self._clock.schedule(Alarm(self._confirmed, task), now + task.confirm, ARRIVAL + task.index)
        else:
            self._tasks.end_plan(task, now)
            self._free(slot, None)

    def _free(self, slot: EngineSlot, successor: EngineTask | None) -> None:
        self._pool.release(slot)
        self.waiting.offer()
        if successor is not None:
            self._become_eligible(successor)

    def cut_off(self, slot: EngineSlot) -> None:
        """What runs on the slot has failed."""
        task = slot.task
        assert task is not None
        self._pool.cut_off(slot)
        if task.state == PLANNING:
            self._causes.end_for_ever(task, self._horizon)
        successor = self._tasks.fail(task, self._clock.now)
        if successor is not None:
            self._attempt_in_turn(successor)  # not at once: the pod may be about to go

    def _confirmed(self, alarm: Alarm) -> None:
        task: EngineTask = alarm.subject
        if self._server.is_down:
            self._clock.schedule(alarm, self._server.back_at, ARRIVAL + task.index)
            return
        self._tasks.confirm(task, self._clock.now)
        self._become_eligible(task)


def _tasks(arrivals: ArrivalBlock) -> list[EngineTask]:
    rows, moments, types, workspaces, plans, confirms, lengths = arrivals
    return [
        EngineTask(index, at, applies, workspace, plan, confirm, apply)
        for index, at, applies, workspace, plan, confirm, apply in zip(  # noqa: B905 - it is quicker, compiled
            rows, moments, types, workspaces, plans, confirms, lengths
        )
    ]
