"""A minimum number of pods by the time of the week, whatever a policy says: office hours, nights, weekends."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from sim.policies.view import Policy, PoolView

WEEK = 7 * 86400.0


@dataclass
class Scheduled:
    """Another policy, which is shown a higher `min_pods` in some parts of the week and cannot ask for less.

    Args:
        policy: the other policy.
        minimums: parts of the week as when they begin and end, in seconds after Monday midnight, and the pods. A part
            may end in the next week.
    """

    policy: Policy
    minimums: tuple[tuple[float, float, int], ...]
    _next_change: float = inf

    def desired_pods(self, view: PoolView) -> int:
        now = (view.starts_at + view.time) % WEEK
        least = max((pods for begin, end, pods in self.minimums if _is_in(now, begin, end)), default=0)
        edges = [edge for begin, end, _ in self.minimums for edge in (begin, end)]
        self._next_change = view.time + min(((edge - now) % WEEK or WEEK for edge in edges), default=inf)
        least = max(view.min_pods, min(least, view.max_pods))
        return max(self.policy.desired_pods(view._replace(min_pods=least)), least)

    @property
    def unchanged_until(self) -> float:
        if getattr(self.policy, "stateless", False):
            return self._next_change
        return min(self._next_change, getattr(self.policy, "unchanged_until", 0.0))


def _is_in(now: float, begin: float, end: float) -> bool:
    return begin <= now < end or begin <= now + WEEK < end
