"""What becomes of a policy's answer: the bounds, and the platform's safeguards."""

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

    def wanted(
        self, desired: int, bounds: tuple[int, int], pods: int, in_use: int, apply_pending: int, now: int
    ) -> int:
        """How many pods there are to be, when the policy wants *desired*.

        Args:
            desired: the policy's answer.
            bounds: the pool's `min_pods` and `max_pods`.
            pods: how many there are.
            in_use: how many of them have a running or a reserved slot.
            apply_pending: tasks in that state.
            now: the time.
        """
        if self.freezes and self.frozen(now):
            return 0  # which only those go for that are not in use
        least, most = bounds
        wanted = max(desired, in_use + self.warm_pods) if self.warm_pods else desired
        if self.hold_while_apply_pending and apply_pending:
            wanted = max(wanted, pods)
        return min(max(wanted, least), most)
