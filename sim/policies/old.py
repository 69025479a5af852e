"""`old`: what the platform did before the fix (model.md, 3). A historical record, not to be improved."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from sim.policies.view import PoolView


@dataclass(frozen=True)
class Old:
    """The behaviour before the fix: while any slot is reserved, keep the number of pods."""

    stateless: ClassVar[bool] = True

    def desired_pods(self, view: PoolView) -> int:
        if view.pods == 0:
            return max(view.min_pods, 1) if view.pending else view.min_pods
        if view.reserved:
            return max(view.pods, ceil(view.reserved / view.slots_per_pod))
        busy = (view.running + view.reserved) / view.slots
        if busy > 0.8:
            return view.pods + 1
        if busy < 0.2 and not view.running:
            return view.pods - 1
        return view.pods
