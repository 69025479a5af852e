"""Slots kept for an apply: made, expired, lost, forgotten and restored (model.md, 2.6 and 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simpy import Interrupt, Process
from simpy.events import ProcessGenerator

from sim.model.instant import EXPIRY, RESTORE, PlatformEnvironment
from sim.model.pod import IDLE, RESERVED, Reservation, Slot
from sim.model.pool import Pool
from sim.model.task import Task
from sim.runs.codes import APPLY_PENDING
from sim.runs.time import NEVER


class Reservations:
    """Makes and ends reservations, and remembers those that a restarted server does not know any more.

    A reservation ends when its apply starts (`Pool.run`), when it is too old (`_expire`), when its task is discarded or
    canceled or its pod is deleted (`Server`), or when the server forgets it (`forget`).

    Args:
        env: the simulated time.
        pools: the slots.
        on_loss: called with each task that loses its reservation.
    """

    def __init__(self, env: PlatformEnvironment, pools: Sequence[Pool], on_loss: Callable[[Task], None]) -> None:
        self._env = env
        self._pools = pools
        self._on_loss = on_loss
        self._forgotten: list[Reservation] = []
        self._restoring: Process | None = None

    def make(self, slot: Slot, task: Task) -> None:
        """The plan of *task* has ended on *slot*, which is kept for the apply."""
        reservation = Reservation(slot, task, self._env.now)
        slot.pod.pool.reserve(reservation)
        self._env.process(self._expire(reservation))

    def _expire(self, reservation: Reservation) -> ProcessGenerator:
        """The process of a reservation that lasts for its whole time."""
        yield self._env.moment(reservation.slot.pod.pool.config.reservation_ttl, EXPIRY)
        if reservation.slot.reservation is reservation:
            self.lose(reservation.slot)

    def lose(self, slot: Slot) -> None:
        """The slot is reserved no more."""
        task = slot.task
        assert task is not None
        slot.pod.pool.release(slot)
        self._on_loss(task)

    def forget(self) -> None:
        """The server has come up and knows of no reservation."""
        for pool in self._pools:
            for slot in list(pool.slots):
                if slot.state == RESERVED:
                    assert slot.reservation is not None
                    self._forgotten.append(slot.reservation)
                    task = slot.reservation.task
                    pool.forget(slot)
                    self._on_loss(task)

    def restore_after(self, delay: int) -> None:
        """Restore the forgotten reservations *delay* nanoseconds from now, or never."""
        if delay == 0:
            self._restore()
        elif delay < NEVER:
            self._restoring = self._env.process(self._restore_later(delay))

    def stop_restoring(self) -> None:
        """The server goes down again. What it has not restored yet, the next start will."""
        if self._restoring is not None and self._restoring.is_alive:
            self._restoring.interrupt()

    def _restore_later(self, delay: int) -> ProcessGenerator:
        try:
            yield self._env.moment(delay, RESTORE)
        except Interrupt:
            return
        self._restore()

    def _restore(self) -> None:
        forgotten, self._forgotten = self._forgotten, []
        for reservation in forgotten:
            slot, task = reservation.slot, reservation.task
            pool = slot.pod.pool
            is_over = reservation.since + pool.config.reservation_ttl <= self._env.now
            still_fits = not slot.pod.is_gone and slot.state == IDLE
            still_needed = task.state == APPLY_PENDING and pool.slot_of(task) is None
            if still_fits and still_needed and not is_over:
                pool.reserve(reservation)
