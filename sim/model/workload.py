"""The tasks that a world brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Times: TypeAlias = NDArray[np.int64]

Arrivals: TypeAlias = tuple[list[int], list[int], list[bool], list[int], list[int], list[int], list[int]]
"""Some tasks as columns: their rows, and what stands there in the columns of `Workload`."""

_BLOCK = 512
"""Tasks made at a time: fewer than would have Python's garbage collector look through them."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The tasks of one replication as columns, one row per task. `confirm` is `NEVER` where the human never confirms.

    Rows are in the order in which the tasks are listed; generated and recorded ones are in order of arrival.
    """

    arrive: Times
    applies: NDArray[np.bool_]
    workspace: Times
    plan: Times
    confirm: Times
    apply: Times

    def __len__(self) -> int:
        return len(self.arrive)

    def arrivals(self, horizon: int) -> Iterator[Arrivals]:
        """The tasks that arrive before *horizon*, block by block, in order of time, and of rows at equal times."""
        order = np.argsort(self.arrive, kind="stable")
        order = order[: np.searchsorted(self.arrive[order], horizon)]
        for start in range(0, len(order), _BLOCK):
            rows = order[start : start + _BLOCK]
            yield (
                rows.tolist(),
                self.arrive[rows].tolist(),
                self.applies[rows].tolist(),
                self.workspace[rows].tolist(),
                self.plan[rows].tolist(),
                self.confirm[rows].tolist(),
                self.apply[rows].tolist(),
            )
