"""Which of several systems is the best that meets its limits: replications go where they decide.

Each system is observed in ten worlds. Then, look by look, the systems that are not ruled out are observed in half as
many worlds again, until what is left is sure. A system is ruled out when the interval of a limited figure lies above
the limit, or when the interval of its difference from another one that meets all limits lies above 0. All systems
meet the same worlds, and are compared in pairs.

What may go wrong is shared out evenly over the looks, the limits and the pairs (Bonferroni), so all intervals that
are ever used hold together with the confidence. A figure that is within the tolerance of its limit for sure counts by
its mean, and two systems that differ by less than the indifference for sure count as alike: the one with the smaller
mean is taken. This is the indifference zone of Bechhofer (1954); procedures that look after every replication (Kim
and Nelson, 2001) take the variance of the first replications for granted, and rule nothing out early where waits are
skewed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log
from typing import Final, Literal

import numpy as np

from sim.statistics.mean_interval import ENOUGH, interval_of_mean

FIRST: Final = 10
"""In how many worlds every system is observed before any is ruled out."""

GROWTH: Final = 1.5
"""In how many times as many worlds the systems are observed at the next look."""

State = Literal["open", "infeasible", "beaten"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure may be at most on average.

    `tolerance` is how far from it a figure is whose side does not matter.
    """

    at_most: float
    tolerance: float


class Selection:
    """The observations of some systems, and which of them are still in question.

    Args:
        systems: how many there are.
        limits: what each system's further figures may be at most.
        indifference: a difference of the figure to minimise that does not matter.
        confidence: with what probability the choice is to be right.
        most: in how many worlds a system is observed at most.
    """

    def __init__(
        self, systems: int, limits: Sequence[Limit], indifference: float, confidence: float, most: int
    ) -> None:
        self.limits = tuple(limits)
        self.indifference = indifference
        self.most = max(most, FIRST)
        self.states: list[State] = ["open"] * systems
        self.feasible = [not limits for _ in range(systems)]
        """Which systems are known to meet all limits."""
        self._figures: list[list[float]] = [[] for _ in range(systems)]
        self._limited: list[list[list[float]]] = [[[] for _ in self.limits] for _ in range(systems)]
        self._met = [[False] * len(self.limits) for _ in range(systems)]
        looks = 1 + ceil(log(self.most / FIRST) / log(GROWTH)) if self.most > FIRST else 1
        statements = looks * (systems * len(self.limits) + systems * (systems - 1) / 2)
        self._confidence = 1 - (1 - confidence) / max(statements, 1)

    def add(self, system: int, figure: float, limited: Sequence[float]) -> None:
        """Add what was observed of a system in its next world: the figure to minimise, and those with a limit."""
        self._figures[system].append(figure)
        for values, value in zip(self._limited[system], limited, strict=True):
            values.append(value)

    def open_systems(self) -> list[int]:
        """The systems that are not ruled out."""
        return [system for system, state in enumerate(self.states) if state == "open"]

    def next_worlds(self, done: int) -> int:
        """In how many worlds the open systems are to be observed next, after *done*."""
        return min(max(ceil(done * GROWTH), FIRST), self.most)

    def is_decided(self) -> bool:
        """Whether no more is to be found out: all are ruled out but one that meets the limits, or all are."""
        left = self.open_systems()
        return not left or (len(left) == 1 and self.feasible[left[0]])

    def rule_out(self) -> None:
        """Rule out what can be. All open systems have been observed in equally many worlds."""
        for system in self.open_systems():
            self._check_limits(system)
        left = self.open_systems()
        beaten = {i for i in left for j in left if i != j and self.feasible[j] and self._is_beaten(i, j)}
        for system in beaten:
            self.states[system] = "beaten"

    def _check_limits(self, system: int) -> None:
        for number, limit in enumerate(self.limits):
            if self._met[system][number]:
                continue
            low, high = self._interval(self._limited[system][number])
            mean = float(np.mean(self._limited[system][number]))
            is_near = low >= limit.at_most - limit.tolerance and high <= limit.at_most + limit.tolerance
            if low > limit.at_most or (is_near and mean > limit.at_most):
                self.states[system] = "infeasible"
                return
            self._met[system][number] = high <= limit.at_most or is_near
        self.feasible[system] = all(self._met[system])

    def _is_beaten(self, system: int, other: int) -> bool:
        apart = np.array(self._figures[system]) - np.array(self._figures[other])
        low, high = self._interval(apart.tolist())
        if low > 0:
            return True
        if low < -self.indifference or high > self.indifference:
            return False
        mean = float(apart.mean())
        return mean > 0 or (mean == 0 and other < system)

    def _interval(self, values: Sequence[float]) -> tuple[float, float]:
        """The interval of their mean; without end where too few of them, but not none, are other than 0."""
        array = np.array(values)
        not_zero = int(np.count_nonzero(array))
        low, high = interval_of_mean(array, self._confidence)
        if 0 < not_zero < ENOUGH:
            return (0.0 if array.min() >= 0 else -np.inf), (0.0 if array.max() <= 0 else np.inf)
        return low, high
