"""Pods and their slots: the one owner of what is idle, running and reserved (model.md, 1 and 2.3).

Nothing here looks through all pods. Pods that may have a free slot stand in heaps by number, oldest first; a pod that
turns out to have none is taken off its heap by the search that finds it there, and is put back when it has one again.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from sim.model.clock import NEVER, Alarm, Clock
from sim.model.settings import Settings
from sim.model.tasks import IllegalMoveError, Task

IDLE: Final = 0
RUNNING: Final = 1
RESERVED: Final = 2


class Slot:
    """A place on a pod for one task. `number` counts from 0; `bit` stands for it in `Pod.idle`."""

    __slots__ = ("bit", "end", "held_since", "number", "pod", "reserved_at", "state", "takes_apply", "task")

    def __init__(self, pod: Pod, number: int, takes_apply: bool, end: Alarm) -> None:
        self.pod = pod
        self.number = number
        self.bit = 1 << number
        self.takes_apply = takes_apply
        self.state = IDLE
        self.task: Task | None = None
        """What runs on it, or what it is reserved for."""
        self.reserved_at = NEVER
        """When it was reserved for its task first: from then on the reservation ages."""
        self.held_since = NEVER
        """Since when it is reserved without a break."""
        self.end = end
        """Goes off when what runs on it has ended."""


class Pod:
    """A worker. `number` counts from 0 in the order pods were made. `idle` has the bits of its idle slots."""

    __slots__ = (
        "back_at",
        "created_at",
        "gone",
        "idle",
        "listed",
        "listed_apply",
        "listed_idle",
        "number",
        "offline_since",
        "passed_over",
        "ready_at",
        "slots",
        "used",
    )

    def __init__(self, number: int, created_at: int) -> None:
        self.number = number
        self.created_at = created_at
        self.ready_at = NEVER
        self.gone = False
        self.offline_since = NEVER
        """Since when its agent is silent; `NEVER` while it is not."""
        self.back_at = NEVER
        """When it will be back, if it is silent."""
        self.passed_over = False
        """Whether the server has noticed the silence."""
        self.used = False
        """Whether a task ever ran on it."""
        self.idle = 0
        self.slots: tuple[Slot, ...] = ()
        self.listed = self.listed_apply = self.listed_idle = False

    @property
    def is_ready(self) -> bool:
        """Whether its agent has connected."""
        return self.ready_at != NEVER

    @property
    def is_offline(self) -> bool:
        """Whether its agent is silent."""
        return self.offline_since != NEVER


class Pool:
    """The pods there are.

    Args:
        clock: the time.
        settings: how many slots a pod has, and of which kind.
        changed: called whenever something has changed that the autoscaler can see, or that attempts depend on.
        ended: what the `end` of each slot calls.
        released: called with each slot that is about to be reserved no more.
    """

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        changed: Callable[[], None],
        ended: Callable[[Alarm], None],
        released: Callable[[Slot], None],
    ) -> None:
        self._clock = clock
        self._released = released
        self._changed = changed
        self._ended = ended
        self._slots_per_pod = settings.slots_per_pod
        self._apply_slots = settings.apply_slots
        self._all = (1 << settings.slots_per_pod) - 1
        self._apply_mask = (1 << settings.apply_slots) - 1
        self._plans_from_the_top = settings.spare_apply_slots
        self.pods: dict[int, Pod] = {}
        """The pods that are not gone, by number: oldest first."""
        self.made = 0
        """Pods made so far, so the number of the next one."""
        self.starting = 0
        self.running = 0
        self.reserved = 0
        self.in_use = 0
        """Pods with a running or a reserved slot."""
        self._busy_apply = 0
        self._free: list[tuple[int, Pod]] = []
        self._free_apply: list[tuple[int, Pod]] = []
        self._idle: list[tuple[int, Pod]] = []

    # What there is

    @property
    def idle_ready(self) -> int:
        """Idle slots on ready pods."""
        return (len(self.pods) - self.starting) * self._slots_per_pod - self.running - self.reserved

    @property
    def idle_apply_ready(self) -> int:
        """Idle apply slots on ready pods."""
        return (len(self.pods) - self.starting) * self._apply_slots - self._busy_apply

    def free_slot(self, applies: bool) -> Slot | None:
        """The slot that a search finds for a task of that type: of the oldest ready pod that has one.

        A pod that is offline is passed over only once the server has noticed, so the slot may be on one that is.
        """
        heap, mask = (self._free_apply, self._apply_mask) if applies else (self._free, self._all)
        while heap:
            pod = heap[0][1]
            free = pod.idle & mask
            if free and not pod.gone and not pod.passed_over:
                if self._plans_from_the_top and not applies:
                    return pod.slots[free.bit_length() - 1]
                return pod.slots[(free & -free).bit_length() - 1]
            heappop(heap)
            if applies:
                pod.listed_apply = False
            else:
                pod.listed = False
        return None

    def usable_slot(self, applies: bool) -> Slot | None:
        """The slot that an attempt for a task of that type would get: what the search finds, if its agent answers."""
        slot = self.free_slot(applies)
        return None if slot is None or slot.pod.offline_since != NEVER else slot

    def newest_idle_pod(self) -> Pod | None:
        """The newest pod whose slots are all idle; a starting one is such a pod too."""
        while self._idle:
            pod = self._idle[0][1]
            if pod.idle == self._all and not pod.gone:
                return pod
            heappop(self._idle)
            pod.listed_idle = False
        return None

    # Pods come and go

    def make_pod(self) -> Pod:
        pod = Pod(self.made, self._clock.now)
        self.made += 1
        pod.slots = tuple(
            Slot(pod, number, number < self._apply_slots, Alarm(self._clock, self._ended))
            for number in range(self._slots_per_pod)
        )
        for slot in pod.slots:
            slot.end.subject = slot
        pod.idle = self._all
        self.pods[pod.number] = pod
        self.starting += 1
        self._list(pod)
        self._changed()
        return pod

    def make_ready(self, pod: Pod) -> None:
        pod.ready_at = self._clock.now
        self.starting -= 1
        self._list(pod)
        self._changed()

    def remove(self, pod: Pod) -> None:
        """The pod is gone. Its slots must be idle."""
        if pod.idle != self._all:
            raise IllegalMoveError(f"pod {pod.number} cannot go with tasks on it")
        pod.gone = True
        del self.pods[pod.number]
        if not pod.is_ready:
            self.starting -= 1
        self._changed()

    def silence(self, pod: Pod, back_at: int) -> None:
        """The pod's agent falls silent until *back_at*, or later if it was to be silent longer already."""
        if pod.is_offline:
            pod.back_at = max(pod.back_at, back_at)
        else:
            pod.offline_since = self._clock.now
            pod.back_at = back_at
            self._changed()

    def pass_over(self, pod: Pod) -> None:
        """The server has noticed that the pod's agent is silent."""
        pod.passed_over = True
        self._changed()

    def bring_back(self, pod: Pod) -> None:
        """The pod's agent answers again."""
        pod.offline_since = pod.back_at = NEVER
        pod.passed_over = False
        self._list(pod)
        self._changed()

    # Slots

    def run(self, slot: Slot, task: Task) -> None:
        """*task* runs on *slot*, which was idle or reserved for it."""
        if slot.state == IDLE:
            self._take(slot)
            slot.pod.used = True
            slot.task = task
        elif slot.state == RESERVED and slot.task is task:
            self._released(slot)
            self.reserved -= 1
        else:
            raise IllegalMoveError(f"slot {slot.number} of pod {slot.pod.number} is not free for task {task.index}")
        if task.applies and not slot.takes_apply:
            raise IllegalMoveError(f"slot {slot.number} of pod {slot.pod.number} does not take task {task.index}")
        slot.state = RUNNING
        self.running += 1
        self._changed()

    def reserve(self, slot: Slot, since: int) -> None:
        """The plan that runs on *slot* has ended, and the slot stays reserved for its apply."""
        if slot.state != RUNNING:
            raise IllegalMoveError(f"slot {slot.number} of pod {slot.pod.number} has no plan to be reserved for")
        slot.state = RESERVED
        slot.reserved_at = since
        slot.held_since = self._clock.now
        self.running -= 1
        self.reserved += 1
        self._changed()

    def restore(self, slot: Slot, task: Task, since: int) -> None:
        """The idle *slot* is reserved for *task* again, as it was *since* then."""
        if slot.state != IDLE:
            raise IllegalMoveError(f"slot {slot.number} of pod {slot.pod.number} is not idle any more")
        self._take(slot)
        slot.state = RESERVED
        slot.task = task
        slot.reserved_at = since
        slot.held_since = self._clock.now
        self.reserved += 1
        self._changed()

    def release(self, slot: Slot) -> None:
        """The slot is idle, whatever it was."""
        if slot.state == RUNNING:
            self.running -= 1
        elif slot.state == RESERVED:
            self._released(slot)
            self.reserved -= 1
        else:
            raise IllegalMoveError(f"slot {slot.number} of pod {slot.pod.number} is idle already")
        slot.state = IDLE
        slot.task = None
        slot.pod.idle |= slot.bit
        if slot.pod.idle == self._all:
            self.in_use -= 1
        if slot.takes_apply:
            self._busy_apply -= 1
        self._list(slot.pod)
        self._changed()

    def _take(self, slot: Slot) -> None:
        """The slot is idle no more."""
        pod = slot.pod
        if pod.idle == self._all:
            self.in_use += 1
        pod.idle &= ~slot.bit
        if slot.takes_apply:
            self._busy_apply += 1

    def cut_off(self, slot: Slot) -> None:
        """What ran on the slot does not end there any more; the slot is idle."""
        slot.end.cancel()
        slot.end = Alarm(self._clock, self._ended, slot)
        self.release(slot)

    def _list(self, pod: Pod) -> None:
        """Put the pod on the heaps where a search has to find it."""
        if pod.idle == self._all and not pod.listed_idle:
            pod.listed_idle = True
            heappush(self._idle, (-pod.number, pod))
        if pod.ready_at == NEVER or pod.passed_over:
            return
        if not pod.listed:
            pod.listed = True
            heappush(self._free, (pod.number, pod))
        if not pod.listed_apply and pod.idle & self._apply_mask:
            pod.listed_apply = True
            heappush(self._free_apply, (pod.number, pod))
