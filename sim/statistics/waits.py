"""Figures from waits of which some are only known to be longer than something (model.md, 7).

A task that still waits at the horizon has waited at least until then. Its final wait is not known, and nothing can be
assumed about it: tasks that starve are cut off by the very thing that makes them wait. So a figure is computed from the
waits so far, and is called a lower bound where the final waits could make it larger. They cannot make it smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure; `lower_bound` if all that is known is that the truth is at least that. `value` is None without data."""

    value: float | None
    lower_bound: bool = False


class Waits:
    """The waits of some tasks.

    Args:
        wait: seconds waited so far, one per task.
        censored: whether the task still waited at the end of that.
    """

    def __init__(self, wait: Floats, censored: NDArray[np.bool_]) -> None:
        self._sorted = np.sort(wait)
        self._over = np.sort(wait[~censored])
        """The waits that are over."""

    def quantile(self, p: float) -> Estimate:
        """The shortest wait that at least the share *p* of the tasks did not exceed.

        It is exact if so many tasks whose wait is over did not exceed it: then it does not matter how much longer the
        others wait.
        """
        if not len(self._sorted):
            return Estimate(None)
        # How many tasks the share is; a rounding error must not push a quantile to the next task.
        needed = max(ceil(p * len(self._sorted) - 1e-9), 1)
        value = float(self._sorted[needed - 1])
        return Estimate(value, lower_bound=bool(np.searchsorted(self._over, value, side="right") < needed))

    def mean(self) -> Estimate:
        """The mean of the waits so far."""
        if not len(self._sorted):
            return Estimate(None)
        return Estimate(float(np.mean(self._sorted)), lower_bound=self._any_censored)

    def maximum(self) -> Estimate:
        """The longest wait."""
        if not len(self._sorted):
            return Estimate(None)
        return Estimate(float(self._sorted[-1]), lower_bound=self._any_censored)

    def share_within(self, limit: float) -> Estimate:
        """The share of the tasks that waited no longer than *limit* seconds.

        A task that still waits does not count among them. It may yet, if it has not waited so long: then the share is a
        lower bound.
        """
        if not len(self._sorted):
            return Estimate(None)
        over, so_far = (int(np.searchsorted(waits, limit, side="right")) for waits in (self._over, self._sorted))
        return Estimate(over / len(self._sorted), lower_bound=so_far > over)

    @property
    def _any_censored(self) -> bool:
        return len(self._over) < len(self._sorted)
