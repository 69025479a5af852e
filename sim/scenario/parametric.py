"""The families of distributions, each with its quantile function and its mean (formulas as in Law, chapter 6)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from sim.scenario.base import Part, refuse
from sim.scenario.mixing import mixture_cdf, mixture_quantile
from sim.scenario.units import Duration, positive

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Bounds within which every quantile and mean is a finite number, and beyond which nobody means it.
Variation = Annotated[float, Field(ge=0.001, le=100)]
Shape = Annotated[float, Field(ge=0.0001, le=1_000_000)]
Weight = Annotated[float, Field(ge=1e-9, le=1e9)]
PositiveDuration = Annotated[Duration, AfterValidator(positive)]


class Constant(Part):
    """Always the same."""

    dist: Literal["constant"]
    value: Duration

    def quantile(self, u: Floats) -> Floats:
        return u * 0.0 + self.value

    def cdf(self, x: Floats) -> Floats:
        return x * 0.0 + (x >= self.value)

    def mean_value(self) -> float:
        return self.value


class Exponential(Part):
    """Memoryless, with the given mean."""

    dist: Literal["exponential"]
    mean: PositiveDuration

    def quantile(self, u: Floats) -> Floats:
        import numpy as np

        return -self.mean * np.log1p(-u)

    def cdf(self, x: Floats) -> Floats:
        import numpy as np

        return -np.expm1(-x / self.mean)

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

    def cdf(self, x: Floats) -> Floats:
        import numpy as np

        width = self.high - self.low
        return x * 0.0 + (x >= self.low) if width == 0 else np.clip((x - self.low) / width, 0.0, 1.0)

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

    def cdf(self, x: Floats) -> Floats:
        import numpy as np

        low, mode, high = self.low, self.mode, self.high
        if low == high:
            return x * 0.0 + (x >= low)
        x = np.clip(x, low, high)
        rising = (x - low) ** 2 / ((high - low) * max(mode - low, 1e-300))
        falling = 1 - (high - x) ** 2 / ((high - low) * max(high - mode, 1e-300))
        return np.where(x < mode, rising, falling)

    def mean_value(self) -> float:
        return (self.low + self.mode + self.high) / 3


class Lognormal(Part):
    """The logarithm is normal. Given by mean and coefficient of variation, or by median and sigma of the logarithm."""

    dist: Literal["lognormal"]
    mean: PositiveDuration | None = None
    cv: Variation | None = None
    median: PositiveDuration | None = None
    sigma: Annotated[float, Field(ge=0.001, le=10)] | None = None

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

    def cdf(self, x: Floats) -> Floats:
        import numpy as np
        from scipy.special import ndtr

        mu, sigma = self._log_parameters()
        with np.errstate(divide="ignore"):
            return np.asarray(ndtr((np.log(x) - mu) / sigma), dtype=np.float64)

    def mean_value(self) -> float:
        mu, sigma = self._log_parameters()
        return math.exp(mu + sigma**2 / 2)


class _ShapeAndScale(Part):
    """Given by mean and coefficient of variation, or by shape and scale."""

    mean: PositiveDuration | None = None
    cv: Variation | None = None
    shape: Shape | None = None
    scale: PositiveDuration | None = None

    @model_validator(mode="after")
    def _one_pair(self) -> Self:
        one_pair(self, ("mean", "cv"), ("shape", "scale"))
        return self

    def _shape_and_scale(self) -> tuple[float, float]:
        if self.mean is not None and self.cv is not None:
            return self._fitted(self.mean, self.cv)
        assert self.shape is not None and self.scale is not None
        return self.shape, self.scale

    def _fitted(self, mean: float, cv: float) -> tuple[float, float]:
        raise NotImplementedError


class Gamma(_ShapeAndScale):
    """Given by mean and coefficient of variation, or by shape and scale."""

    dist: Literal["gamma"]

    def _fitted(self, mean: float, cv: float) -> tuple[float, float]:
        return cv**-2, mean * cv**2

    def quantile(self, u: Floats) -> Floats:
        import numpy as np
        from scipy.special import gammaincinv

        shape, scale = self._shape_and_scale()
        return np.asarray(scale * gammaincinv(shape, u), dtype=np.float64)

    def cdf(self, x: Floats) -> Floats:
        import numpy as np
        from scipy.special import gammainc

        shape, scale = self._shape_and_scale()
        return np.asarray(gammainc(shape, x / scale), dtype=np.float64)

    def mean_value(self) -> float:
        shape, scale = self._shape_and_scale()
        return shape * scale


class Weibull(_ShapeAndScale):
    """Given by mean and coefficient of variation, or by shape and scale."""

    dist: Literal["weibull"]
    cv: Annotated[float, Field(ge=0.05, le=20)] | None = None
    shape: Annotated[float, Field(ge=0.1, le=1000)] | None = None

    def _fitted(self, mean: float, cv: float) -> tuple[float, float]:
        shape = _weibull_shape(cv)
        return shape, mean / math.gamma(1 + 1 / shape)

    def quantile(self, u: Floats) -> Floats:
        import numpy as np

        shape, scale = self._shape_and_scale()
        return np.asarray(scale * (-np.log1p(-u)) ** (1 / shape), dtype=np.float64)

    def cdf(self, x: Floats) -> Floats:
        import numpy as np

        shape, scale = self._shape_and_scale()
        return np.asarray(-np.expm1(-((x / scale) ** shape)), dtype=np.float64)

    def mean_value(self) -> float:
        shape, scale = self._shape_and_scale()
        return scale * math.gamma(1 + 1 / shape)


class Normal(Part):
    """Normal, given that it is not negative. `mean` and `sd` (or `cv`) are those before that condition."""

    dist: Literal["normal"]
    mean: PositiveDuration
    sd: PositiveDuration | None = None
    cv: Variation | None = None

    @model_validator(mode="after")
    def _one_spread(self) -> Self:
        one_pair(self, ("mean", "sd"), ("mean", "cv"))
        return self

    def _sd(self) -> float:
        return self.sd if self.sd is not None else self.mean * (self.cv or 0.0)

    def quantile(self, u: Floats) -> Floats:
        import numpy as np
        from scipy.special import ndtr, ndtri

        cut = float(ndtr(-self.mean / self._sd()))
        return np.maximum(self.mean + self._sd() * ndtri(cut + u * (1 - cut)), 0.0)

    def cdf(self, x: Floats) -> Floats:
        import numpy as np
        from scipy.special import ndtr

        cut = float(ndtr(-self.mean / self._sd()))
        return np.asarray((ndtr((x - self.mean) / self._sd()) - cut) / (1 - cut), dtype=np.float64)

    def mean_value(self) -> float:
        z = -self.mean / self._sd()
        above = 0.5 * math.erfc(z / math.sqrt(2))
        return self.mean + self._sd() * math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) / above


class Pareto(Part):
    """A heavy tail from `minimum` on (type I). Given by mean and coefficient of variation, or by shape and minimum."""

    dist: Literal["pareto"]
    mean: PositiveDuration | None = None
    cv: Variation | None = None
    shape: Annotated[float, Field(ge=1.001, le=1_000_000)] | None = None
    minimum: PositiveDuration | None = None

    @model_validator(mode="after")
    def _one_pair(self) -> Self:
        one_pair(self, ("mean", "cv"), ("shape", "minimum"))
        return self

    def _shape_and_minimum(self) -> tuple[float, float]:
        if self.mean is not None and self.cv is not None:
            shape = 1 + math.sqrt(1 + self.cv**-2)
            return shape, self.mean * (shape - 1) / shape
        assert self.shape is not None and self.minimum is not None
        return self.shape, self.minimum

    def quantile(self, u: Floats) -> Floats:
        import numpy as np

        shape, minimum = self._shape_and_minimum()
        return np.asarray(minimum * (1 - u) ** (-1 / shape), dtype=np.float64)

    def cdf(self, x: Floats) -> Floats:
        import numpy as np

        shape, minimum = self._shape_and_minimum()
        return np.asarray(1 - (minimum / np.maximum(x, minimum)) ** shape, dtype=np.float64)

    def mean_value(self) -> float:
        shape, minimum = self._shape_and_minimum()
        return minimum * shape / (shape - 1)


class Hyperexponential(Part):
    """One of two exponentials, for more variation than one has: coefficient of variation above 1, balanced means."""

    dist: Literal["hyperexponential"]
    mean: PositiveDuration
    cv: Annotated[float, Field(gt=1, le=1000)]

    def _parts(self) -> tuple[tuple[float, float], tuple[Exponential, Exponential]]:
        share = 0.5 * (1 + math.sqrt((self.cv**2 - 1) / (self.cv**2 + 1)))
        shares = (share, 1 - share)
        often, seldom = (Exponential.model_construct(mean=self.mean / (2 * each)) for each in shares)
        return shares, (often, seldom)

    def quantile(self, u: Floats) -> Floats:
        return mixture_quantile(u, *self._parts())

    def cdf(self, x: Floats) -> Floats:
        return mixture_cdf(x, *self._parts())

    def mean_value(self) -> float:
        return self.mean


class Erlang(Part):
    """The sum of `stages` exponentials: less variation than one has."""

    dist: Literal["erlang"]
    mean: PositiveDuration
    stages: Annotated[int, Field(ge=1, le=10_000)]

    def _gamma(self) -> Gamma:
        return Gamma(dist="gamma", shape=float(self.stages), scale=self.mean / self.stages)

    def quantile(self, u: Floats) -> Floats:
        return self._gamma().quantile(u)

    def cdf(self, x: Floats) -> Floats:
        return self._gamma().cdf(x)

    def mean_value(self) -> float:
        return self.mean


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
