"""Quantities that vary.

Every distribution is sampled by inversion: `quantile` turns one uniform number into one value. So a random number
can belong to one thing (one task's plan, say), and a larger one always means a longer duration, which is what makes
common random numbers pay (Law, *Simulation Modeling and Analysis*, 11.2).

NumPy and SciPy are imported where a number is drawn, so that reading a scenario stays cheap.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag, model_validator

from sim.scenario.base import Part, not_empty, refuse
from sim.scenario.units import Duration, positive

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
PositiveDuration = Annotated[Duration, AfterValidator(positive)]


class Constant(Part):
    """Always the same."""

    dist: Literal["constant"]
    value: Duration

    def quantile(self, u: Floats) -> Floats:
        return u * 0.0 + self.value

    def mean_value(self) -> float:
        return self.value


class Exponential(Part):
    """Memoryless, with the given mean."""

    dist: Literal["exponential"]
    mean: PositiveDuration

    def quantile(self, u: Floats) -> Floats:
        import numpy as np

        return -self.mean * np.log1p(-u)

    def mean_value(self) -> float:
        return self.mean


class Uniform(Part):
    """Any value from `low` to `high`."""

    dist: Literal["uniform"]
    low: Duration
    high: Duration

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise refuse("high", f"a duration of at least low ({self.low:g} s)")
        return self

    def quantile(self, u: Floats) -> Floats:
        return self.low + (self.high - self.low) * u

    def mean_value(self) -> float:
        return (self.low + self.high) / 2


class Triangular(Part):
    """From `low` to `high`, most often near `mode`."""

    dist: Literal["triangular"]
    low: Duration
    mode: Duration
    high: Duration

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.mode <= self.high:
            raise refuse("mode", f"a duration from low ({self.low:g} s) to high ({self.high:g} s)")
        return self

    def quantile(self, u: Floats) -> Floats:
        import numpy as np

        width = self.high - self.low
        if width == 0:
            return u * 0.0 + self.low
        rising = self.low + np.sqrt(u * width * (self.mode - self.low))
        falling = self.high - np.sqrt((1 - u) * width * (self.high - self.mode))
        return np.where(u * width < self.mode - self.low, rising, falling)

    def mean_value(self) -> float:
        return (self.low + self.mode + self.high) / 3


class Lognormal(Part):
    """The logarithm is normal. Given by mean and coefficient of variation, or by median and sigma of the logarithm."""

    dist: Literal["lognormal"]
    mean: PositiveDuration | None = None
    cv: Positive | None = None
    median: PositiveDuration | None = None
    sigma: Positive | None = None

    @model_validator(mode="after")
    def _one_pair(self) -> Self:
        one_pair(self, ("mean", "cv"), ("median", "sigma"))
        return self

    def _log_parameters(self) -> tuple[float, float]:
        if self.mean is not None and self.cv is not None:
            variance = math.log1p(self.cv**2)
            return math.log(self.mean) - variance / 2, math.sqrt(variance)
        assert self.median is not None and self.sigma is not None
        return math.log(self.median), self.sigma

    def quantile(self, u: Floats) -> Floats:
        import numpy as np
        from scipy.special import ndtri

        mu, sigma = self._log_parameters()
        return np.asarray(np.exp(mu + sigma * ndtri(u)), dtype=np.float64)

    def mean_value(self) -> float:
        mu, sigma = self._log_parameters()
        return math.exp(mu + sigma**2 / 2)


class Gamma(Part):
    """Given by mean and coefficient of variation, or by shape and scale."""

    dist: Literal["gamma"]
    mean: PositiveDuration | None = None
    cv: Positive | None = None
    shape: Positive | None = None
    scale: PositiveDuration | None = None

    @model_validator(mode="after")
    def _one_pair(self) -> Self:
        one_pair(self, ("mean", "cv"), ("shape", "scale"))
        return self

    def _shape_and_scale(self) -> tuple[float, float]:
        if self.mean is not None and self.cv is not None:
            return self.cv**-2, self.mean * self.cv**2
        assert self.shape is not None and self.scale is not None
        return self.shape, self.scale

    def quantile(self, u: Floats) -> Floats:
        import numpy as np
        from scipy.special import gammaincinv

        shape, scale = self._shape_and_scale()
        return np.asarray(scale * gammaincinv(shape, u), dtype=np.float64)

    def mean_value(self) -> float:
        shape, scale = self._shape_and_scale()
        return shape * scale


class Weibull(Part):
    """Given by mean and coefficient of variation, or by shape and scale."""

    dist: Literal["weibull"]
    mean: PositiveDuration | None = None
    cv: Annotated[float, Field(ge=0.05, le=20, allow_inf_nan=False)] | None = None
    shape: Positive | None = None
    scale: PositiveDuration | None = None

    @model_validator(mode="after")
    def _one_pair(self) -> Self:
        one_pair(self, ("mean", "cv"), ("shape", "scale"))
        return self

    def _shape_and_scale(self) -> tuple[float, float]:
        if self.mean is not None and self.cv is not None:
            shape = _weibull_shape(self.cv)
            return shape, self.mean / math.gamma(1 + 1 / shape)
        assert self.shape is not None and self.scale is not None
        return self.shape, self.scale

    def quantile(self, u: Floats) -> Floats:
        import numpy as np

        shape, scale = self._shape_and_scale()
        return np.asarray(scale * (-np.log1p(-u)) ** (1 / shape), dtype=np.float64)

    def mean_value(self) -> float:
        shape, scale = self._shape_and_scale()
        return scale * math.gamma(1 + 1 / shape)


class Empirical(Part):
    """One of the listed values, each as likely as its weight says (all alike where there are no weights)."""

    dist: Literal["empirical"]
    values: Annotated[tuple[Duration, ...], Field(strict=False), AfterValidator(not_empty)]
    weights: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(strict=False)] | None = None

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if self.weights is not None:
            if len(self.weights) != len(self.values):
                raise refuse("weights", f"as many weights as values ({len(self.values)})")
            if not sum(self.weights) > 0:
                raise refuse("weights", "at least one weight above 0")
        return self

    def _weighted(self) -> tuple[Floats, Floats]:
        """The values in ascending order, and the share of the values up to each."""
        import numpy as np

        values = np.asarray(self.values, dtype=np.float64)
        weights = np.ones(len(values)) if self.weights is None else np.asarray(self.weights, dtype=np.float64)
        order = np.argsort(values, kind="stable")
        upto = np.cumsum(weights[order])
        return values[order], upto / upto[-1]

    def quantile(self, u: Floats) -> Floats:
        import numpy as np

        values, upto = self._weighted()
        return values[np.searchsorted(upto, u, side="right")]

    def mean_value(self) -> float:
        weights = self.weights or (1.0,) * len(self.values)
        return math.fsum(v * w for v, w in zip(self.values, weights, strict=True)) / math.fsum(weights)


Distribution = Annotated[
    Constant | Exponential | Uniform | Triangular | Lognormal | Gamma | Weibull | Empirical,
    Field(discriminator="dist"),
]


def _constant_or_distribution(value: object) -> str:
    return "distribution" if isinstance(value, dict | BaseModel) else "constant"


Quantity = Annotated[
    Annotated[Duration, Tag("constant")] | Annotated[Distribution, Tag("distribution")],
    Discriminator(_constant_or_distribution),
]
"""A constant number of seconds, or a distribution of them."""


def quantiles(quantity: Quantity, u: Floats) -> Floats:
    """The values in seconds that the uniform numbers *u* stand for, in the shape of *u*."""
    if isinstance(quantity, float | int):
        return u * 0.0 + quantity
    return quantity.quantile(u)


def mean_of(quantity: Quantity) -> float:
    """The mean of *quantity* in seconds."""
    return float(quantity) if isinstance(quantity, float | int) else quantity.mean_value()


def one_pair(part: Any, *pairs: tuple[str, str]) -> None:
    """Refuse *part* unless exactly one of the *pairs* of its parameters is given, and whole."""
    given = {name for pair in pairs for name in pair if getattr(part, name) is not None}
    if given not in [set(pair) for pair in pairs]:
        ways = ", or ".join(" and ".join(pair) for pair in pairs)
        raise refuse("dist", f"for {part.dist} exactly {ways}; given: {', '.join(sorted(given)) or 'neither'}")


def _weibull_shape(cv: float) -> float:
    """The shape of a Weibull distribution with the coefficient of variation *cv*."""
    from scipy.optimize import brentq

    def excess(log_shape: float) -> float:
        k = math.exp(log_shape)
        return math.lgamma(1 + 2 / k) - 2 * math.lgamma(1 + 1 / k) - math.log1p(cv**2)

    return math.exp(float(brentq(excess, math.log(0.05), math.log(100.0), xtol=1e-14)))
