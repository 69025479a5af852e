"""The family of distributions that explains recorded values best."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Block = dict[str, Any]
"""A part of a scenario as it is written."""

ENOUGH_FOR_A_FAMILY: Final = 20
"""With fewer values than that their own are taken."""

FAR_OFF: Final = 0.1
"""A family whose distribution is so far from the recorded one (Kolmogorov-Smirnov) is not taken."""

MOST_VALUES: Final = 100
"""So many quantiles stand for an empirical distribution."""


def distance(values: Floats, distribution: Any) -> float:
    """The largest difference between the distribution function of *values* and that of a distribution."""
    import numpy as np

    places = np.sort(values)
    size = len(places)
    at = distribution.cdf(places)
    below = distribution.cdf(np.nextafter(places, -np.inf))
    upto = np.searchsorted(places, places, side="right") / size
    before = np.searchsorted(places, places, side="left") / size
    return float(max(np.abs(at - upto).max(), np.abs(below - before).max()))


def distribution_of(values: Floats, empirical: bool = False) -> tuple[str, Block | float]:
    """The family that explains *values* best by Akaike's criterion, and the distribution as a scenario writes it.

    The values' own quantiles are taken if there are few of them, if no family comes near, or if that is wanted.
    """
    import numpy as np
    from pydantic import TypeAdapter, ValidationError

    from sim.scenario.distributions import Distribution

    if len(np.unique(values)) == 1:
        return "constant", rounded(float(values[0]))
    if len(values) >= ENOUGH_FOR_A_FAMILY and values.min() > 0 and not empirical:
        for _, name, parameters in sorted(_families(values), key=lambda found: found[0]):
            try:
                fitted: Any = TypeAdapter(Distribution).validate_python(parameters)
            except ValidationError:  # The parameters are beyond what a scenario can say.
                continue
            if distance(values, fitted) <= FAR_OFF:
                return name, parameters
            break
    levels = (np.arange(MOST_VALUES) + 0.5) / MOST_VALUES
    chosen = np.sort(values) if len(values) <= MOST_VALUES else np.quantile(values, levels)
    return "empirical", {"dist": "empirical", "values": [rounded(float(value)) for value in chosen]}


def _families(values: Floats) -> list[tuple[float, str, Block]]:
    """Each family with the parameters of greatest likelihood: Akaike's criterion, name, and distribution."""
    import numpy as np
    from scipy import stats

    found = []
    logs = np.log(values)
    sigma = max(float(logs.std()), 0.001)
    mu = float(logs.mean())
    likelihood = float(stats.lognorm.logpdf(values, sigma, scale=np.exp(mu)).sum())
    if sigma <= 10:
        parameters: Block = {"dist": "lognormal", "median": rounded(float(np.exp(mu))), "sigma": rounded(sigma)}
        found.append((4 - 2 * likelihood, "lognormal", parameters))
    mean = float(values.mean())
    found.append(
        (2 - 2 * float(stats.expon.logpdf(values, scale=mean).sum()), "exponential",
         {"dist": "exponential", "mean": rounded(mean)})
    )  # fmt: skip
    with suppress(ValueError, FloatingPointError):  # Values that hardly differ have no shape that can be found.
        shape, _, scale = stats.gamma.fit(values, floc=0)
        likelihood = float(stats.gamma.logpdf(values, shape, scale=scale).sum())
        found.append((4 - 2 * likelihood, "gamma", {"dist": "gamma", "shape": rounded(shape), "scale": rounded(scale)}))
    with suppress(ValueError, FloatingPointError):
        shape, _, scale = stats.weibull_min.fit(values, floc=0)
        likelihood = float(stats.weibull_min.logpdf(values, shape, scale=scale).sum())
        parameters = {"dist": "weibull", "shape": rounded(shape), "scale": rounded(scale)}
        found.append((4 - 2 * likelihood, "weibull", parameters))
    return [each for each in found if np.isfinite(each[0])]


def rounded(value: float) -> float:
    """Four digits: more than a recording can tell."""
    return float(f"{value:.4g}")
