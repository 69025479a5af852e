"""How many tasks there are of which kind, as the autoscaler sees them (model.md, 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.engine.entities import EngineTask


class TaskCounts:
    """The tasks of one pool; those that run elsewhere have counts of their own."""

    __slots__ = (
        "apply_pending",
        "eligible_plan",
        "eligible_plan_and_apply",
        "pending",
        "slotless",
        "slotless_confirmed",
        "unblocked",
        "unblocked_plan_and_apply",
    )

    def __init__(self) -> None:
        self.pending = 0
        """Tasks in state pending, eligible or not."""
        self.eligible_plan = 0
        """Pending plans that no other task of their workspace is in the way of."""
        self.eligible_plan_and_apply = 0
        """Pending plan_and_applies, likewise."""
        self.unblocked = 0
        """Pending tasks before which no task of their workspace, of either type, is short of a final state."""
        self.unblocked_plan_and_apply = 0
        self.apply_pending = 0
        self.slotless = 0
        """Tasks that are apply_pending and for which no slot is reserved."""
        self.slotless_confirmed = 0
        """Those of them whose human has confirmed."""

    def make_eligible(self, task: EngineTask, more: int) -> None:
        if task.applies:
            self.eligible_plan_and_apply += more
        else:
            self.eligible_plan += more

    def unblock(self, task: EngineTask, more: int) -> None:
        self.unblocked += more
        if task.applies:
            self.unblocked_plan_and_apply += more
