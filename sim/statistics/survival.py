"""Waits of which some are only known to be longer than something: the Kaplan-Meier estimate (model.md, 7).

Kaplan, E. L. and Meier, P. (1958), "Nonparametric estimation from incomplete observations", JASA 53. The estimate
itself is `scipy.stats.ecdf`; here are the figures read off it, and when one of them is only a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure; `lower_bound` if all that is known is that the truth is at least that. `value` is None without data."""

    value: float | None
    lower_bound: bool = False


class Waits:
    """The distribution of waits.

    Args:
        wait: seconds waited, one per task.
        censored: whether the task still waited at the end of that.
    """

    def __init__(self, wait: Floats, censored: NDArray[np.bool_]) -> None:
        self._longest = float(wait.max()) if len(wait) else None
        self._any_censored = bool(censored.any())
        if len(wait) == 0:
            return
        self.times, self.survival = _survival(wait, censored)

    def quantile(self, p: float) -> Estimate:
        """The shortest wait that at least the share *p* of the tasks did not exceed."""
        if self._longest is None:
            return Estimate(None)
        # The estimate is a product of fractions; a rounding error must not push a quantile to the next task.
        reached = np.flatnonzero(self.survival <= 1 - p + 1e-9)
        if len(reached) == 0:
            return Estimate(self._longest, lower_bound=True)
        return Estimate(float(self.times[reached[0]]))

    def mean(self) -> Estimate:
        """The area under the survival curve; a lower bound where the curve ends before it is down at 0."""
        if self._longest is None:
            return Estimate(None)
        edges = np.concatenate([[0.0], self.times, [self._longest]])
        heights = np.concatenate([[1.0], self.survival])
        return Estimate(float(np.sum(np.diff(edges) * heights)), lower_bound=bool(self.survival[-1] > 1e-9))

    def maximum(self) -> Estimate:
        """The longest wait; a lower bound as soon as any task's wait is one."""
        return Estimate(self._longest, lower_bound=self._any_censored)


def _survival(wait: Floats, censored: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The times at which the survival function steps or a wait was cut off, and its value from each of them on."""
    from scipy.stats import CensoredData, ecdf

    result: Any = ecdf(CensoredData(uncensored=wait[~censored], right=wait[censored])).sf
    return np.asarray(result.quantiles, dtype=np.float64), np.asarray(result.probabilities, dtype=np.float64)
