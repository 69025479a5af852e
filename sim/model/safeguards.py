"""The platform's safeguards, and when freezes are on."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Safeguards:
    """The settings of a scenario's `safeguards`; times in nanoseconds.

    `freezes` are the windows from when to when, ascending and apart from each other.
    """

    hold_while_apply_pending: bool = False
    warm_pods: int = 0
    freezes: tuple[tuple[int, int], ...] = ()
    creation_limit: int | None = None
    connect_timeout: int = 0
    replan: bool = False

    def frozen(self, now: int) -> bool:
        """Whether a freeze is on."""
        last = bisect_right(self.freezes, now, key=lambda window: window[0]) - 1
        return last >= 0 and now < self.freezes[last][1]

    def thaws_at(self, now: int) -> int:
        """When the freeze that is on ends."""
        return self.freezes[bisect_right(self.freezes, now, key=lambda window: window[0]) - 1][1]
