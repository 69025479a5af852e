"""Pods and their slots: the one owner of what is idle, running and reserved (model.md, 1 and 2.3).

Nothing here looks through all pods. The numbers of pods that may have a free slot stand in heaps; one that turns out to
have none is taken off its heap by the search that finds it there, and is put back when its pod has one again.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush, nlargest
from typing import TYPE_CHECKING

from sim.engine.clock import Alarm, Clock
from sim.engine.entities import IDLE, RESERVED, RUNNING, EnginePod, EngineSlot, EngineTask
from sim.engine.task_counts import TaskCounts
from sim.runs.errors import IllegalMoveError
from sim.runs.settings import PoolConfig
from sim.runs.time import NEVER

if TYPE_CHECKING:
    from sim.engine.dispatch_mode import DispatchMode
    from sim.engine.reservations import EngineReservations


class EnginePool:
    """The pods of one pool.

    Args:
        clock: the time.
        number: which pool it is, from 0.
        config: how many slots a pod has, and of which kind.
        released: called with each slot that is about to be reserved no more.
    """

    waiting: DispatchMode
    """How its tasks wait for a slot."""
    reservations: EngineReservations
    """Which of its slots are reserved for whom."""

    def __init__(self, clock: Clock, number: int, config: PoolConfig, released: Callable[[EngineSlot], None]) -> None:
        self.number = number
        self.config = config
        self.tasks = TaskCounts()
        self.elsewhere = TaskCounts()
        """Its tasks that use its pods, and those that never do."""
        self._clock = clock
        self._released = released
        self.on_task_end: Callable[[Alarm], None]
        """What the `end` of each slot calls: the dispatcher's, who says so."""
        self._slots_per_pod = config.slots_per_pod
        self._apply_slots = config.apply_slots
        self._any_slot = config.any_slot
        self._all = (1 << config.slots_per_pod) - 1
        self._apply_mask = self._all if config.any_slot else (1 << config.apply_slots) - 1
        self._plans_from_the_top = config.placement == "spare_apply_slots"
        self.pods: dict[int, EnginePod] = {}
        """The pods that are not gone, by number: oldest first."""
        self.made = 0
        """Pods made so far, so the number of the next one."""
        self.starting = 0
        self.running = 0
        self.reserved = 0
        self.idle_applies = 0
        """How many plan_and_applies its pods, starting ones too, could take (model.md, 1)."""
        self.running_pods = 0
        """Pods with a running slot."""
        self._idle: set[int] = set()
        """The pods whose slots are all idle; starting ones are such pods too."""
        self._free: list[int] = []
        self._free_apply: list[int] = []

    # What there is

    @property
    def in_use(self) -> int:
        """Pods with a running or a reserved slot."""
        return len(self.pods) - len(self._idle)

    def free_slot(self, applies: bool) -> EngineSlot | None:
        """The slot that a search finds for a task of that type: of the oldest ready pod that has one.

        A pod that is offline is passed over only once the server has noticed, so the slot may be on one that is.
        """
        heap, mask = (self._free_apply, self._apply_mask) if applies else (self._free, self._all)
        while heap:
            pod = self.pods.get(heap[0])
            if pod is not None:
                free = pod.idle & mask
                if free and not pod.passed_over and not (applies and self._is_full(pod)):
                    if self._plans_from_the_top and not applies:
                        return pod.slots[free.bit_length() - 1]
                    return pod.slots[(free & -free).bit_length() - 1]
                if applies:
                    pod.listed_apply = False
                else:
                    pod.listed = False
            heappop(heap)
        return None

    def usable_slot(self, applies: bool) -> EngineSlot | None:
        """The slot that an attempt for a task of that type would get: what the search finds, if its agent answers."""
        slot = self.free_slot(applies)
        return None if slot is None or slot.pod.offline_since != NEVER else slot

    def newest_idle_pods(self, count: int) -> list[EnginePod]:
        """The newest pods whose slots are all idle, at most so many; a starting one is such a pod too."""
        return [self.pods[number] for number in nlargest(count, self._idle)]

    # Pods come and go

    def make_pod(self) -> EnginePod:
        pod = EnginePod(self, self.made, self._clock.now)
        self.made += 1
        first = pod.number * self._slots_per_pod
        pod.slots = tuple(
            EngineSlot(pod, number, first + number, bool(self._apply_mask >> number & 1), Alarm(self.on_task_end))
            for number in range(self._slots_per_pod)
        )
        for slot in pod.slots:
            slot.end.subject = slot
        pod.idle = self._all
        self.pods[pod.number] = pod
        self._idle.add(pod.number)
        self.idle_applies += self._apply_slots
        self.starting += 1
        return pod

    def make_ready(self, pod: EnginePod) -> None:
        pod.ready_at = self._clock.now
        self.starting -= 1
        self._list(pod)

    def remove(self, pod: EnginePod) -> None:
        """The pod is gone. Its slots must be idle."""
        if pod.idle != self._all:
            raise IllegalMoveError(f"pod {pod.number} cannot go with tasks on it")
        pod.gone = True
        del self.pods[pod.number]
        self._idle.remove(pod.number)
        self.idle_applies -= self._apply_slots
        if not pod.is_ready:
            self.starting -= 1

    def silence(self, pod: EnginePod, back_at: int) -> None:
        """The pod's agent falls silent until *back_at*, or later if it was to be silent longer already."""
        if pod.is_offline:
            pod.back_at = max(pod.back_at, back_at)
        else:
            pod.offline_since = self._clock.now
            pod.back_at = back_at

    def pass_over(self, pod: EnginePod) -> None:
        """The server has noticed that the pod's agent is silent."""
        pod.passed_over = True

    def bring_back(self, pod: EnginePod) -> None:
        """The pod's agent answers again."""
        pod.offline_since = pod.back_at = NEVER
        pod.passed_over = False
        if pod.is_ready:
            self._list(pod)

    # Slots

    def _is_full(self, pod: EnginePod) -> bool:
        """Whether it has as many plan_and_applies as it takes, whatever slots are idle (`any_slot`)."""
        return self._any_slot and pod.applies >= self._apply_slots

    def _idle_applies_of(self, pod: EnginePod) -> int:
        """How many plan_and_applies the pod could take, if every slot takes one."""
        return min(pod.idle.bit_count(), max(self._apply_slots - pod.applies, 0))

    def run(self, slot: EngineSlot, task: EngineTask) -> None:
        """*task* runs on *slot*, which was idle or reserved for it."""
        pod = slot.pod
        if slot.state == IDLE:
            if task.applies and (not slot.takes_apply or self._is_full(pod)):
                raise IllegalMoveError(f"slot {slot.number} of pod {pod.number} does not take task {task.index}")
            self._take(slot, task)
            pod.used = True
        elif slot.state == RESERVED and slot.task is task:
            self._released(slot)
            self.reserved -= 1
        else:
            raise IllegalMoveError(f"slot {slot.number} of pod {pod.number} is not free for task {task.index}")
        slot.state = RUNNING
        self.running += 1
        pod.running += 1
        if pod.running == 1:
            self.running_pods += 1

    def _stop_running(self, pod: EnginePod) -> None:
        self.running -= 1
        pod.running -= 1
        if not pod.running:
            self.running_pods -= 1

    def reserve(self, slot: EngineSlot, since: int) -> None:
        """The plan that runs on *slot* has ended, and the slot stays reserved for its apply."""
        if slot.state != RUNNING:
            raise IllegalMoveError(f"slot {slot.number} of pod {slot.pod.number} has no plan to be reserved for")
        slot.state = RESERVED
        slot.reserved_at = since
        slot.held_since = self._clock.now
        self._stop_running(slot.pod)
        self.reserved += 1

    def restore(self, slot: EngineSlot, task: EngineTask, since: int) -> None:
        """The idle *slot* is reserved for *task* again, as it was *since* then."""
        if slot.state != IDLE:
            raise IllegalMoveError(f"slot {slot.number} of pod {slot.pod.number} is not idle any more")
        self._take(slot, task)
        slot.state = RESERVED
        slot.reserved_at = since
        slot.held_since = self._clock.now
        self.reserved += 1

    def release(self, slot: EngineSlot) -> None:
        """The slot is idle, whatever it was."""
        pod, task = slot.pod, slot.task
        if task is None:
            raise IllegalMoveError(f"slot {slot.number} of pod {pod.number} is idle already")
        if slot.state == RUNNING:
            self._stop_running(pod)
        else:
            self._released(slot)
            self.reserved -= 1
        slot.state = IDLE
        slot.task = None
        before = self._idle_applies_of(pod) if self._any_slot else 0
        pod.idle += slot.bit
        if task.applies:
            pod.applies -= 1
        if pod.idle == self._all:
            self._idle.add(pod.number)
        if self._any_slot:
            self.idle_applies += self._idle_applies_of(pod) - before
        elif slot.takes_apply:
            self.idle_applies += 1
        self._list(pod)

    def _take(self, slot: EngineSlot, task: EngineTask) -> None:
        """The slot is idle no more, but *task* has it."""
        pod = slot.pod
        before = self._idle_applies_of(pod) if self._any_slot else 0
        if pod.idle == self._all:
            self._idle.remove(pod.number)
        pod.idle -= slot.bit
        slot.task = task
        if task.applies:
            pod.applies += 1
        if self._any_slot:
            self.idle_applies += self._idle_applies_of(pod) - before
        elif slot.takes_apply:
            self.idle_applies -= 1

    def cut_off(self, slot: EngineSlot) -> None:
        """What ran on the slot does not end there any more; the slot is idle."""
        slot.end.cancel()
        slot.end = Alarm(self.on_task_end, slot)
        self.release(slot)

    def _list(self, pod: EnginePod) -> None:
        """Put a pod that is ready on the heaps where a search has to find it."""
        if not pod.passed_over:
            if not pod.listed:
                pod.listed = True
                heappush(self._free, pod.number)
            if not pod.listed_apply and pod.idle & self._apply_mask and not self._is_full(pod):
                pod.listed_apply = True
                heappush(self._free_apply, pod.number)
