"""Simulated time: whole nanoseconds.

Times are integers so that sums and differences of them are exact: a retry and a tick that are due at the same moment
are due at *exactly* the same moment, however each of them was computed.
"""

from __future__ import annotations

from typing import Final

SECOND: Final = 1_000_000_000
"""Nanoseconds in a second."""

NEVER: Final = 2**62 - 512
"""A time after every horizon, in nanoseconds. It is the largest such number that a float holds exactly, too."""


def in_seconds(time: int) -> float:
    """A time in seconds, as policies and people are told it.

    It divides floats, as NumPy does. Python divides whole numbers beyond 2**53 more exactly than compiled code.
    """
    return float(time) / 1e9
