"""`landed`: what the platform's repository has today (model.md, 3). A historical record, not to be improved."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Final, Literal

from sim.policies.view import PoolView

SLOTS_PER_POD: Final = 3
"""What the platform's code divides reserved slots by, whatever a pod has."""


@dataclass(frozen=True)
class Landed:
    """What the platform built in place of the proposal: a pod for every plan_and_apply that could start.

    `occupied` says which pods count as taken for that: those with a running or a reserved slot (`running_or_reserved`,
    v0.6.3), or only those with a running one (`running`, v0.3.5). While any task is apply_pending no pod is given back.
    Where there are no pods the code computes a cold start and then overwrites it, so the answer is `min_pods`.
    """

    stateless: ClassVar[bool] = True

    occupied: Literal["running_or_reserved", "running"] = "running_or_reserved"

    def desired_pods(self, view: PoolView) -> int:
        desired = self._before_hold(view)
        return max(desired, view.pods) if view.apply_pending else desired

    def _before_hold(self, view: PoolView) -> int:
        if view.pods == 0:
            return view.min_pods
        taken = view.running_pods if self.occupied == "running" else view.occupied_pods
        wanted = taken + view.unblocked_plan_and_apply
        if view.unblocked_plan_and_apply and wanted > view.pods:
            return wanted
        if view.reserved:
            return max(view.pods, ceil(view.reserved / SLOTS_PER_POD))
        busy = (view.running + view.reserved) / view.slots
        if busy > 0.8:
            return view.pods + 1
        if busy < 0.2 and not view.running:
            return view.pods if view.unblocked else view.pods - 1
        return view.pods
