"""`fixed`: the change that was proposed (model.md, 3). A historical record, not to be improved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from sim.policies.old import Old
from sim.policies.view import PoolView

_OLD: Final = Old()


@dataclass(frozen=True)
class Fixed:
    """The proposed fix: while any slot is reserved, one pod more if an apply_pending task has no slot."""

    stateless: ClassVar[bool] = True

    def desired_pods(self, view: PoolView) -> int:
        if view.pods and view.reserved and view.slotless:
            return view.pods + 1
        return _OLD.desired_pods(view)
