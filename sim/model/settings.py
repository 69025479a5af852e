"""What the model is told: the platform's settings, and the world that every policy of a replication meets.

Times are whole nanoseconds (see `sim.model.clock`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from sim.model.safeguards import Safeguards
from sim.model.workload import Workload

_NO_SAFEGUARDS = Safeguards()


@dataclass(frozen=True, slots=True)
class Settings:
    """How the platform is set up: `pool` and `control` of a scenario."""

    horizon: int
    min_pods: int
    max_pods: int
    initial_pods: int
    slots_per_pod: int
    apply_slots: int
    heartbeat_timeout: int
    reservation_ttl: int
    spare_apply_slots: bool
    autoscaler_interval: int
    notify: bool
    dispatch_retry: int
    safeguards: Safeguards = _NO_SAFEGUARDS


@dataclass(frozen=True, slots=True)
class PodDeletion:
    """Delete the pod that `target` means. `chance`, from 0 to 1, decides which, where the target is `random`."""

    at: int
    target: int | str
    chance: float


@dataclass(frozen=True, slots=True)
class PodOffline:
    """Silence the agent of the pod that `target` means for `duration`, which may be `NEVER`: for good."""

    at: int
    target: int | str
    chance: float
    duration: int


@dataclass(frozen=True, slots=True)
class ServerRestart:
    """Stop the server for `downtime`. `reconcile_after` may be `NEVER`."""

    at: int
    downtime: int
    reconcile_after: int
    running_tasks: Literal["survive", "fail"]


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """Have every pod there is rebuilt, as soon as its slots are all idle."""

    at: int


Strike = PodDeletion | PodOffline | ServerRestart | ConfigChange


def _never(number: int) -> bool:
    return False


def _nothing(number: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that is random in one replication, drawn before any policy runs.

    `workload` has the tasks. `faults` has, for each fault of the scenario in its order, when and how it strikes.
    `startup` gives the start-up time of the n-th pod, `never_connects` whether that never connects, `creation_fails`
    whether the n-th attempt to make a pod fails, and `reinit` how much longer the apply of the n-th task takes on
    another pod than that of its plan.
    """

    workload: Workload
    faults: Sequence[Sequence[Strike]]
    startup: Callable[[int], int]
    never_connects: Callable[[int], bool] = _never
    creation_fails: Callable[[int], bool] = _never
    reinit: Callable[[int], int] = _nothing
