"""The server: it takes tasks in, sends them to slots, learns how they end, and can restart (model.md, 2 and 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from simpy.events import ProcessGenerator

from sim.model.instant import ARRIVAL, END, SERVER_UP, PlatformEnvironment
from sim.model.pod import RUNNING, Slot
from sim.model.pool import Pool
from sim.model.recorder import RunRecorder
from sim.model.reservations import Reservations
from sim.model.task import Task, Tasks
from sim.model.waiting import AskAgain, StandInQueue
from sim.runs.codes import APPLIED, APPLY_PENDING, APPLYING, FAILED, PENDING, PLANNED, REPLANNING
from sim.runs.inputs import RandomInputs
from sim.runs.settings import PlatformSettings
from sim.runs.time import NEVER


class Server:
    """The server and what it keeps in memory.

    Args:
        env: the simulated time.
        settings: how the platform is set up.
        inputs: has the extra time that an apply takes on another pod than that of its plan.
        record: where it is noted what happens.
    """

    def __init__(
        self, env: PlatformEnvironment, settings: PlatformSettings, inputs: RandomInputs, record: RunRecorder
    ) -> None:
        self._env = env
        self._settings = settings
        self._inputs = inputs
        self._record = record
        self.tasks = Tasks()
        self.waiting: AskAgain | StandInQueue
        if settings.notify:
            self.waiting = StandInQueue(env, self.attempt)
        else:
            self.waiting = AskAgain(env, settings.dispatch_retry, self.attempt)
        self.pool = Pool(env, settings, record, self._report, self.waiting.on_change)
        self.reservations = Reservations(env, settings.reservation_ttl, self.pool, self._on_loss)
        self.is_down = False
        self.back_at = 0
        """When it will be up again, while it is down."""
        self.on_up: list[Callable[[], None]] = []
        """Called when it has come up."""

    def until_up(self, place: int) -> ProcessGenerator:
        """Wait until the server is up, and then go on at *place* of that instant (model.md, 4: what is put off)."""
        while self.is_down:
            yield self._env.moment(self.back_at - self._env.now, place)

    # A task's way

    def arrival(self, task: Task, at: int) -> ProcessGenerator:
        """The process of a task that is to arrive at the time *at*."""
        yield self._env.moment(at - self._env.now, ARRIVAL + task.index)
        yield from self.until_up(ARRIVAL + task.index)
        self.tasks.arrive(task, self._env.now)
        if self.tasks.is_eligible(task):
            self.waiting.ask(task)

    def attempt(self, task: Task) -> bool:
        """Try to send an eligible task to a slot; whether that succeeded (model.md, 2.3 and 2.4)."""
        slot = self.pool.slot_of(task) or self.pool.free_slot(task.applies)
        if slot is None or slot.pod.is_offline or self.is_down:
            return False
        if task.state == PENDING:
            self._start_plan(task, slot)
        else:
            self._start_apply(task, slot)
        return True

    def _start_plan(self, task: Task, slot: Slot) -> None:
        self.tasks.start_plan(task, self._env.now)
        task.planned_on = (slot.pod.number, slot.number)
        self.pool.run(slot, task, task.plan)

    def _start_apply(self, task: Task, slot: Slot) -> None:
        self.tasks.start_apply(task, self._env.now)
        task.applied_on = (slot.pod.number, slot.number)
        is_elsewhere = task.planned_on is not None and task.planned_on[0] != slot.pod.number
        self.pool.run(slot, task, task.apply + (self._inputs.reinit(task.index) if is_elsewhere else 0))

    def _report(self, slot: Slot) -> ProcessGenerator:
        """Report to the server that what ran on the slot has ended; part of the slot's process (model.md, 2.6, 2.8)."""
        task = slot.task
        assert task is not None
        yield from self.until_up(END + task.index)
        now = self._env.now
        if task.state == APPLYING:
            task.apply_ended_at = now
            self.pool.release(slot)
            self._finish(task, APPLIED)
            return
        task.plan_ended_at = now
        if task.applies:
            task.move(APPLY_PENDING)
            self.reservations.make(slot, task)
            if task.confirm < NEVER:
                self._env.process(self._human(task))
        else:
            self.pool.release(slot)
            self._finish(task, PLANNED)

    def _human(self, task: Task) -> ProcessGenerator:
        """The process of the human who thinks about a plan and then confirms it (model.md, 2.7)."""
        yield self._env.moment(task.confirm, ARRIVAL + task.index)
        yield from self.until_up(ARRIVAL + task.index)
        self.tasks.confirm(task, self._env.now)
        if self.pool.slot_of(task) is None:
            self._replan_if_asked(task)
        self.waiting.ask(task)

    def fail(self, slot: Slot) -> None:
        """What runs on the slot is cut off, and its task has failed."""
        task = slot.task
        assert task is not None
        self.pool.cut_off(slot)
        task.failed_at = self._env.now
        if (
            task in self.tasks.awaiting_apply
        ):  # It planned again, and its apply will never come: it waits up to the horizon (model.md, 7).
            task.waits[REPLANNING] += self._settings.horizon - self._env.now
        self._finish(task, FAILED)

    def _finish(self, task: Task, state: int) -> None:
        task.move(state)
        successor = self.tasks.close(task)
        if successor is not None:
            self.waiting.ask(successor)

    def _on_loss(self, task: Task) -> None:
        """The task has lost its reservation."""
        if task.is_confirmed:
            self._replan_if_asked(task)

    def _replan_if_asked(self, task: Task) -> None:
        """With the safeguard `lost_reservation: replan`, plan again; the new plan has to be confirmed, too."""
        if self._settings.safeguards.replan:
            task.move(PENDING)
            task.plan_started_at = task.plan_ended_at = NEVER
            task.is_confirmed = False

    # Restarts

    def restart(
        self, downtime: int, reconcile_after: int, running_tasks: Literal["survive", "fail"]
    ) -> ProcessGenerator:
        """The process of a restart (model.md, 4). One that comes while the server is down already does nothing."""
        if running_tasks not in ("survive", "fail"):
            raise ValueError(f"running_tasks is {running_tasks!r}, expected 'survive' or 'fail'")
        if self.is_down:
            return
        self._record.incident(self._env.now, self._env.now + downtime, "server_restart")
        self.is_down = True
        self.back_at = self._env.now + downtime
        self.reservations.stop_restoring()
        if downtime:
            yield self._env.moment(downtime, SERVER_UP)
        # The server is up again. The numbers are those of model.md, 4.
        self.is_down = False
        # 4.1
        if running_tasks == "fail":
            for slot in [slot for slot in self.pool.slots if slot.state == RUNNING]:
                self.fail(slot)
        self.reservations.forget()
        # 4.2
        self.reservations.restore_after(reconcile_after)
        # 4.3
        self.waiting.on_server_up()
        for called in self.on_up:
            called()
