"""Quantities that vary.

Every distribution is sampled by inversion: `quantile` turns one uniform number into one value. So a random number
can belong to one thing (one task's plan, say), and a larger one always means a longer duration, which is what makes
common random numbers pay (Law, *Simulation Modeling and Analysis*, 11.2).

NumPy and SciPy are imported where a number is drawn, so that reading a scenario stays cheap.
"""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag, ValidationInfo, model_validator
from typing_extensions import TypeAliasType

from sim.scenario.base import Part, not_empty, refuse
from sim.scenario.errors import InputError
from sim.scenario.mixing import mixture_cdf, mixture_quantile
from sim.scenario.parametric import (
    Constant,
    Erlang,
    Exponential,
    Gamma,
    Hyperexponential,
    Lognormal,
    Normal,
    Pareto,
    Triangular,
    Uniform,
    Weibull,
    Weight,
)
from sim.scenario.reading.csv_file import read_column
from sim.scenario.units import Duration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Empirical(Part):
    """One of given values, each as likely as its weight says (all alike where there are no weights).

    They are listed in `values`, or stand in the column `column` of the CSV file `file`, in seconds.
    """

    dist: Literal["empirical"]
    values: Annotated[tuple[Duration, ...], Field(strict=False), AfterValidator(not_empty)] | None = None
    weights: Annotated[tuple[Annotated[float, Field(ge=0, le=1e9)], ...], Field(strict=False)] | None = None
    file: Annotated[str, Field(min_length=1)] | None = None
    column: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any, info: ValidationInfo) -> Any:
        """Take the values from the file, relative to the folder that the validation context names."""
        if not isinstance(data, dict) or "file" not in data or "values" in data:
            return data
        folder = (info.context or {}).get("folder", Path())
        try:
            return {**data, "values": read_column(folder / str(data["file"]), str(data.get("column", "")))}
        except InputError as error:
            raise refuse("file", f"a CSV file with the column; {error}") from None

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if self.values is None:
            raise refuse("values", "a list of durations, or a file and the name of its column")
        if (self.file is None) != (self.column is None):
            raise refuse("column", "a file and the name of its column, both or neither")
        if self.weights is not None:
            if len(self.weights) != len(self.values):
                raise refuse("weights", f"as many weights as values ({len(self.values)})")
            if not sum(self.weights) > 0:
                raise refuse("weights", "at least one weight above 0")
        return self

    @cached_property
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

        values, upto = self._weighted
        return values[np.searchsorted(upto, u, side="right")]

    def cdf(self, x: Floats) -> Floats:
        import numpy as np

        values, upto = self._weighted
        return np.concatenate([[0.0], upto])[np.searchsorted(values, x, side="right")]

    def mean_value(self) -> float:
        assert self.values is not None
        weights = self.weights or (1.0,) * len(self.values)
        return math.fsum(v * w for v, w in zip(self.values, weights, strict=True)) / math.fsum(weights)


class WeightedDistribution(Part):
    """One distribution of a mixture, and how often it is the one."""

    weight: Weight
    of: Distribution


class Mixture(Part):
    """One of several distributions, each as often as its weight says."""

    dist: Literal["mixture"]
    components: Annotated[tuple[WeightedDistribution, ...], Field(strict=False), AfterValidator(not_empty)]

    def _parts(self) -> tuple[list[float], list[Distribution]]:
        return [component.weight for component in self.components], [component.of for component in self.components]

    def quantile(self, u: Floats) -> Floats:
        return mixture_quantile(u, *self._parts())

    def cdf(self, x: Floats) -> Floats:
        return mixture_cdf(x, *self._parts())

    def mean_value(self) -> float:
        total = math.fsum(component.weight for component in self.components)
        return math.fsum(component.weight * component.of.mean_value() for component in self.components) / total


Distribution = Annotated[
    Constant
    | Exponential
    | Uniform
    | Triangular
    | Normal
    | Lognormal
    | Gamma
    | Erlang
    | Weibull
    | Pareto
    | Hyperexponential
    | Empirical
    | Mixture,
    Field(discriminator="dist"),
]


def _constant_or_distribution(value: object) -> str:
    return "distribution" if isinstance(value, dict | BaseModel) else "constant"


# A named type, so that pydantic builds what reads it once and not for each of the many fields that are quantities.
Quantity = TypeAliasType(
    "Quantity",
    Annotated[
        Annotated[Duration, Tag("constant")] | Annotated[Distribution, Tag("distribution")],
        Discriminator(_constant_or_distribution),
    ],
)
"""A constant number of seconds, or a distribution of them."""


def quantiles(quantity: Quantity, u: Floats) -> Floats:
    """The values in seconds that the uniform numbers *u* stand for, in the shape of *u*."""
    if isinstance(quantity, float | int):
        return u * 0.0 + quantity
    return quantity.quantile(u)


def mean_of(quantity: Quantity) -> float:
    """The mean of *quantity* in seconds."""
    return float(quantity) if isinstance(quantity, float | int) else quantity.mean_value()
