"""Simulated time: whole nanoseconds on a SimPy environment, and the order of events within one instant.

Times are integers so that sums and differences of them are exact: a retry that is due at the same moment as a tick
is due at *exactly* the same moment, however both were computed.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final

from simpy import Environment, Event

SECOND: Final = 1_000_000_000
"""Units of simulated time in a second."""

NEVER: Final = 2**62
"""A time that does not come: after every horizon."""

# model.md, 5: what comes first within one instant. The first six are its first line, in the order named there.
# QUEUE is the attempts of tasks that stand in a queue (`dispatch: notify`): they stood there before those that became
# eligible in this instant. SILENCE is last, because a pod is passed over *later than* its heartbeat timeout.
POD_READY: Final = 1
AGENT_ONLINE: Final = 2
SERVER_UP: Final = 3
RESERVATION: Final = 4
FAULT: Final = 5
END: Final = 6
ARRIVAL: Final = 7
QUEUE: Final = 8
ATTEMPT: Final = 9
TICK: Final = 10
SILENCE: Final = 11

_RANKS: Final = 32


def place(order: int, rank: int = 0) -> int:
    """Where in its instant an event takes place: by *order*, and among those of one order by *rank*.

    SimPy knows it as a priority. All are above SimPy's own two, so what SimPy does for itself comes before.
    """
    return order << _RANKS | rank


class Clock(Environment):
    """The SimPy environment of one run.

    SimPy's `run` asks at every event whether to stop, and its `now` is a property. This class, and `Alarm`, reach into
    SimPy for that: its queue is a heap of (time, priority, number, event), numbers come from `_eid`, and processes read
    the time from `_now`. `test_clock.py` notices when SimPy does any of that differently.
    """

    now: int = 0
    """The time in nanoseconds. An attribute, and not a property as in SimPy: it is asked for ten times an event."""

    def __init__(self) -> None:
        super().__init__(0)
        self._turn_at = 0
        self._turn = 0

    def run_to(self, horizon: int) -> None:
        """Let happen what is due before *horizon*, as SimPy's `run` and `step` do."""
        queue: list[Any] = self._queue
        while queue and queue[0][0] < horizon:
            self.now, _, _, event = heappop(queue)
            self._now = self.now
            callbacks, event.callbacks = event.callbacks, None
            for callback in callbacks:
                callback(event)
            if not event._ok:
                raise event._value
        self.now = self._now = horizon

    def instant_is_over(self) -> bool:
        """Whether nothing else is due in this instant. Then what may happen now need not be put in order first."""
        queue = self._queue
        return not queue or queue[0][0] > self.now

    def take_turn(self, at_place: int) -> None:
        """Note that *at_place*, where attempts or what comes after them belong, has had its turn in this instant."""
        if self._turn_at != self.now:
            self._turn_at = self.now
            self._turn = at_place
        elif at_place > self._turn:
            self._turn = at_place

    def turn_taken(self) -> int:
        """The furthest place in this instant that has had its turn; 0 if no attempt and nothing after them has.

        A slot can still become usable after that, if something took no time at all. It comes too late for those.
        """
        return self._turn if self._turn_at == self.now else 0


class Alarm(Event):
    """An event that is set for a time and a place in its instant, and can be set again once it has gone off.

    It calls *action* with itself; without one it wakes the process that waits for it. `subject` is for its owner: what
    the alarm is about.

    SimPy's events are made to happen once. Setting one again takes no more than giving it back its callbacks (it gave
    them away when it went off) and putting it on the queue, and saves making a new object, which is most of an event's
    cost. An event that has `_ok` and `_value` is to SimPy one that has been triggered.
    """

    callbacks: list[Callable[[Any], None]] | None  # type: ignore[assignment]

    def __init__(self, clock: Clock, action: Callable[[Any], None] | None = None, subject: Any = None) -> None:
        super().__init__(clock)
        self._ok = True
        self._value = None
        self.subject = subject
        self._action = None if action is None else [action]
        self.callbacks = self._action or []

    def set(self, at: int, at_place: int) -> Alarm:
        """Go off *at* that time, in that place of its instant. It must not be set already."""
        if self.callbacks is None:
            self.callbacks = self._action or []
        queue: list[Any] = self.env._queue
        heappush(queue, (at, at_place, next(self.env._eid), self))
        return self

    def cancel(self) -> None:
        """Do nothing when the time comes. Cannot be set again: what is scheduled stays in SimPy's queue."""
        self.callbacks = []
