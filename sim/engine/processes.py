"""SimPy's processes, living by our clock: what goes on for a while, as faults do and pods until they are ready."""

from __future__ import annotations

from simpy import Environment, Event

from sim.engine.clock import Alarm, Clock


class Processes(Environment):
    """A SimPy environment whose time and calendar are those of *clock*."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    @property
    def now(self) -> int:
        """The time in nanoseconds."""
        return self._clock.now

    def schedule(self, event: Event, priority: int = 1, delay: float = 0) -> None:
        """Have *event* happen after *delay*, among what is due then by *priority*. SimPy calls this."""
        self._clock.schedule(Alarm(_happen, event), self.now + int(delay), priority)

    def moment(self, at: int, at_place: int) -> Event:
        """An event for a process to wait for: *at* that time, in that place of its instant."""
        event = self.event()
        self._clock.schedule(Alarm(lambda _: event.succeed()), at, at_place)
        return event


def _happen(alarm: Alarm) -> None:
    """Let an event happen, as SimPy's own loop does."""
    event: Event = alarm.subject
    callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
    for callback in callbacks:
        callback(event)
    if not event.ok and not event.defused:
        assert isinstance(event.value, BaseException)
        raise event.value
