"""What the platform does around the policy's answer, and what goes wrong when it makes pods. All of it is off unless
asked for: model.md knows none of it.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from sim.scenario.base import Part, refuse
from sim.scenario.distributions import Quantity
from sim.scenario.units import Duration, Period, Share, positive
from sim.scenario.weekly import Weekly


class Freeze(Part):
    """For a while pods without a task go and none is made: from `at` on, for `duration`, and again and again if there
    is an `every`; or in a part of each week.
    """

    at: Duration | None = None
    duration: Annotated[Duration, AfterValidator(positive)] | None = None
    every: Period | None = None
    weekly: Weekly | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.weekly is not None:
            for field in ("at", "duration", "every"):
                if getattr(self, field) is not None:
                    raise refuse(field, f"no {field}, as there is a weekly")
            return self
        for field in ("at", "duration"):
            if getattr(self, field) is None:
                raise refuse(field, "at and duration, or a weekly in their place")
        if self.every is not None and self.duration is not None and self.duration >= self.every:
            raise refuse("duration", f"less than every ({self.every:g} s)")
        return self

    def windows(self, offset: float, horizon: float) -> list[tuple[float, float]]:
        """When it begins and ends, in seconds, as often as it begins before *horizon*.

        Time 0 is *offset* seconds after Monday midnight.
        """
        if self.weekly is not None:
            return self.weekly.windows(offset, horizon)
        at, duration = self.at or 0.0, self.duration or 0.0
        if self.every is None:
            return [(at, at + duration)] if at < horizon else []
        starts = (at + n * self.every for n in range(int(horizon / self.every) + 1))
        return [(start, start + duration) for start in starts if start < horizon]


class SafeguardSettings(Part):
    """The platform's safeguards, and the troubles that they are for.

    `hold_while_apply_pending`: no pod is given back while any task is `apply_pending`. `warm_pods`: as many pods more
    than are in use. `creation_limit`: so many new pods at one tick, at most. `creation_failure`: how often the making
    of a pod fails; the next tick tries again. `connect_failure`: how often a pod never connects; it is deleted after
    `connect_timeout` and replaced after 1, 2, 4, 8 and 10 minutes, and then no more. `lost_reservation`: whether a
    confirmed task that has lost its slot applies wherever it can, or plans again and is confirmed again. `reinit`: how
    much longer an apply takes on another pod than that of the plan.
    """

    hold_while_apply_pending: bool = False
    warm_pods: Annotated[int, Field(ge=0, le=100_000)] = 0
    freezes: Annotated[tuple[Freeze, ...], Field(strict=False)] = ()
    creation_limit: Annotated[int, Field(ge=1, le=100_000)] | None = None
    creation_failure: Annotated[Share, Field(lt=1)] = 0.0
    connect_failure: Annotated[Share, Field(lt=1)] = 0.0
    connect_timeout: Duration = 120.0
    lost_reservation: Literal["apply", "replan"] = "apply"
    reinit: Quantity = 0.0
