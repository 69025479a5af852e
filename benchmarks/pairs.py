"""Paired measurements: what disturbs this machine disturbs both of a pair, and the order alternates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal

from benchmarks.alone import Measured

Side = Callable[[int], Measured]
"""Measures one of the two sides, given the number of the pair."""


@dataclass(frozen=True)
class Pairs:
    """The outcome of paired measurements: of each pair, both sides; times in seconds by the clock that `by` names."""

    ones: list[Measured]
    others: list[Measured]
    by: Literal["cpu", "elapsed"]

    @property
    def ratios(self) -> list[float]:
        """Of each pair, the first side's time over the second's."""
        return [a / b for a, b in zip(self.seconds(self.ones), self.seconds(self.others), strict=True)]

    def seconds(self, side: list[Measured]) -> list[float]:
        """The times of one side."""
        return [measured.cpu if self.by == "cpu" else measured.elapsed for measured in side]

    @property
    def times(self) -> str:
        """Both median times, for people."""
        one, other = (median(self.seconds(side)) for side in (self.ones, self.others))
        return f"{in_words(one)} / {in_words(other)}"


def paired(one: Side, other: Side, pairs: int, by: Literal["cpu", "elapsed"] = "cpu") -> Pairs:
    """Measure both sides *pairs* times, first the one first, then the other."""
    ones, others = [], []
    for number in range(pairs):
        if number % 2:
            second, first = other(number), one(number)
        else:
            first, second = one(number), other(number)
        ones.append(first)
        others.append(second)
    return Pairs(ones, others, by)


def quartiles(values: list[float]) -> tuple[float, float]:
    """Between which two the middle half of *values* lies."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def in_words(seconds: float) -> str:
    """A time with three digits, in the unit that suits it."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"
