"""When a policy that has an interval of its own looks at the pool."""

from __future__ import annotations

from math import floor


class Cadence:
    """Moments an interval apart, the first being the first it is asked about.

    The platform asks a policy at every tick of its control loop, so a policy acts at the first tick at or after each of
    these moments: with an interval of 12 s and ticks every 5 s it acts at 5, 20, 30, 45, 55, ... s. One whose interval
    is shorter than the platform's acts at every tick.

    Args:
        interval: seconds.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._first: float | None = None
        self.next = 0.0
        """When it is due next, in seconds."""

    def is_due(self, now: float) -> bool:
        """Whether to act at *now*, in seconds."""
        if now < self.next:
            return False
        if self._first is None:
            self._first = now
        passed = floor((now - self._first) / self._interval) + 1
        self.next = self._first + passed * self._interval
        if self.next <= now:  # A rounding error must not make it due at once again.
            self.next = self._first + (passed + 1) * self._interval
        return True
