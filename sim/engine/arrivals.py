"""The arrivals of a world, in order of time and a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from sim.runs.inputs import TaskInputs

ArrivalBlock: TypeAlias = tuple[
    list[int], list[int], list[bool], list[int], list[int], list[int], list[int],
    list[int], list[bool], list[int], list[bool], list[bool], list[int],
]  # fmt: skip
"""Some tasks as columns: their rows, and what stands there in the columns of `TaskInputs`."""

_BLOCK = 512
"""Tasks made at a time: fewer than would have Python's garbage collector look through them."""


def arrivals(tasks: TaskInputs, horizon: int) -> Iterator[ArrivalBlock]:
    """The *tasks* that arrive before *horizon*, block by block, in order of time, and of rows at equal times."""
    order = np.argsort(tasks.arrive, kind="stable")
    order = order[: np.searchsorted(tasks.arrive[order], horizon)]
    for start in range(0, len(order), _BLOCK):
        rows = order[start : start + _BLOCK]
        yield (
            rows.tolist(),
            tasks.arrive[rows].tolist(),
            tasks.applies[rows].tolist(),
            tasks.workspace[rows].tolist(),
            tasks.plan[rows].tolist(),
            tasks.confirm[rows].tolist(),
            tasks.apply[rows].tolist(),
            tasks.pool[rows].tolist(),
            (tasks.execution_mode[rows] != 0).tolist(),
            tasks.plan_result[rows].tolist(),
            tasks.discards[rows].tolist(),
            tasks.apply_fails[rows].tolist(),
            tasks.cancel[rows].tolist(),
        )
