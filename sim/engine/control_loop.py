"""The control loop: its grid, and which of its ticks can be left out (model.md, 3)."""

from __future__ import annotations

from collections.abc import Sequence

from sim.engine.autoscaler import EngineAutoscaler
from sim.engine.clock import FAULT, TICK, Alarm, Clock
from sim.engine.server import EngineServer
from sim.runs.settings import PlatformSettings


class ControlLoop:
    """Has the autoscalers of all pools tick, pool by pool, whenever that matters.

    A policy without memory gives the same answer until something changes, and if that answer changed nothing it
    changes nothing again. So after such a tick the loop sleeps until something else happens, whatever it is, and then
    ticks at the next point of its grid. With a policy that has memory it sleeps no longer than the policy says that its
    answer is unchanged.

    Args:
        clock: the time.
        settings: the interval.
        server: whether it is down, and since when it is not.
        autoscalers: that of each pool.
    """

    def __init__(
        self, clock: Clock, settings: PlatformSettings, server: EngineServer, autoscalers: Sequence[EngineAutoscaler]
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._interval = settings.autoscaler_interval
        self._server = server
        self._autoscalers = autoscalers
        self._alarm = Alarm(self._due)

    def begin(self) -> None:
        """Have the loop tick from now on, and look again whenever a freeze begins or ends."""
        self._next_tick(0)
        for window in self._settings.safeguards.freezes:
            for edge in window:
                self._clock.schedule(Alarm(lambda _: None), edge, FAULT)

    def _next_tick(self, earliest: int) -> None:
        """Tick at the first point of the grid that is to come and not before *earliest*."""
        earliest = max(earliest, self._clock.now + 1)
        self._clock.schedule(self._alarm, earliest + (self._server.up_since - earliest) % self._interval, TICK)

    def _due(self, _: Alarm) -> None:
        clock, server = self._clock, self._server
        past = clock.now - server.up_since
        if server.is_down:
            # The grid begins when it comes up.
            clock.schedule(self._alarm, server.back_at + self._interval, TICK)
        elif past == 0 or past % self._interval:
            self._next_tick(0)  # was set before a restart, and the grid is another one now
        else:
            clock.mark_priority_reached(TICK)
            is_settled = True
            for autoscaler in self._autoscalers:
                if not autoscaler.tick():
                    is_settled = False
            earliest = self._asleep_until() if is_settled else 0
            self._next_tick(earliest)

    def _asleep_until(self) -> int:
        """After a tick that changed nothing: until when no other tick does."""
        earliest = self._clock.next_at()
        for autoscaler in self._autoscalers:
            earliest = min(earliest, autoscaler.unchanged_until())
        return earliest
