"""Limits as people write them: `plan_wait.p95 <= 60s`."""

from __future__ import annotations

import re
from typing import Final

from pydantic_core import PydanticCustomError

from sim.experiment.choose import Constraint
from sim.scenario import InputError
from sim.scenario.errors import shown
from sim.scenario.units import parse_duration, parse_share
from sim.statistics.metric_names import SECONDS_METRICS, bare

TOLERANCE: Final = 0.05
"""How far from a limit a figure is whose side does not matter, as a part of the limit."""

LEAST_TOLERANCE: Final = 1e-6


def constraint_of(text: str) -> Constraint:
    """The limit that *text* says.

    Raises:
        InputError: it says none.
    """
    match = re.fullmatch(r"\s*([A-Za-z0-9_.-]+)\s*<=?\s*(\S+(?:\s*[smhd%])?)\s*", text)
    if match is None:
        raise InputError("", "--subject-to", f"found {shown(text)}, expected a limit such as 'plan_wait.p95 <= 60s'")
    limit = amount(match[2], match[1])
    return Constraint(match[1], limit, max(TOLERANCE * abs(limit), LEAST_TOLERANCE))


def amount(text: str, metric: str) -> float:
    """An amount of a metric: a time for waits, a share or a number for others.

    Raises:
        InputError: it is none.
    """
    try:
        if bare(metric) in SECONDS_METRICS:
            return parse_duration(float(text) if re.fullmatch(r"[0-9.]+", text) else text)
        return parse_share(text) if text.endswith("%") else float(text)
    except (ValueError, PydanticCustomError):
        problem = f"found {shown(text)}, expected an amount of {metric}, such as 60s, 5% or 100"
        raise InputError("", metric, problem) from None
