"""The columns that a trace may have."""

from __future__ import annotations

from typing import Final, get_args

from sim.scenario.workload import ApplyResult, Decision, ExecutionMode, PlanResult, TaskType

TIMES: Final = ("arrive", "plan", "confirm", "apply", "cancel")
"""Times in seconds: the arrival since time 0, the others as durations (`cancel` counts from the arrival)."""

CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "type": get_args(TaskType),
    "execution_mode": get_args(ExecutionMode),
    "plan_result": get_args(PlanResult),
    "decision": get_args(Decision),
    "apply_result": get_args(ApplyResult),
}
"""Columns whose cells are one of a few words."""

COLUMNS: Final = ("id", "workspace", "pool", *CHOICES, *TIMES)
"""The columns of a listed task: what is simulated."""

RECORDED: Final = (
    "recorded_plan_started",
    "recorded_plan_ended",
    "recorded_confirmed",
    "recorded_apply_started",
    "recorded_apply_ended",
    "recorded_ended",
)
"""When things really happened, in seconds since time 0. The simulation does not look at them; `sim calibrate` does."""

UNITS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("us", "microsecond", "microseconds"), 0.000001),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
"""Seconds per unit, by the names that people give units."""
