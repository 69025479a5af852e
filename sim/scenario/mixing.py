"""Quantiles of mixtures of distributions.

A mixture could be sampled by choosing a component with one part of a uniform number and a value with the rest. Then a
larger number would not always mean a longer duration, which is what common random numbers need. So the distribution
function of the mixture is inverted as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CLOSE_ENOUGH = 1e-8
"""Seconds by which a quantile may be too large; it is rounded to a microsecond afterwards."""


class Component(Protocol):
    """A distribution that can be part of a mixture."""

    def quantile(self, u: Floats) -> Floats:
        """The values in seconds that the uniform numbers *u* stand for."""
        ...

    def cdf(self, x: Floats) -> Floats:
        """The probabilities of values of at most *x* seconds."""
        ...


def mixture_quantile(u: Floats, weights: Sequence[float], components: Sequence[Component]) -> Floats:
    """The quantiles of the mixture of *components*, each as likely as its weight says, at the uniform numbers *u*.

    The quantile of a mixture lies between the smallest and the largest of those of its components. In between it is
    found by bisection. Where an interval cannot be halved any more, it is as small as floats allow.
    """
    import numpy as np

    ends = [component.quantile(u) for component in components]
    low, high = np.minimum.reduce(ends), np.maximum.reduce(ends)
    shares = np.asarray(weights) / np.sum(weights)
    while True:
        middle = low + (high - low) / 2
        open_ = (high - low > _CLOSE_ENOUGH) & (middle > low) & (middle < high)
        if not open_.any():
            return np.asarray(high, dtype=np.float64)
        reached = mixture_cdf(middle, shares, components) > u
        high = np.where(open_ & reached, middle, high)
        low = np.where(open_ & ~reached, middle, low)


def mixture_cdf(x: Floats, weights: Sequence[float] | Floats, components: Sequence[Component]) -> Floats:
    """The probabilities of values of at most *x* seconds, of the mixture of *components*."""
    import numpy as np

    shares = np.asarray(weights) / np.sum(weights)
    parts = [share * component.cdf(x) for share, component in zip(shares, components, strict=True)]
    return np.asarray(sum(parts), dtype=np.float64)
