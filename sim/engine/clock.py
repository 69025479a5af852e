"""The calendar of a run, and the order of events within one instant (model.md, 5)."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final

from sim.runs.time import NEVER

# model.md, 5: what comes first within one instant. The first six are its first line, in the order named there.
# QUEUE is the attempts of tasks that stand in a queue (`dispatch: notify`): they stood there before those that became
# eligible in this instant. SILENCE is last, because a pod is passed over *later than* its heartbeat timeout.
# Where an event takes place in its instant is one of these, and among those of one kind a number to add: of the task or
# the pod. To ARRIVAL twice that of the task is added, and 1 more for a cancellation. It is what SimPy calls a priority;
# SimPy's own two, 0 and 1, come before all of them.
POD_READY: Final = 1 << 32
AGENT_ONLINE: Final = 2 << 32
SERVER_UP: Final = 3 << 32
EXPIRY: Final = 4 << 32
RESTORE: Final = (4 << 32) + 1
FAULT: Final = 5 << 32
END: Final = 6 << 32
ARRIVAL: Final = 8 << 32
QUEUE: Final = 9 << 32
ATTEMPT: Final = 10 << 32
TICK: Final = 11 << 32
SILENCE: Final = 12 << 32


class Clock:
    """The time of one run, and the calendar of what is to happen in it.

    What goes on for a while is a SimPy process (see `sim.engine.processes`). What happens to every task is an `Alarm`,
    which calls a function and can be scheduled again: SimPy's events are made to happen once, and its loop asks at each
    of them whether to stop. Both stand in the same calendar.
    """

    def __init__(self) -> None:
        self.now = 0
        """The time in nanoseconds."""
        self.after_event: Callable[[], None] | None = None
        """Called after each event, while it is not None."""
        self._calendar: list[tuple[Any, ...]] = []
        """A heap of events: the time, the place in the instant, a serial number, and the alarm."""
        self._number = 0
        self._series: Callable[[], None] = _nothing
        self._series_at = NEVER
        self._series_place = 0
        self._turn_at = 0
        self._turn = 0

    def run_to(self, horizon: int) -> None:
        """Run the events that are due before *horizon*, one after the other."""
        calendar = self._calendar
        stop = Alarm(_nothing)
        self.schedule(stop, horizon, -1)
        while True:
            due = calendar[0]
            at: int = due[0]
            if at < self._series_at or (at == self._series_at and due[1] < self._series_place):
                heappop(calendar)
                self.now = at
                alarm: Alarm = due[3]
                if alarm is stop:
                    return
                alarm.action(alarm)
            else:
                self.now = self._series_at
                self._series_at = NEVER
                self._series()
            if self.after_event is not None:
                self.after_event()

    def set_arrivals(self, series: Callable[[], None]) -> None:
        """Call *series* at each of its moments, of which it says the next with `expect`.

        They come in order, so they need no place in the heap.
        """
        self._series = series

    def expect(self, at: int, at_place: int) -> None:
        """The next moment of the series is *at* that time, in that place of its instant."""
        self._series_at = at
        self._series_place = at_place

    def schedule(self, alarm: Alarm, at: int, at_place: int) -> None:
        """Have *alarm* go off *at* that time, in that place of its instant. It must not be scheduled yet."""
        self._number = number = self._number + 1
        heappush(self._calendar, (at, at_place, number, alarm))

    def next_at(self) -> int:
        """When the next event is due."""
        next_at: int = self._calendar[0][0]
        return next_at if next_at < self._series_at else self._series_at

    def instant_is_over(self) -> bool:
        """Whether no other event is due in this instant. If so, what is to happen now can happen at once."""
        next_at: int = self._calendar[0][0]
        return next_at > self.now and self._series_at > self.now

    def mark_priority_reached(self, at_place: int) -> int:
        """Record that the priority *at_place*, that of an attempt or later, has been reached at the current time.

        Returns:
            The time.
        """
        now = self.now
        if self._turn_at != now:
            self._turn_at = now
            self._turn = at_place
        elif at_place > self._turn:
            self._turn = at_place
        return now

    def priority_reached(self) -> int:
        """The latest priority that has been reached at the current time; 0 if no attempt has been made in it yet.

        A slot can still become usable after that, if something took no time at all. It is then too late for the
        attempts that have been made.
        """
        return self._turn if self._turn_at == self.now else 0


class Alarm:
    """Calls *action*, with itself, when its time comes. It can be scheduled again once it has gone off.

    `subject` is for its owner: what the alarm is about.
    """

    __slots__ = ("action", "subject")

    def __init__(self, action: Callable[[Alarm], object], subject: Any = None) -> None:
        self.action = action
        self.subject = subject

    def cancel(self) -> None:
        """Do nothing when the time comes. Cannot be scheduled again: it still stands in the calendar."""
        self.action = _nothing


def _nothing(*_: Alarm) -> None:
    pass
