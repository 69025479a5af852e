"""The server: it takes tasks in, sends them to slots, learns how they end, and can restart (model.md, 2 and 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from simpy import Interrupt, Process
from simpy.events import ProcessGenerator

from sim.model.instant import END, SERVER_UP, PlatformEnvironment, arrival_place, cancel_place
from sim.model.pod import RESERVED, RUNNING, Pod, Slot
from sim.model.pool import Pool
from sim.model.recorder import RunRecorder
from sim.model.reservations import Reservations
from sim.model.task import Task, Tasks
from sim.model.waiting import AskAgain, StandInQueue
from sim.runs.codes import (
    APPLIED,
    APPLY_PENDING,
    APPLYING,
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
    REPLANNING,
)
from sim.runs.inputs import RandomInputs
from sim.runs.settings import PlatformSettings
from sim.runs.time import NEVER


class Server:
    """The server and what it keeps in memory.

    Args:
        env: the simulated time.
        settings: how the platform is set up.
        inputs: has what is random about tasks that have arrived: the extra time that an apply takes on another pod than
            that of its plan, and which pod a random placement picks.
        record: where it is noted what happens.
    """

    def __init__(
        self, env: PlatformEnvironment, settings: PlatformSettings, inputs: RandomInputs, record: RunRecorder
    ) -> None:
        self._env = env
        self._settings = settings
        self._inputs = inputs
        self._record = record
        self.tasks = Tasks(settings.locks_all)
        self.waiting: AskAgain | StandInQueue
        if settings.notify:
            self.waiting = StandInQueue(env, self.attempt, settings.applies_first)
        else:
            self.waiting = AskAgain(env, settings.dispatch_retry, self.attempt)
        self.pools = [
            Pool(env, number, config, record, self._report, self.waiting.on_change)
            for number, config in enumerate(settings.pools)
        ]
        self.reservations = Reservations(env, self.pools, self._on_loss)
        self._elsewhere: dict[Task, Process] = {}
        """What runs on no pod of ours."""
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
        place = arrival_place(task.index)
        yield self._env.moment(at - self._env.now, place)
        yield from self.until_up(place)
        self.tasks.arrive(task, self._env.now)
        if task.cancel < NEVER:
            self._env.process(self._cancellation(task))
        if self.tasks.is_eligible(task):
            self.waiting.ask(task)

    def attempt(self, task: Task) -> bool:
        """Try to send an eligible task to a slot; whether that succeeded (model.md, 2.3 and 2.4)."""
        if self.is_down:
            return False
        if task.elsewhere:
            self._start_elsewhere(task)
            return True
        slot = self.slot_of(task) or self.free_slot(task)
        if slot is None or slot.pod.is_offline:
            return False
        self._start(task, slot)
        return True

    def slot_of(self, task: Task) -> Slot | None:
        """The slot on which *task* runs or that is reserved for it."""
        return self.pools[task.pool].slot_of(task)

    def free_slot(self, task: Task) -> Slot | None:
        """The slot that a search finds for *task*."""
        return self.pools[task.pool].free_slot(task.applies, self.choice(task))

    def choice(self, task: Task) -> float:
        """The number by which `placement: random` picks a pod for what *task* will run next, from 0 to below 1."""
        is_random = self.pools[task.pool].config.placement == "random"
        return self._inputs.placement(task.index, task.state == APPLY_PENDING) if is_random else 0.0

    def _start(self, task: Task, slot: Slot) -> None:
        """Start what *task* is to run next on *slot*."""
        where = (slot.pod.number, slot.number)
        if task.state == PENDING:
            self.tasks.start_plan(task, self._env.now)
            task.planned_on, duration = where, task.plan
        else:
            self.tasks.start_apply(task, self._env.now)
            task.applied_on, duration = where, task.apply
            if task.planned_on is not None and task.planned_on[0] != slot.pod.number:
                duration += self._inputs.reinit(task.index)
        slot.pod.pool.run(slot, task, self._limited(task, duration))

    def _limited(self, task: Task, duration: int) -> int:
        """For how long a run of *task* goes on that would take *duration* (model.md, 2.10)."""
        task.times_out = duration > self._settings.task_timeout
        return min(duration, self._settings.task_timeout)

    def _start_elsewhere(self, task: Task) -> None:
        if task.state == PENDING:
            self.tasks.start_plan(task, self._env.now)
            duration = task.plan
        else:
            self.tasks.start_apply(task, self._env.now)
            duration = task.apply
        self._elsewhere[task] = self._env.process(self._run_elsewhere(task, self._limited(task, duration)))

    def _run_elsewhere(self, task: Task, duration: int) -> ProcessGenerator:
        """The process of a plan or an apply that runs on no pod of ours."""
        try:
            yield self._env.moment(duration, END + task.index)
            yield from self.until_up(END + task.index)
        except Interrupt:
            return  # The task has been canceled.
        del self._elsewhere[task]
        self._ended(task, None)

    def _report(self, slot: Slot) -> ProcessGenerator:
        """Report to the server that what ran on the slot has ended; part of the slot's process."""
        task = slot.task
        assert task is not None
        yield from self.until_up(END + task.index)
        self._ended(task, slot)

    def _ended(self, task: Task, slot: Slot | None) -> None:
        """A plan or an apply of *task* has ended, on *slot* if it ran on one of ours (model.md, 2.6 and 2.8)."""
        now = self._env.now
        if task.state == APPLYING:
            task.apply_ended_at = now
            state = ERRORED if task.times_out or task.apply_fails else APPLIED
        else:
            task.plan_ended_at = now
            if task.times_out or task.plan_result == PLAN_ERROR:
                state = ERRORED
            elif not task.applies:
                state = PLANNED
            elif task.plan_result == NO_CHANGES:
                state = PLANNED_AND_FINISHED
            else:
                self._await_human(task, slot)
                return
        if slot is not None:
            slot.pod.pool.release(slot)
        self._finish(task, state)

    def _await_human(self, task: Task, slot: Slot | None) -> None:
        task.move(APPLY_PENDING)
        if slot is not None:
            self.reservations.make(slot, task)
        if task.confirm < NEVER:
            self._env.process(self._human(task))

    def _human(self, task: Task) -> ProcessGenerator:
        """The process of the human who thinks about a plan and then decides (model.md, 2.7)."""
        place = arrival_place(task.index)
        yield self._env.moment(task.confirm, place)
        yield from self.until_up(place)
        if task.is_final:
            return
        if task.discards:
            self._withdraw(task, DISCARDED)
            return
        self.tasks.confirm(task, self._env.now)
        if self.slot_of(task) is None:
            self._replan_if_asked(task)
        self.waiting.ask(task)

    def _cancellation(self, task: Task) -> ProcessGenerator:
        """The process of a task's cancellation (model.md, 2.9)."""
        place = cancel_place(task.index)
        yield self._env.moment(task.cancel, place)
        yield from self.until_up(place)
        if not task.is_final:
            self.waiting.give_up(task)
            self._withdraw(task, CANCELED)

    def _withdraw(self, task: Task, state: int) -> None:
        """The task is final because somebody wants it so: what runs stops, and its slot or reservation is idle."""
        slot = self.slot_of(task)
        if slot is not None and slot.state == RUNNING:
            slot.pod.pool.cut_off(slot)
        elif slot is not None:
            slot.pod.pool.release(slot)
        if task in self._elsewhere:
            self._elsewhere.pop(task).interrupt()
        self._finish(task, state)

    def _finish(self, task: Task, state: int) -> None:
        successor = self.tasks.close(task, state, self._env.now)
        if successor is not None:
            self.waiting.ask(successor)

    # Losses

    def lose_pod(self, pod: Pod, deleted_by: str) -> None:
        """The pod is gone, whatever it did (model.md, 4: pod_deletion), and what was reserved there has no slot."""
        pod.is_being_lost = True
        for slot in pod.slots:
            if slot.state == RUNNING:
                self._lose_run(slot)
            elif slot.state == RESERVED:
                self.reservations.lose(slot)
        pod.pool.delete(pod, deleted_by)

    def _lose_run(self, slot: Slot) -> None:
        """The pod of what runs on the slot is gone: the task has failed, or plans again (`on_pod_loss`)."""
        task = slot.task
        assert task is not None
        if not slot.pod.pool.config.requeue or task.state != PLANNING:
            self._fail(slot)
            return
        slot.pod.pool.cut_off(slot)
        self.tasks.plan_again(task, self._env.now)
        self.waiting.ask(task)

    def _fail(self, slot: Slot) -> None:
        """What runs on the slot is cut off, and its task has failed."""
        task = slot.task
        assert task is not None
        slot.pod.pool.cut_off(slot)
        if (
            task in self.tasks.awaiting_apply
        ):  # It planned again, and its apply will never come: it waits up to the horizon (model.md, 7).
            task.waits[REPLANNING] += self._settings.horizon - self._env.now
        self._finish(task, FAILED)

    def _on_loss(self, task: Task) -> None:
        """The task has lost its reservation."""
        if task.is_confirmed:
            self._replan_if_asked(task)

    def _replan_if_asked(self, task: Task) -> None:
        """With the safeguard `lost_reservation: replan`, plan again; the new plan has to be confirmed, too."""
        if self._settings.safeguards.replan and not task.elsewhere:
            self.tasks.plan_again(task, self._env.now)

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
            for slot in [slot for pool in self.pools for slot in pool.slots if slot.state == RUNNING]:
                self._fail(slot)
        self.reservations.forget()
        # 4.2
        self.reservations.restore_after(reconcile_after)
        for pool in self.pools:
            pool.delete_drained()
        # 4.3
        self.waiting.on_server_up()
        for called in self.on_up:
            called()
