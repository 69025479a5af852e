"""The pods there are, and the search for a free slot (model.md, 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from simpy.events import ProcessGenerator

from sim.model.instant import PlatformEnvironment
from sim.model.pod import IDLE, RESERVED, Pod, Reservation, Slot
from sim.model.recorder import RunRecorder
from sim.model.task import Task
from sim.runs.errors import IllegalMoveError
from sim.runs.settings import PoolConfig
from sim.runs.time import NEVER


class Pool:
    """The pods of a pool. Every change of a pod or a slot goes through here.

    Args:
        env: the simulated time.
        number: which of the platform's pools it is, from 0.
        config: how it is set up.
        record: where it is noted what becomes of pods and reservations.
        report: reports to the server that what ran on a slot has ended, as a part of the slot's process.
        on_change: called whenever a slot may have become usable.
    """

    def __init__(
        self,
        env: PlatformEnvironment,
        number: int,
        config: PoolConfig,
        record: RunRecorder,
        report: Callable[[Slot], ProcessGenerator],
        on_change: Callable[[], None],
    ) -> None:
        self._env = env
        self.number = number
        self.config = config
        self._record = record
        self._report = report
        self._on_change = on_change
        self.pods: list[Pod] = []
        """The pods that are not gone, oldest first."""
        self._made = 0

    # What there is

    @property
    def slots(self) -> Iterator[Slot]:
        """The slots of all pods, of the oldest first."""
        return (slot for pod in self.pods for slot in pod.slots)

    def count(self, state: str) -> int:
        """The number of slots that are idle, running or reserved."""
        return sum(slot.state == state for slot in self.slots)

    @property
    def counted(self) -> list[Pod]:
        """The pods that count for the autoscaler: those that do not drain, oldest first."""
        return [pod for pod in self.pods if not pod.is_draining]

    def slot_of(self, task: Task) -> Slot | None:
        """The slot on which *task* runs or that is reserved for it."""
        return next((slot for slot in self.slots if slot.task is task), None)

    def free_slot(self, applies: bool, choice: float) -> Slot | None:
        """The slot that a search finds for a task. *applies* says whether it is a plan_and_apply.

        Of the ready pods that have a slot that takes it, `placement` picks the oldest, the one with the most idle
        slots, or one at random, for which *choice* is the task's number from 0 to below 1. In the pod it is the lowest
        such slot, or with `placement: spare_apply_slots` the highest for a plan. The pod may be silent: a search passes
        a silent pod over only once the server has noticed.
        """
        placement = self.config.placement
        fitting = (pod for pod in self.pods if self._is_searched(pod) and any(pod.takes(s, applies) for s in pod.slots))
        if placement == "random":
            pods = list(fitting)
            pod = pods[int(choice * len(pods))] if pods else None
        elif placement == "most_idle":
            pod = max(fitting, key=lambda each: sum(slot.state == IDLE for slot in each.slots), default=None)
        else:
            pod = next(fitting, None)
        if pod is None:
            return None
        free = [slot for slot in pod.slots if pod.takes(slot, applies)]
        return free[-1] if placement == "spare_apply_slots" and not applies else free[0]

    @staticmethod
    def _is_searched(pod: Pod) -> bool:
        return pod.is_ready and not pod.is_draining and not pod.is_passed_over

    def newest_idle(self, count: int) -> list[Pod]:
        """The newest pods whose slots are all idle, at most so many; starting ones are among them."""
        return list(islice((pod for pod in reversed(self.counted) if pod.is_idle), count))

    # Pods come and go

    def make_pod(self) -> Pod:
        """Make a pod, which starts."""
        pod = Pod(self, self._made, self._env.now)
        self._made += 1
        for number in range(self.config.slots_per_pod):
            takes_apply = self.config.any_slot or number < self.config.apply_slots
            pod.slots.append(Slot(self._env, pod, number, takes_apply, self._report))
        self.pods.append(pod)
        return pod

    def connect(self, pod: Pod) -> None:
        """The pod's agent has connected: the pod is ready."""
        pod.ready_at = self._env.now
        self._on_change()

    def delete(self, pod: Pod, deleted_by: str) -> None:
        """The pod is gone. Its slots must be idle."""
        if not pod.is_idle:
            raise IllegalMoveError(f"pod {pod.number} cannot go with tasks on it")
        pod.is_gone = True
        self.pods.remove(pod)
        self._record.pod(pod, self._env.now, deleted_by)
        self._on_change()

    def drain(self, pod: Pod) -> None:
        """The pod takes no more tasks, but for an apply that is reserved on it, and goes once its slots are idle."""
        pod.draining_at = self._env.now

    def _delete_if_done(self, pod: Pod) -> None:
        """Delete a pod that was to go once its slots are idle, or for one task only, if that is so now."""
        if pod.is_idle and not pod.is_being_lost:
            if pod.is_draining:
                self.delete(pod, "drain")
            elif self.config.ephemeral:
                self.delete(pod, "ephemeral")

    def delete_drained(self) -> None:
        """Delete the draining pods that became idle because the server has forgotten what was reserved there."""
        for pod in list(self.pods):
            if pod.is_draining:
                self._delete_if_done(pod)

    def silence(self, pod: Pod, until: int) -> None:
        """The pod's agent answers no more *until* then, or later if it was to be silent for longer already."""
        if pod.is_offline:
            pod.back_at = max(pod.back_at, until)
        else:
            pod.offline_since, pod.back_at = self._env.now, until

    def pass_over(self, pod: Pod) -> None:
        """The server has noticed that the pod's agent is silent."""
        pod.is_passed_over = True
        self._on_change()

    def bring_back(self, pod: Pod) -> None:
        """The pod's agent answers again."""
        pod.offline_since = pod.back_at = NEVER
        pod.is_passed_over = False
        self._on_change()

    # Slots

    def run(self, slot: Slot, task: Task, duration: int) -> None:
        """Run a plan or an apply of *task* on a slot that is idle or reserved for it."""
        self._note_end_of_reservation(slot)
        slot.run(task, duration)

    def reserve(self, reservation: Reservation) -> None:
        """Keep a slot for the apply of a task."""
        reservation.slot.reserve(reservation, self._env.now)
        self._on_change()

    def release(self, slot: Slot) -> None:
        """The slot is idle: what ran on it has ended, or its task needs it no more."""
        self.forget(slot)
        self._delete_if_done(slot.pod)

    def forget(self, slot: Slot) -> None:
        """The slot is idle, as the server does not know any more what it was."""
        self._note_end_of_reservation(slot)
        slot.release()
        self._on_change()

    def cut_off(self, slot: Slot) -> None:
        """What runs on the slot does not go on; the slot is idle."""
        slot.cut_off()
        self._on_change()
        self._delete_if_done(slot.pod)

    def _note_end_of_reservation(self, slot: Slot) -> None:
        if slot.state == RESERVED:
            self._record.reservation(slot, self._env.now)

    def end(self) -> None:
        """The horizon has come: note the pods and reservations that there still are."""
        for pod in self.pods:
            self._record.pod(pod)
            for slot in pod.slots:
                if slot.state == RESERVED:
                    self._record.reservation(slot, NEVER)
