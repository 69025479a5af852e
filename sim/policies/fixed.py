"""`fixed`: the change that was proposed (model.md, 3). A historical record, not to be improved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from sim.policies.old import Old
from sim.policies.view import PoolView

_OLD: Final = Old()


@dataclass(frozen=True)
class Fixed:
    """The proposed fix: while any slot is reserved, one pod more if an apply_pending task has no slot.

    With `execution_mode_filter: false` it is the proposal's first draft, which does not ask where a task runs: one that
    never uses the pool's pods and is apply_pending has no slot either, and counts.
    """

    stateless: ClassVar[bool] = True

    execution_mode_filter: bool = True

    def desired_pods(self, view: PoolView) -> int:
        slotless = view.slotless if self.execution_mode_filter else view.slotless + view.apply_pending_elsewhere
        if view.pods and view.reserved and slotless:
            return view.pods + 1
        return _OLD.desired_pods(view)
