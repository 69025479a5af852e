"""A confidence interval for a mean, from few and skewed observations.

Waits are 0 in most worlds and huge in some. Student's interval assumes that the observations are about symmetric; of
such waits it lies too low, and contains the truth in 75 to 85 of 100 experiments in place of 95. Hall's takes the
skewness into account: Hall, P. (1992), "On the removal of skewness by transformation", Journal of the Royal Statistical
Society B 54, 221-228, here with Student's quantiles. But where a difference of such waits is symmetric after all, the
skewness of a few of them misleads it. So the interval here reaches from the lower of both lower ends to the higher of
both upper ends. Without skewness it is Student's. docs/validation.md has how often it contains the truth.
"""

from __future__ import annotations

from math import cbrt, expm1, log1p

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ENOUGH = 5
"""In so many replications a figure has to be other than 0 before an interval of its mean is believed."""


def interval_of_mean(values: Floats, confidence: float) -> tuple[float, float]:
    """The interval that contains the mean of what *values* were drawn from; at least three of them, independent."""
    count = len(values)
    mean, variance, third = moments(values)
    return skewed_interval(mean, variance / count, third / count**2, count - 1, confidence)


def moments(values: Floats) -> tuple[float, float, float]:
    """The mean, the variance and the third central moment of what *values* were drawn from, without bias."""
    mean, count = float(np.mean(values)), len(values)
    apart = values - mean
    variance, third = float(np.sum(apart**2)) / (count - 1), float(np.sum(apart**3))
    return mean, variance, third * count / ((count - 1) * (count - 2))


def skewed_interval(
    estimate: float, variance: float, third_moment: float, freedom: float, confidence: float
) -> tuple[float, float]:
    """The interval from an *estimate* with that *variance* and *third_moment* of its own.

    *freedom* is how many degrees of freedom the variance has.
    """
    from scipy.special import stdtrit

    error = variance**0.5
    if error == 0:
        return estimate, estimate
    quantile = float(stdtrit(freedom, (1 + confidence) / 2))
    skewness = third_moment / error**3
    low = max(quantile, _removed(quantile, skewness))
    high = min(-quantile, _removed(-quantile, skewness))
    return estimate - low * error, estimate - high * error


def _removed(symmetric: float, skewness: float) -> float:
    """The deviation of an estimate with that *skewness* that corresponds to the *symmetric* one (Hall, formula 2.3)."""
    inner = skewness * (symmetric - skewness / 6)
    if abs(inner) < 1e-9:
        return symmetric - skewness / 6
    root = expm1(log1p(inner) / 3) if inner > -0.5 else cbrt(1 + inner) - 1
    return 3 * root / skewness


def share_at_most(hits: int, trials: int, confidence: float) -> float:
    """The upper end of the exact interval (Clopper and Pearson) for a probability, of which *trials* had *hits*."""
    from scipy.special import betaincinv

    return 1.0 if hits == trials else float(betaincinv(hits + 1, trials - hits, (1 + confidence) / 2))
