"""A pod and its slots (model.md, 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simpy import Interrupt
from simpy.events import ProcessGenerator

from sim.model.instant import END, PlatformEnvironment
from sim.model.task import Task
from sim.runs.errors import IllegalMoveError
from sim.runs.time import NEVER

if TYPE_CHECKING:
    from sim.model.pool import Pool

IDLE: Final = "idle"
RUNNING: Final = "running"
RESERVED: Final = "reserved"


@dataclass(frozen=True, eq=False)
class Reservation:
    """A slot is kept for the apply of a task. Its lifetime counts from `since`, even if it is restored later."""

    slot: Slot
    task: Task
    since: int


class Slot:
    """A place on a pod for one task.

    Args:
        env: the simulated time.
        pod: its pod.
        number: its number on the pod, from 0.
        takes_apply: whether it takes a plan_and_apply.
        report: reports to the server that what ran on the slot has ended, as a part of the slot's process.
    """

    def __init__(
        self,
        env: PlatformEnvironment,
        pod: Pod,
        number: int,
        takes_apply: bool,
        report: Callable[[Slot], ProcessGenerator],
    ) -> None:
        self._env = env
        self._report = report
        self.pod = pod
        self.number = number
        self.takes_apply = takes_apply
        self.state = IDLE
        self.task: Task | None = None
        """What runs on it, or what it is reserved for."""
        self.reservation: Reservation | None = None
        self.held_since = NEVER
        """When it became reserved last. A restored reservation begins anew here, unlike in `Reservation.since`."""
        self._sent = env.event()
        self._process = env.process(self._work())

    def _work(self) -> ProcessGenerator:
        """The process of the slot: wait for work, do it, tell the server that it has ended, and wait again."""
        while True:
            try:
                task, duration = yield self._sent
                yield self._env.moment(duration, END + task.index)
                yield from self._report(self)
            except Interrupt:
                pass  # What ran here was cut off, and whoever did that has dealt with the task.

    def run(self, task: Task, duration: int) -> None:
        """Run a plan or an apply of *task* for *duration*. The slot is idle, or reserved for that task."""
        if not (self.state == IDLE or (self.state == RESERVED and self.task is task)):
            raise IllegalMoveError(f"slot {self.number} of pod {self.pod.number} is not free for task {task.index}")
        if task.applies and self.state == IDLE and not self.pod.takes(self, applies=True):
            raise IllegalMoveError(f"slot {self.number} of pod {self.pod.number} does not take task {task.index}")
        self.state, self.task, self.reservation = RUNNING, task, None
        self.pod.is_used = True
        sent, self._sent = self._sent, self._env.event()
        sent.succeed((task, duration))

    def reserve(self, reservation: Reservation, now: int) -> None:
        """Reserve the slot: either its task has just planned here, or it is idle and a reservation is restored."""
        if self.state == RESERVED or (self.state == RUNNING and self.task is not reservation.task):
            raise IllegalMoveError(f"slot {self.number} of pod {self.pod.number} cannot be reserved")
        self.state, self.task, self.reservation, self.held_since = RESERVED, reservation.task, reservation, now

    def release(self) -> None:
        """The slot is idle: what ran on it has ended, or it is reserved no more."""
        if self.state == IDLE:
            raise IllegalMoveError(f"slot {self.number} of pod {self.pod.number} is idle already")
        self.state, self.task, self.reservation = IDLE, None, None

    def cut_off(self) -> None:
        """What runs on the slot does not go on; the slot is idle."""
        self._process.interrupt()
        self.release()


class Pod:
    """A worker. While it starts, it already counts as a pod, and its slots as idle ones.

    Args:
        pool: its pool.
        number: how many pods of the pool had been made before it.
        created_at: when it was made.
    """

    def __init__(self, pool: Pool, number: int, created_at: int) -> None:
        self.pool = pool
        self.number = number
        self.created_at = created_at
        self.ready_at = NEVER
        self.slots: list[Slot] = []
        self.is_used = False
        """Whether a task has ever run on it."""
        self.draining_at = NEVER
        """When it began to drain: since then it takes nothing but an apply that is reserved on it."""
        self.is_being_lost = False
        """Whether it is just being deleted whatever it does."""
        self.is_gone = False
        self.offline_since = NEVER
        self.back_at = NEVER
        """When its agent will answer again; `NEVER` if it is silent for good, or not silent at all."""
        self.is_passed_over = False
        """Whether the server has noticed that its agent is silent."""

    @property
    def is_ready(self) -> bool:
        """Whether its agent has connected."""
        return self.ready_at != NEVER

    @property
    def is_offline(self) -> bool:
        """Whether its agent is silent."""
        return self.offline_since != NEVER

    @property
    def is_draining(self) -> bool:
        """Whether it has been told to go once it is done."""
        return self.draining_at != NEVER

    @property
    def is_idle(self) -> bool:
        """Whether all of its slots are idle."""
        return all(slot.state == IDLE for slot in self.slots)

    def has(self, *states: str) -> bool:
        """Whether one of its slots is in one of these *states*."""
        return any(slot.state in states for slot in self.slots)

    @property
    def idle_applies(self) -> int:
        """How many plan_and_applies it could still take (model.md, 1)."""
        if not self.pool.config.any_slot:
            return sum(slot.state == IDLE and slot.takes_apply for slot in self.slots)
        taken = sum(slot.task is not None and slot.task.applies for slot in self.slots)
        idle = sum(slot.state == IDLE for slot in self.slots)
        return min(idle, max(self.pool.config.apply_slots - taken, 0))

    def takes(self, slot: Slot, applies: bool) -> bool:
        """Whether its *slot* is idle and takes a task of a type: with *applies* that of a plan_and_apply."""
        return slot.state == IDLE and (not applies or (slot.takes_apply and self.idle_applies > 0))
