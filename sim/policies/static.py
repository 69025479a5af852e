"""`static`: no autoscaling at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from sim.policies.view import PoolView


@dataclass(frozen=True)
class Static:
    """Always the same number of pods: `pods`, or the pool's `initial_pods`."""

    stateless: ClassVar[bool] = True

    pods: Annotated[int, Field(ge=0)] | None = None

    def desired_pods(self, view: PoolView) -> int:
        return view.initial_pods if self.pods is None else self.pods
