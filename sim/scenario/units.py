"""Durations and rates as a scenario file writes them.

In a scenario they are floats: seconds, and events per second.
"""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_NUMBER = r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?"
_DURATION = re.compile(rf"({_NUMBER})\s*([smhd])", re.ASCII)
_RATE = re.compile(rf"({_NUMBER})\s*/\s*([smhd])", re.ASCII)

LONGEST = 100 * 365 * 86400.0
"""Longest duration in seconds that a scenario may ask for: a hundred years."""

SLOWEST, FASTEST = 1e-12, 1e9
"""Lowest and highest rate in events per second; the lowest is less than one in ten thousand years."""


def _number(value: object) -> float | None:
    """*value* as a float if it is a finite number that is not a bool."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def parse_duration(value: object) -> float:
    """Seconds from a number of seconds or a text such as ``90s``, ``10m``, ``2h``, ``1d``.

    Raises:
        PydanticCustomError: it is neither, is negative, or is longer than `LONGEST`.
    """
    seconds = _number(value)
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        seconds = float(match[1]) * SECONDS[match[2]]
    if seconds is None or seconds < 0:
        raise PydanticCustomError("duration", "a duration of at least 0, such as 90 (seconds), 30s, 10m, 2h or 1d")
    if seconds > LONGEST:
        raise PydanticCustomError("duration_longest", "a duration of at most 36500d, which is a hundred years")
    return seconds


def seconds_of(time: str) -> float:
    """Seconds since midnight of a time of day such as ``08:30``."""
    hours, minutes = time.split(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0


def known_time(time: str) -> str:
    """*time*, refused unless it is a time of day."""
    if not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", time, re.ASCII):
        raise PydanticCustomError("time", "a time of day such as '08:30'")
    return time


def parse_rate(value: object) -> float:
    """Events per second from a text such as ``20/h``.

    Raises:
        PydanticCustomError: it is not such a text, or the rate is not above 0.
    """
    match = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    rate = float(match[1]) / SECONDS[match[2]] if match else 0.0
    if not SLOWEST <= rate <= FASTEST:
        raise PydanticCustomError("rate", "a rate above 0: a number per s, m, h or d, such as 20/h")
    return rate


def _number_or_percentage(value: object) -> float | None:
    """A number as it is, or a text such as ``5%`` as 0.05; None if it is neither."""
    if isinstance(value, str) and (match := re.fullmatch(rf"({_NUMBER})\s*%", value.strip(), re.ASCII)):
        return float(match[1]) / 100
    return _number(value)


def parse_share(value: object) -> float:
    """A fraction from a number from 0 to 1 or a percentage such as ``5%``.

    Raises:
        PydanticCustomError: it is neither.
    """
    share = _number_or_percentage(value)
    if share is None or not 0 <= share <= 1:
        raise PydanticCustomError("share", "a share from 0 to 1, or a percentage such as 5%")
    return share


def parse_ratio(value: object) -> float:
    """A ratio from a number of at least 0 or a percentage such as ``150%``.

    Raises:
        PydanticCustomError: it is neither.
    """
    ratio = _number_or_percentage(value)
    if ratio is None or not 0 <= ratio <= 1e9:
        raise PydanticCustomError("ratio", "a number of at least 0, or a percentage such as 150%")
    return ratio


def positive(seconds: float) -> float:
    """*seconds*, refused below a millisecond: the period of something that repeats, or a horizon."""
    if seconds < 0.001:
        raise PydanticCustomError("duration_positive", "a duration of at least 0.001 s, such as 30s")
    return seconds


_DURATION_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": rf"^\s*({_NUMBER})\s*[smhd]\s*$"},
    ],
    "description": "seconds, or a number with a unit: 30s, 10m, 2h, 1d",
}

Duration = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
"""Seconds, at least 0."""

Period = Annotated[Duration, BeforeValidator(lambda value: positive(parse_duration(value)))]
"""Seconds, above 0."""

Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    PlainSerializer(lambda rate: f"{rate!r}/s", return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^\s*({_NUMBER})\s*/\s*[smhd]\s*$", "description": "such as 20/h"}),
]
"""Events per second, above 0."""

Ratio = Annotated[float, BeforeValidator(parse_ratio)]
"""A factor of at least 0, which may be above 1."""

Share = Annotated[
    float,
    BeforeValidator(parse_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": rf"^\s*({_NUMBER})\s*%\s*$"},
            ],
            "description": "from 0 to 1, or a percentage: 5%",
        }
    ),
]
"""A fraction from 0 to 1: a probability, a level of confidence."""
