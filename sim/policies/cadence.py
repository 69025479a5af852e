"""When a policy that has an interval of its own looks at the pool."""

from __future__ import annotations


class Cadence:
    """Moments at least an interval apart, the first being the first it is asked about.

    The platform asks a policy at every tick of its control loop, so a policy acts at the first tick at or after the
    end of its interval: one whose interval is shorter than the platform's acts at every tick.

    Args:
        interval: seconds.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self.next = 0.0
        """When it is due next, in seconds."""

    def is_due(self, now: float) -> bool:
        """Whether to act at *now*, in seconds; from then on the next interval counts."""
        if now < self.next:
            return False
        self.next = now + self._interval
        return True
