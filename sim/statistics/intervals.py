"""From figures per replication to means with confidence intervals, and to paired differences (docs/statistics.md).

Replications are independent and identically distributed; the tasks within one are neither. So every interval is of a
mean over replications, by Student's t (Law, *Simulation Modeling and Analysis*, 9.4 and 10.2), quantiles included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.statistics.waits import Estimate


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over replications.

    Where some replication's figure is only a lower bound the mean is one too, and the interval has no upper end.
    Without data `value` is None; with fewer than two replications the ends of the interval are.
    """

    value: float | None
    lower_bound: bool = False
    ci_low: float | None = None
    ci_high: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference from the reference, paired by replication.

    `lower_bound` and `upper_bound` say that the truth is at least, or at most, the value; the interval then has no
    end on the other side. Where nothing can be said `value` is None. `gain` is how many times larger the variance of
    the difference would be without pairing; None where that is undefined.
    """

    value: float | None
    lower_bound: bool = False
    upper_bound: bool = False
    ci_low: float | None = None
    ci_high: float | None = None
    gain: float | None = None

    @property
    def direction(self) -> int:
        """-1 if the interval lies below 0, 1 if it lies above, 0 if it cannot be told."""
        if self.ci_high is not None and self.ci_high < 0:
            return -1
        return int(self.ci_low is not None and self.ci_low > 0)


def figure(estimates: Sequence[Estimate], confidence: float) -> Figure:
    """The mean of one metric's *estimates*, one per replication; replications without data do not count."""
    values = np.array([estimate.value for estimate in estimates if estimate.value is not None])
    if len(values) == 0:
        return Figure(None)
    bound = any(estimate.lower_bound for estimate in estimates)
    mean, half = _mean_and_half_width(values, confidence)
    if half is None:
        return Figure(mean, bound)
    return Figure(mean, bound, mean - half, None if bound else mean + half)


def difference(others: Sequence[Estimate], references: Sequence[Estimate], confidence: float) -> Difference:
    """The mean of *others* minus *references*, replication by replication.

    A lower bound in place of a figure makes the difference a bound: no matter how much larger the figure is, the
    difference is at least (if it is of the other) or at most (if it is of the reference) what the bounds give.
    """
    pairs = [
        (other, reference)
        for other, reference in zip(others, references, strict=True)
        if other.value is not None and reference.value is not None
    ]
    at_least = any(other.lower_bound for other, _ in pairs)
    at_most = any(reference.lower_bound for _, reference in pairs)
    if not pairs or (at_least and at_most):
        return Difference(None)
    mine = np.array([other.value for other, _ in pairs], dtype=np.float64)
    theirs = np.array([reference.value for _, reference in pairs], dtype=np.float64)
    mean, half = _mean_and_half_width(mine - theirs, confidence)
    if half is None:
        return Difference(mean, at_least, at_most)
    unpaired, paired = np.var(mine, ddof=1) + np.var(theirs, ddof=1), np.var(mine - theirs, ddof=1)
    return Difference(
        mean,
        at_least,
        at_most,
        None if at_most else mean - half,
        None if at_least else mean + half,
        float(unpaired / paired) if paired > 0 else None,
    )


def unpaired_difference(others: Sequence[Estimate], references: Sequence[Estimate], confidence: float) -> Difference:
    """The mean of *others* minus that of *references*, from worlds that have nothing to do with each other (Welch)."""
    from scipy.special import stdtrit

    mine = np.array([e.value for e in others if e.value is not None], dtype=np.float64)
    theirs = np.array([e.value for e in references if e.value is not None], dtype=np.float64)
    at_least, at_most = any(e.lower_bound for e in others), any(e.lower_bound for e in references)
    if len(mine) == 0 or len(theirs) == 0 or (at_least and at_most):
        return Difference(None)
    apart = float(np.mean(mine) - np.mean(theirs))
    if len(mine) < 2 or len(theirs) < 2:
        return Difference(apart, at_least, at_most)
    parts = [np.var(sample, ddof=1) / len(sample) for sample in (mine, theirs)]
    total = float(sum(parts))
    half = 0.0
    if total > 0:
        freedom = total**2 / sum(part**2 / (len(s) - 1) for part, s in zip(parts, (mine, theirs), strict=True))
        half = float(stdtrit(freedom, (1 + confidence) / 2)) * total**0.5
    return Difference(apart, at_least, at_most, None if at_most else apart - half, None if at_least else apart + half)


def _mean_and_half_width(values: NDArray[np.float64], confidence: float) -> tuple[float, float | None]:
    from scipy.special import stdtrit

    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return mean, None
    t = float(stdtrit(count - 1, (1 + confidence) / 2))
    return mean, t * float(np.std(values, ddof=1)) / count**0.5
