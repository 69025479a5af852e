"""Parts of the week: from a time of day to another, on some weekdays."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from sim.scenario.base import Part, not_empty, refuse
from sim.scenario.units import known_time, seconds_of

DAY = 86400.0
WEEK = 7 * DAY
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
TimeOfDay = Annotated[str, AfterValidator(known_time)]


class Weekly(Part):
    """From `begin` to `end` on each of the `weekdays` (all if none are given). An `end` that is not after `begin` is on
    the next day.
    """

    weekdays: Annotated[tuple[Weekday, ...], Field(strict=False), AfterValidator(not_empty)] = WEEKDAYS
    begin: TimeOfDay = "00:00"
    end: TimeOfDay = "00:00"

    @model_validator(mode="after")
    def _no_day_twice(self) -> Self:
        if len(set(self.weekdays)) < len(self.weekdays):
            raise refuse("weekdays", "each day once")
        return self

    def spans(self) -> list[tuple[float, float]]:
        """When it begins and ends, in seconds after Monday midnight. The last one may end in the next week."""
        begin, end = seconds_of(self.begin), seconds_of(self.end)
        length = end - begin if end > begin else end - begin + DAY
        starts = [WEEKDAYS.index(day) * DAY + begin for day in self.weekdays]
        return sorted((start, start + length) for start in starts)

    def windows(self, offset: float, horizon: float) -> list[tuple[float, float]]:
        """When it begins and ends in a simulation up to *horizon* whose time 0 is *offset* after Monday midnight."""
        weeks = range(-1, int((offset + horizon) // WEEK) + 1)
        found = [
            (week * WEEK + begin - offset, week * WEEK + end - offset) for week in weeks for begin, end in self.spans()
        ]
        return [(max(begin, 0.0), end) for begin, end in found if end > 0 and begin < horizon]


class ScheduledMinimum(Weekly):
    """At least so many pods in a part of the week."""

    min_pods: Annotated[int, Field(ge=0, le=100_000)]
