"""How the platform of a run is set up. Times are whole nanoseconds (see `sim.runs.time`)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sim.runs.time import NEVER

Placement: TypeAlias = Literal["first_fit", "spare_apply_slots", "most_idle", "random"]
ScaleDown: TypeAlias = Literal["idle", "drain", "kill"]


@dataclass(frozen=True, slots=True)
class Safeguards:
    """The settings of a scenario's `safeguards`.

    `freezes` are the windows as pairs of when each begins and ends, in ascending order and without overlaps.
    """

    hold_while_apply_pending: bool = False
    warm_pods: int = 0
    freezes: tuple[tuple[int, int], ...] = ()
    creation_limit: int | None = None
    connect_timeout: int = 0
    replan: bool = False

    def frozen(self, now: int) -> bool:
        """Whether a freeze is on at the time *now*."""
        last = bisect_right(self.freezes, now, key=lambda window: window[0]) - 1
        return last >= 0 and now < self.freezes[last][1]

    def thaws_at(self, now: int) -> int:
        """When the freeze that is on at the time *now* ends."""
        return self.freezes[bisect_right(self.freezes, now, key=lambda window: window[0]) - 1][1]


_NO_SAFEGUARDS = Safeguards()


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """One pool of a scenario."""

    name: str
    min_pods: int
    max_pods: int
    initial_pods: int
    slots_per_pod: int
    apply_slots: int
    heartbeat_timeout: int
    reservation_ttl: int
    placement: Placement = "first_fit"
    any_slot: bool = False
    """Whether every slot takes a plan_and_apply, of which a pod takes `apply_slots` at a time."""
    scale_down: ScaleDown = "idle"
    termination_grace: int = NEVER
    ephemeral: bool = False
    requeue: bool = False
    """Whether a task whose pod is lost while it plans is pending again."""


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """The pools, `control` and `safeguards` of a scenario, and its horizon."""

    horizon: int
    pools: tuple[PoolConfig, ...]
    autoscaler_interval: int
    notify: bool
    dispatch_retry: int
    applies_first: bool = False
    locks_all: bool = False
    """Whether a pending task waits for all earlier tasks of its workspace, and not only for plan_and_applies."""
    task_timeout: int = NEVER
    view_delay: int = 0
    starts_at: float = 0.0
    """How many seconds after Monday midnight time 0 is."""
    quota: int = NEVER
    """Pods that there may be in all pools together."""
    safeguards: Safeguards = _NO_SAFEGUARDS
