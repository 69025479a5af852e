"""One metric of one policy in all replications, and what is known of it beside the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from sim.statistics.mean_interval import ENOUGH
from sim.statistics.metric_names import SHARE_METRICS, WAIT_METRICS, bare, share_of
from sim.statistics.metrics import Measured
from sim.statistics.waits import Estimate


@dataclass(frozen=True, slots=True)
class Worlds:
    """What all replications of an experiment have in common.

    `vary` is False if nothing in the scenario is random, so that every replication is the same. `horizon` is in
    seconds: no wait is longer.
    """

    vary: bool = True
    horizon: float = inf


@dataclass(frozen=True, slots=True)
class Column:
    """One metric's estimates, one per replication, none of them below 0.

    `most` is how large the figure can be in a replication that was not made, as far as is known. `vary` is False if
    all replications are the same.
    """

    estimates: tuple[Estimate, ...]
    most: float = inf
    vary: bool = True

    @property
    def values(self) -> NDArray[np.float64]:
        """The figures of the replications that have one."""
        return np.array([e.value for e in self.estimates if e.value is not None], dtype=np.float64)

    @property
    def mean(self) -> float | None:
        """Their mean; None if there is none."""
        return float(np.mean(self.values)) if len(self.values) else None

    @property
    def any_bound(self) -> bool:
        """Whether some replication's figure is only a lower bound."""
        return any(e.lower_bound for e in self.estimates)

    def first(self, count: int) -> Column:
        """The same column of the first *count* replications."""
        return replace(self, estimates=self.estimates[:count])

    def so_far(self) -> Column:
        """The same figures as what they are up to the horizon, where nothing is a bound."""
        return replace(self, estimates=tuple(Estimate(e.value) for e in self.estimates))


def column(measured: Measured, label: str, metric: str, worlds: Worlds, share: bool = False) -> Column:
    """The column of one policy's metric; with *share* as a share of what `SHARES` says."""
    replications = measured[label]
    estimates = [replication[metric] for replication in replications]
    whole = share_of(metric) if share else None
    if whole is not None:
        of = [replication[whole].value for replication in replications]
        estimates = [
            Estimate(e.value / base if base and e.value is not None else None)
            for e, base in zip(estimates, of, strict=True)
        ]
        return Column(tuple(estimates), 1.0, worlds.vary)
    most = inf
    if bare(metric) in WAIT_METRICS:
        most = _longest_wait(measured, label, metric.rpartition(".")[0], worlds)
    elif bare(metric) in SHARE_METRICS:
        most = 1.0
    return Column(tuple(estimates), most, worlds.vary)


def _longest_wait(measured: Measured, label: str, kind: str, worlds: Worlds) -> float:
    """How long a wait of that *kind* may be in a replication that was not made: as long as the longest that was seen.

    Where nobody waits in nearly all replications nothing is known of that, and it may be as long as the horizon.
    """
    longest = [r[f"{kind}.max"].value or 0.0 for r in measured[label] if f"{kind}.max" in r]
    return max(longest) if _not_zero(longest) >= ENOUGH else worlds.horizon


def _not_zero(values: Sequence[float]) -> int:
    return sum(value != 0 for value in values)
