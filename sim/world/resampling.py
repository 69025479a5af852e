"""Worlds made of a recording: blocks of it, put one after another (a moving-block bootstrap).

What arrived together stays together: the tasks of a block keep their distances, workspaces and endings. A block keeps
its time of day if it is a day long or a multiple of that, and its weekday if it is a week long or a multiple.
Method: Künsch (1989), "The jackknife and the bootstrap for general stationary observations".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.world.streams import Stream

DAY, WEEK = 86400.0, 7 * 86400.0


def resampled(
    columns: dict[str, NDArray[Any]], block: float, horizon: float, stream: Stream
) -> dict[str, NDArray[Any]]:
    """The columns of a recording as another world could have had them, up to the *horizon*.

    Args:
        columns: of the recording, in order of arrival, in seconds.
        block: how long a block is, in seconds; not longer than the recording.
        horizon: seconds.
        stream: says which block comes next.
    """
    arrive = columns["arrive"]
    last = float(arrive[-1])
    places = np.arange(0.0, horizon, block)
    begins = np.array([_start(stream.next(), last, block) for _ in places])
    first, after = np.searchsorted(arrive, begins), np.searchsorted(arrive, begins + block)
    rows = np.concatenate([np.arange(a, b) for a, b in zip(first, after, strict=True)])
    moved = np.repeat(places - begins, after - first)
    found = {name: column[rows] for name, column in columns.items() if name != "id"}
    found["arrive"] = np.round(arrive[rows] + moved, 6)
    return {name: column[found["arrive"] < horizon] for name, column in found.items()}


def _start(u: float, last: float, block: float) -> float:
    """Where a block begins that the uniform number *u* chooses, in a recording whose last arrival is at *last*."""
    step = next((unit for unit in (WEEK, DAY) if block % unit == 0), None)
    if step is None:
        return u * max(last - block, 0.0)
    choices = max(int((last - block) // step) + 1, 1)
    return step * int(u * choices)
