"""The pools of a scenario: the pods there are and may be, and what they are like."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from sim.scenario.base import Part, refuse
from sim.scenario.distributions import Quantity
from sim.scenario.units import Duration

MOST_SLOTS: Final = 10_000_000
"""Slots that the pods of a full pool may have."""

ONLY_POOL: Final = "default"
"""What the pool of a scenario is called that has a `pool` and no `pools`."""


def _known_name(name: str) -> str:
    """*name*, refused if a metric could not be told by it: dots separate the parts of a metric's name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name, re.ASCII):
        expected = f"names of letters, digits, dashes and underscores, and not {name[:100]!r}"
        raise PydanticCustomError("pool_name", "{expected}", {"expected": expected})
    return name


PoolName = Annotated[str, AfterValidator(_known_name)]


class PoolSettings(Part):
    """The pods there are and may be, and what they are like."""

    min_pods: Annotated[int, Field(ge=0, le=100_000)] = 1
    max_pods: Annotated[int, Field(ge=0, le=100_000)] = 5
    initial_pods: Annotated[int, Field(ge=0, le=100_000)] | None = None
    slots_per_pod: Annotated[int, Field(ge=1, le=1000)] = 3
    apply_slots: Annotated[int, Field(ge=0, le=1000)] = 1
    apply_placement: Literal["first_slots", "any_slot"] = "first_slots"
    pod_startup: Quantity = 30.0
    heartbeat_timeout: Duration = 120.0
    reservation_ttl: Duration = 86400.0
    placement: Literal["first_fit", "spare_apply_slots", "most_idle", "random"] = "first_fit"
    scale_down: Literal["idle", "drain", "kill"] = "idle"
    termination_grace: Duration = 30.0
    ephemeral: bool = False
    on_pod_loss: Literal["fail", "requeue"] = "fail"

    @property
    def pods_at_start(self) -> int:
        """The pods that are ready at time 0: `initial_pods`, or else `min_pods`."""
        return self.min_pods if self.initial_pods is None else self.initial_pods

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.min_pods > self.max_pods:
            raise refuse("min_pods", f"at most max_pods ({self.max_pods})")
        if self.pods_at_start > self.max_pods:
            raise refuse("initial_pods", f"at most max_pods ({self.max_pods})")
        if self.max_pods * self.slots_per_pod > MOST_SLOTS:
            raise refuse("max_pods", f"at most {MOST_SLOTS} slots in all; with {self.slots_per_pod} in each pod "
                                     f"{MOST_SLOTS // self.slots_per_pod} pods")  # fmt: skip
        if self.apply_slots > self.slots_per_pod:
            raise refuse("apply_slots", f"at most slots_per_pod ({self.slots_per_pod})")
        if self.ephemeral and self.slots_per_pod > 1:
            raise refuse("ephemeral", "slots_per_pod: 1 beside it, as a pod goes with its task")
        return self
