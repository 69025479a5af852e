"""What comes first within one instant (model.md, 5).

SimPy orders the events of one instant by a priority. Here an event can have a *place* in its instant, and that is its
priority. SimPy's own priorities are 0 and 1, so events without a place (a process that starts, an interrupt, a plain
time-out) come before all events that have one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import simpy
from simpy.events import NORMAL, Event, EventPriority

# The places, in order. They are far enough apart for a number to be added, by which events of one kind are ordered:
# that of the pod to POD_READY, AGENT_ONLINE, GRACE and SILENCE, that of the task to END and ATTEMPT, and that of the
# fault in the scenario file to FAULT. What comes to a task from outside has `arrival_place` and `cancel_place`.
POD_READY: Final = 1 << 32
AGENT_ONLINE: Final = 2 << 32
SERVER_UP: Final = 3 << 32
EXPIRY: Final = 4 << 32
RESTORE: Final = EXPIRY + 1
FAULT: Final = 5 << 32
END: Final = 6 << 32
GRACE: Final = 7 << 32
ARRIVAL: Final = 8 << 32
QUEUE: Final = 9 << 32  # Tasks already queued precede those becoming eligible this instant (dispatch: notify).
ATTEMPT: Final = 10 << 32
TICK: Final = 11 << 32
SILENCE: Final = 12 << 32  # An attempt exactly at the heartbeat timeout still chooses the silent pod.


def arrival_place(task: int) -> int:
    """The place of the arrival, and of each decision of the human, of the task with that index."""
    return ARRIVAL + 2 * task


def cancel_place(task: int) -> int:
    """The place of the cancellation of the task with that index: just after its human's decision."""
    return ARRIVAL + 2 * task + 1


class Moment(simpy.Timeout):
    """A time-out that has a place in the instant in which it ends."""

    def __init__(self, env: simpy.Environment, delay: int, place: int) -> None:
        self.place = place
        super().__init__(env, delay)


class PlatformEnvironment(simpy.Environment):
    """A SimPy environment whose time is whole nanoseconds and whose instants are in order.

    Args:
        before_time_passes: called with the next time, just before the clock moves on to it.
    """

    def __init__(self, before_time_passes: Callable[[int], None]) -> None:
        super().__init__()
        self._before_time_passes = before_time_passes

    @property
    def now(self) -> int:
        """The time in nanoseconds."""
        return int(super().now)

    def moment(self, delay: int, place: int) -> Moment:
        """An event to wait for, *delay* nanoseconds from now, at this place of its instant."""
        return Moment(self, delay, place)

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: float = 0) -> None:
        """Schedule an event as SimPy does, by its place if it has one, after a whole number of nanoseconds."""
        super().schedule(event, getattr(event, "place", priority), int(delay))

    def step(self) -> None:
        """Process the next event as SimPy does. If the clock will move, call `before_time_passes` first."""
        upcoming = int(self.peek())
        if upcoming > self.now:
            self._before_time_passes(upcoming)
        super().step()
