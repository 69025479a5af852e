"""Tasks arrive, ask for slots, run, end, and are decided on and canceled (model.md, 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from sim.engine.arrivals import ArrivalBlock
from sim.engine.causes import Causes
from sim.engine.clock import ARRIVAL, ATTEMPT, END, Alarm, Clock
from sim.engine.entities import RUNNING, EngineSlot, EngineTask
from sim.engine.notify import NotifyQueue
from sim.engine.polling import Polling
from sim.engine.pool import EnginePool
from sim.engine.reservations import EngineReservations
from sim.engine.server import EngineServer
from sim.engine.tasks import EngineTasks
from sim.runs.codes import (
    APPLIED,
    APPLY_PENDING,
    CANCELED,
    DISCARDED,
    ERRORED,
    FAILED,
    NO_CHANGES,
    PENDING,
    PLAN_ERROR,
    PLANNED,
    PLANNED_AND_FINISHED,
    PLANNING,
)
from sim.runs.inputs import RandomInputs
from sim.runs.settings import PlatformSettings
from sim.runs.time import NEVER


class Dispatcher:
    """Sends tasks to slots. What falls due while the server is down is put off to when it is up again.

    Args:
        clock: the time.
        settings: how the platform is set up.
        inputs: how much longer applies take elsewhere than their plans.
        pools: the slots.
        tasks: the tasks.
        server: whether it is down.
        causes: splits the waits of confirmed tasks.
    """

    def __init__(
        self,
        clock: Clock,
        settings: PlatformSettings,
        inputs: RandomInputs,
        pools: Sequence[EnginePool],
        tasks: EngineTasks,
        server: EngineServer,
        causes: Causes,
    ) -> None:
        self._clock = clock
        self._pools = pools
        self._tasks = tasks
        self._server = server
        self._causes = causes
        self._replans = settings.safeguards.replan
        self._horizon = settings.horizon
        self._timeout = settings.task_timeout
        self._reinit = inputs.reinit
        for pool in pools:
            if settings.notify:
                pool.waiting = NotifyQueue(clock, self._attempt)
            else:
                pool.waiting = Polling(clock, self._attempt, settings.dispatch_retry, server.down, pool)
            pool.on_task_end = self._on_task_end
            pool.reservations = EngineReservations(clock, settings, pool, tasks, causes)
        self._elsewhere: dict[EngineTask, Alarm] = {}
        """What runs on no pod of ours, and the alarm for its end."""
        self._stranded: list[EngineTask] = []
        """Tasks that run elsewhere and became eligible while the server was down."""
        self._arrivals: Iterator[EngineTask] = iter(())
        self._next: EngineTask | None = None

    # Arrivals

    def expect(self, arrivals: Iterable[ArrivalBlock]) -> None:
        """Have the tasks arrive, which come in order of time."""
        self._arrivals = chain.from_iterable(map(self._made, arrivals))
        self._clock.set_arrivals(self._arrived)
        self._expect_next()

    def _made(self, arrivals: ArrivalBlock) -> list[EngineTask]:
        rows, moments, types, workspaces, plans, confirms, lengths, pools, modes, results, discards, fails, cancels = (
            arrivals
        )
        return [
            EngineTask(
                index, at, applies, workspace, plan, confirm, apply,
                self._pools[pool], elsewhere, result, discard, fail, cancel,
            )
            for index, at, applies, workspace, plan, confirm, apply, pool, elsewhere, result, discard, fail, cancel
            in zip(  # noqa: B905 - it is quicker, compiled
                rows, moments, types, workspaces, plans, confirms, lengths, pools, modes, results, discards, fails,
                cancels,
            )
        ]  # fmt: skip

    def _expect_next(self) -> None:
        self._next = task = next(self._arrivals, None)
        if task is not None:
            self._clock.expect(task.arrives_at, ARRIVAL + 2 * task.index)

    def _arrived(self) -> None:
        task = self._next
        assert task is not None
        # The next one is expected before this one is dealt with, so that the clock knows whether the instant is over.
        self._expect_next()
        self._arrive(task)

    def _arrive(self, task: EngineTask) -> None:
        now = self._clock.now
        if self._server.is_down:
            self._clock.schedule(Alarm(self._arrive_late, task), self._server.back_at, ARRIVAL + 2 * task.index)
            return
        if task.cancel < NEVER:
            self._clock.schedule(Alarm(self._canceled, task), now + task.cancel, ARRIVAL + 2 * task.index + 1)
        if self._tasks.arrive(task, now):
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
        task: EngineTask = alarm.subject
        if not task.is_final:  # It may have been canceled in this instant.
            self._first_attempt(task)

    def _first_attempt(self, task: EngineTask) -> None:
        task.waiting_since = self._clock.mark_priority_reached(ATTEMPT + task.index)
        if not self._attempt(task):
            if task.elsewhere:
                self._stranded.append(task)
            else:
                task.pool.waiting.add(task)
            if task.state == APPLY_PENDING:
                self._causes.begin(task)
            elif not task.is_replanning:
                self._causes.begin_plan(task)

    def _attempt(self, task: EngineTask) -> bool:
        if task.elsewhere:
            return self._start_elsewhere(task)
        slot = task.pool.free_slot(task.applies) if task.slot is None else task.slot
        if slot is None or slot.pod.offline_since != NEVER or self._server.is_down:
            return False
        now = self._clock.now
        task.pool.run(slot, task)
        if task.state == PENDING:
            self._causes.end_plan(task)
            self._tasks.start_plan(task, slot, now)
            duration = task.plan
        else:
            self._causes.end(task)
            self._tasks.start_apply(task, slot, now)
            duration = task.apply + (0 if slot.pod.number == task.planned_on else self._reinit(task.index))
        self._clock.schedule(slot.end, now + self._limited(task, duration), END + task.index)
        return True

    def _limited(self, task: EngineTask, duration: int) -> int:
        """For how long a run of *task* goes on that would take *duration*."""
        task.times_out = duration > self._timeout
        return self._timeout if task.times_out else duration

    # Ends

    def _on_task_end(self, alarm: Alarm) -> None:
        """What runs on a slot has ended."""
        slot: EngineSlot = alarm.subject
        task = slot.task
        assert task is not None
        if self._server.is_down:
            self._clock.schedule(alarm, self._server.back_at, END + task.index)
            return
        self._ended(task, slot)

    def _ended(self, task: EngineTask, slot: EngineSlot | None) -> None:
        """A plan or an apply has ended, on *slot* if it ran on one of ours."""
        now = self._clock.now
        if task.state == PLANNING:
            self._tasks.end_plan(task, now)
            if task.times_out or task.plan_result == PLAN_ERROR:
                state = ERRORED
            elif not task.applies:
                state = PLANNED
            elif task.plan_result == NO_CHANGES:
                state = PLANNED_AND_FINISHED
            else:
                self._tasks.await_human(task)
                if slot is not None:
                    task.pool.reservations.make(slot)
                if task.confirm < NEVER:
                    at = now + task.confirm
                    self._clock.schedule(Alarm(self._decided, task), at, ARRIVAL + 2 * task.index)
                return
        else:
            self._tasks.end_apply(task, now)
            state = ERRORED if task.times_out or task.apply_fails else APPLIED
        if slot is not None:
            task.pool.release(slot)
        self._close(task, state)

    def _close(self, task: EngineTask, state: int) -> None:
        """The task, which has no slot any more, is final."""
        successor = self._tasks.close(task, state, self._clock.now)
        task.pool.waiting.offer()
        if successor is not None:
            self._become_eligible(successor)

    def cut_off(self, slot: EngineSlot) -> None:
        """What runs on the slot has failed."""
        task = slot.task
        assert task is not None
        task.pool.cut_off(slot)
        if task.state == PLANNING:
            self._causes.end_for_ever(task, self._horizon)
        successor = self._tasks.close(task, FAILED, self._clock.now)
        if successor is not None:
            self._attempt_in_turn(successor)  # not at once: the pod may be about to go

    def _decided(self, alarm: Alarm) -> None:
        """The human has decided on the plan."""
        task: EngineTask = alarm.subject
        if task.is_final:
            return
        if self._server.is_down:
            self._clock.schedule(alarm, self._server.back_at, ARRIVAL + 2 * task.index)
            return
        if task.discards:
            self._withdraw(task, DISCARDED)
            return
        self._tasks.confirm(task, self._clock.now)
        if self._replans and task.slot is None and not task.elsewhere:
            self._tasks.replan(task)
            self._causes.begin(task)
        self._become_eligible(task)

    def _canceled(self, alarm: Alarm) -> None:
        task: EngineTask = alarm.subject
        if task.is_final:
            return
        if self._server.is_down:
            self._clock.schedule(alarm, self._server.back_at, ARRIVAL + 2 * task.index + 1)
            return
        if task in self._stranded:
            self._stranded.remove(task)
        elif task.waiting:
            task.pool.waiting.give_up(task)
        self._causes.end_plan(task)
        self._causes.end(task)
        self._withdraw(task, CANCELED)

    def _withdraw(self, task: EngineTask, state: int) -> None:
        """The task is final because somebody wants it so: what runs stops, and its slot or reservation is idle."""
        slot = task.slot
        running = self._elsewhere.pop(task, None)
        if running is not None:
            running.cancel()
        if slot is None:
            successor = self._tasks.close(task, state, self._clock.now)
        else:
            if slot.state == RUNNING:
                task.pool.cut_off(slot)
            else:
                task.pool.release(slot)
            successor = self._tasks.close(task, state, self._clock.now)
            task.pool.waiting.offer()
        if successor is not None:
            self._become_eligible(successor)

    # Elsewhere

    def _start_elsewhere(self, task: EngineTask) -> bool:
        """Start what the task is to run next on no pod of ours; whether that could be, as the server is up."""
        if self._server.is_down:
            return False
        now = self._clock.now
        if task.state == PENDING:
            self._causes.end_plan(task)
            self._tasks.start_plan(task, None, now)
            duration = task.plan
        else:
            self._causes.end(task)
            self._tasks.start_apply(task, None, now)
            duration = task.apply
        self._elsewhere[task] = alarm = Alarm(self._on_end_elsewhere, task)
        self._clock.schedule(alarm, now + self._limited(task, duration), END + task.index)
        return True

    def _on_end_elsewhere(self, alarm: Alarm) -> None:
        task: EngineTask = alarm.subject
        if self._server.is_down:
            self._clock.schedule(alarm, self._server.back_at, END + task.index)
            return
        del self._elsewhere[task]
        self._ended(task, None)

    def restart_elsewhere(self) -> None:
        """The server has come up: what it would have started elsewhere meanwhile gets an attempt in this instant."""
        stranded, self._stranded = self._stranded, []
        for task in stranded:
            self._clock.schedule(Alarm(self._stranded_attempt, task), self._clock.now, ATTEMPT + task.index)

    def _stranded_attempt(self, alarm: Alarm) -> None:
        task: EngineTask = alarm.subject
        if not task.is_final:
            self._clock.mark_priority_reached(ATTEMPT + task.index)
            if not self._attempt(task):
                self._stranded.append(task)
