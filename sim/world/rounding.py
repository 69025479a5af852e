"""From seconds to whole nanoseconds.

What is given (a constant, a recorded time) is rounded to a nanosecond. What is drawn is rounded to a microsecond:
processors with other vector instructions disagree about the last bit of a logarithm, and so about the nanosecond
(model.md, 6). A value is on the edge between two microseconds about once in 10**7 draws of a quarter of an hour.
"""

from __future__ import annotations

import numpy as np

from sim.runs.inputs import Times
from sim.runs.time import NEVER, SECOND
from sim.world.streams import Floats

_MICROSECOND = 1000
"""Nanoseconds in a microsecond."""


def whole_nanoseconds(seconds: float) -> int:
    """A given time or duration."""
    return round(seconds * SECOND)


def given_times(seconds: Floats) -> Times:
    """Given times or durations as nanoseconds; what is too long for the clock never comes."""
    return np.asarray(np.rint(np.minimum(seconds * SECOND, NEVER)), dtype=np.int64)


def drawn_times(seconds: Floats) -> Times:
    """Drawn times or durations as nanoseconds that are whole microseconds; what is too long never comes."""
    micros = seconds * (SECOND / _MICROSECOND)
    is_too_long = micros >= NEVER // _MICROSECOND
    return np.where(is_too_long, NEVER, np.rint(np.where(is_too_long, 0.0, micros)).astype(np.int64) * _MICROSECOND)
