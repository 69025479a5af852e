"""From figures per replication to means with confidence intervals, and to paired differences (docs/statistics.md).

Replications are independent and identically distributed; the tasks within one are neither. So every interval is of a
mean over replications (Law, *Simulation Modeling and Analysis*, 9.4 and 10.2), quantiles included. `mean_interval.py`
has how it is computed.

Where a figure is 0 in all replications but a few, its spread cannot be estimated from those few. It is marked as *not
enough*, and its interval is one that holds whatever the distribution is, given how large the figure can be at most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, inf, isfinite

import numpy as np
from numpy.typing import NDArray

from sim.statistics.columns import Column
from sim.statistics.mean_interval import ENOUGH, interval_of_mean, moments, share_at_most, skewed_interval

MOST_LEFT_OUT = 0.1
"""The share of replications that may be without a figure, or with bounds on both sides of a comparison."""

ROUNDING = 1e-9
"""Figures that differ by a smaller part of themselves do not differ: it is the error of adding them up."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over replications.

    `lower_bound` says that the truth is at least the value, as some replication's figure is only a bound; the interval
    then has no upper end. `replications` is how many had a figure; without any `value` is None. With one replication
    there is no interval. `not_enough` says that too few replications have a figure that is not 0, and `needed` how
    many replications it would probably take, if that can be told.
    """

    value: float | None
    lower_bound: bool = False
    ci_low: float | None = None
    ci_high: float | None = None
    replications: int = 0
    not_enough: bool = False
    needed: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference from the reference, paired by replication.

    `lower_bound` and `upper_bound` say that the truth is at least, or at most, the value; the interval then has no
    end on the other side. `up_to_horizon` says that both sides are bounds in a few replications, so that the difference
    is of the waits up to the horizon. Where nothing can be said `value` is None. `replications` is how many had a
    figure on both sides, `not_enough` that too few of them differ, and `equal` that none does. `gain` is how many times
    larger the variance of the difference would be without pairing; None where that is undefined.
    """

    value: float | None
    lower_bound: bool = False
    upper_bound: bool = False
    ci_low: float | None = None
    ci_high: float | None = None
    gain: float | None = None
    replications: int = 0
    not_enough: bool = False
    equal: bool = False
    up_to_horizon: bool = False

    @property
    def direction(self) -> int:
        """-1 if the interval lies below 0, 1 if it lies above, 0 if it cannot be told."""
        if self.ci_high is not None and self.ci_high < 0:
            return -1
        return int(self.ci_low is not None and self.ci_low > 0)

    def is_within(self, margin: float) -> bool:
        """Whether the interval shows that the difference is no larger than *margin*, in either direction."""
        if self.ci_low is None or self.ci_high is None or self.not_enough:
            return False
        return -margin <= self.ci_low and self.ci_high <= margin

    def shifted(self, by: float) -> Difference:
        """The same difference, *by* so much larger."""
        value, low, high = (None if end is None else end + by for end in (self.value, self.ci_low, self.ci_high))
        return replace(self, value=value, ci_low=low, ci_high=high)


def figure(column: Column, confidence: float) -> Figure:
    """The mean of one metric over the replications that have a figure."""
    values, bound = column.values, column.any_bound
    if len(values) == 0:
        return Figure(None)
    mean = float(np.mean(values))
    if len(column.estimates) < 2:
        return Figure(mean, bound, replications=1)
    if _too_many_left_out(len(values), len(column.estimates)):
        return Figure(mean, bound, replications=len(values), not_enough=True)
    enough, (low, high) = _interval(values, confidence, 0.0, column.most, column.vary)
    if enough and column.most == 1 and column.vary and np.count_nonzero(values != 1) < ENOUGH:
        # A share that is 1 in nearly all replications says as little of the others as one that is 0.
        enough, low, high = False, 1 - share_at_most(int(np.count_nonzero(values != 1)), len(values), confidence), 1.0
    needed = None if enough else _needed(values)
    return Figure(mean, bound, max(low, 0.0), _end(inf if bound else high), len(values), not enough, needed)


def difference(others: Column, references: Column, confidence: float, factor: float = 1.0) -> Difference:
    """The mean of *others* minus *factor* times *references*, replication by replication.

    A lower bound in place of a figure makes the difference a bound: no matter how much larger the figure is, the
    difference is at least (if it is of the other) or at most (if it is of the reference) what the bounds give.
    """
    replications = len(others.estimates)
    pairs = [
        (other, reference)
        for other, reference in zip(others.estimates, references.estimates, strict=True)
        if other.value is not None and reference.value is not None
    ]
    at_least, at_most = (any(pair[side].lower_bound for pair in pairs) for side in (0, 1))
    bounds = sum(other.lower_bound or reference.lower_bound for other, reference in pairs)
    up_to_horizon = at_least and at_most
    if not pairs or (up_to_horizon and bounds > MOST_LEFT_OUT * len(pairs)):
        return Difference(None, replications=len(pairs))
    if up_to_horizon:
        at_least = at_most = False
    mine = np.array([other.value for other, _ in pairs], dtype=np.float64)
    theirs = factor * np.array([reference.value for _, reference in pairs], dtype=np.float64)
    apart = _without_rounding(mine - theirs, mine, theirs)
    mean, equal = float(np.mean(apart)), not np.any(apart)
    if replications < 2:
        return Difference(mean, at_least, at_most, replications=1, equal=equal, up_to_horizon=up_to_horizon)
    if _too_many_left_out(len(pairs), replications):
        return Difference(mean, at_least, at_most, replications=len(pairs), not_enough=True)
    most, least = others.most, -factor * references.most
    enough, (low, high) = _interval(apart, confidence, least, most, others.vary or references.vary)
    unpaired, paired = np.var(mine) + np.var(theirs), np.var(apart)
    return Difference(
        mean,
        at_least,
        at_most,
        _end(-inf if at_most else low),
        _end(inf if at_least else high),
        float(unpaired / paired) if paired > 0 else None,
        len(pairs),
        not enough,
        equal,
        up_to_horizon,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A relative change: by which share a figure is larger than the reference's, with its interval."""

    value: float
    ci_low: float
    ci_high: float


def relative_change(others: Column, references: Column, confidence: float) -> Change | None:
    """The ratio of the means of *others* and *references* less 1, paired by replication; None if it cannot be told.

    Its interval is that of the mean of x - r y, where r is the ratio, over the mean of y (the ratio estimator:
    Cochran, *Sampling Techniques*, chapter 6).
    """
    whole = difference(others, references, confidence)
    if whole.not_enough or whole.ci_low is None or whole.ci_high is None:
        return None
    theirs = references.mean
    if not theirs or whole.value is None:
        return None
    ratio = 1 + whole.value / theirs
    apart = difference(others, references, confidence, ratio)
    if apart.equal:
        return Change(ratio - 1, ratio - 1, ratio - 1)
    if apart.not_enough or apart.ci_low is None or apart.ci_high is None:
        return None
    return Change(ratio - 1, ratio - 1 + apart.ci_low / theirs, ratio - 1 + apart.ci_high / theirs)


def unpaired_difference(others: Column, references: Column, confidence: float, factor: float = 1.0) -> Difference:
    """The mean of *others* minus *factor* times that of *references*, of worlds that have nothing in common (Welch)."""
    mine, theirs = others.values, factor * references.values
    at_least, at_most = others.any_bound, references.any_bound
    fewest = min(len(mine), len(theirs))
    if fewest == 0 or (at_least and at_most):
        return Difference(None, replications=fewest)
    apart = float(np.mean(mine) - np.mean(theirs))
    if fewest < 2:
        return Difference(apart, at_least, at_most, replications=fewest)
    if any(_too_many_left_out(len(column.values), len(column.estimates)) for column in (others, references)):
        return Difference(apart, at_least, at_most, replications=fewest, not_enough=True)
    if not (others.vary or references.vary):
        enough, low, high = True, apart, apart
    elif fewest >= ENOUGH and int(np.count_nonzero(mine)) + int(np.count_nonzero(theirs)) >= ENOUGH:
        enough = True
        low, high = _welch(mine, theirs, confidence)
    else:
        enough = False
        low, high = -factor * _at_most(references, confidence), _at_most(others, confidence)
    low, high = (-inf if at_most else low), (inf if at_least else high)
    return Difference(apart, at_least, at_most, _end(low), _end(high), replications=fewest, not_enough=not enough)


def _interval(
    values: NDArray[np.float64], confidence: float, least: float, most: float, vary: bool
) -> tuple[bool, tuple[float, float]]:
    """Whether there are enough *values* for an interval of their mean, and the interval.

    No value is smaller than *least*, and none larger than *most*, as far as is known. Without *vary* there are no other
    values than these.
    """
    if not vary and np.all(values == values[0]):
        return True, (float(values[0]), float(values[0]))
    if min(len(values), int(np.count_nonzero(values))) >= ENOUGH:
        return True, interval_of_mean(values, confidence)
    above, below = int(np.count_nonzero(values > 0)), int(np.count_nonzero(values < 0))
    low = 0.0 if least == 0 else least * share_at_most(below, len(values), confidence)
    return False, (low, most * share_at_most(above, len(values), confidence))


def _at_most(column: Column, confidence: float) -> float:
    """How large the mean can be, given how often the figure is not 0 and how large it can be then."""
    return column.most * share_at_most(int(np.count_nonzero(column.values)), len(column.values), confidence)


def _welch(mine: NDArray[np.float64], theirs: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    (mean, variance, third), (other_mean, other_variance, other_third) = moments(mine), moments(theirs)
    parts = [variance / len(mine), other_variance / len(theirs)]
    total = sum(parts)
    if total == 0:
        return mean - other_mean, mean - other_mean
    freedom = total**2 / sum(part**2 / (len(s) - 1) for part, s in zip(parts, (mine, theirs), strict=True))
    third_of_both = third / len(mine) ** 2 - other_third / len(theirs) ** 2
    return skewed_interval(mean - other_mean, total, third_of_both, freedom, confidence)


def _without_rounding(
    apart: NDArray[np.float64], mine: NDArray[np.float64], theirs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The differences, 0 where they are no more than the error of adding up."""
    return np.where(np.abs(apart) <= ROUNDING * np.maximum(np.abs(mine), np.abs(theirs)), 0.0, apart)


def _too_many_left_out(left: int, of: int) -> bool:
    return of - left > MOST_LEFT_OUT * of


def _needed(values: NDArray[np.float64]) -> int | None:
    """So many replications that enough of them would probably have a figure that is not 0."""
    not_zero = int(np.count_nonzero(values))
    return max(ceil(len(values) * ENOUGH / not_zero), ENOUGH) if not_zero else None


def _end(value: float) -> float | None:
    """An end of an interval; None where it has none."""
    return value if isfinite(value) else None
