"""Precision on demand: replications until an interval is narrow enough (Law, 9.4.1)."""

from __future__ import annotations

from math import ceil

from sim.scenario.scenario import Precision
from sim.statistics.intervals import Difference, Figure, difference, figure
from sim.statistics.metrics import Measured
from sim.statistics.waits import Estimate

MIN_REPLICATIONS = 10
"""The rule is not asked before as many replications: the variance of few says little about the width to come."""


def next_look(done: int, most: int) -> int:
    """After how many replications to look again: a fifth more. Looking after each would stop too soon too often."""
    return min(max(ceil(done * 1.2), done + 1), most)


def is_reached(wanted: Precision, measured: Measured, confidence: float) -> bool:
    """Whether the intervals are as narrow as *wanted*, for every policy (or for every difference from the first).

    A relative half-width is judged against the value less the half-width, so that it holds of the truth and not just
    of its estimate. A figure that is only a bound is never precise.
    """
    reference, *others = measured

    def column(label: str) -> list[Estimate]:
        return [replication[wanted.metric] for replication in measured[label]]

    found: list[Figure | Difference]
    if wanted.on == "difference":
        each = 1 - (1 - confidence) / max(len(others), 1)
        found = [difference(column(label), column(reference), each) for label in others]
    else:
        found = [figure(column(label), confidence) for label in measured]
    return all(_is_narrow(wanted, f.value, f.ci_low, f.ci_high) for f in found)


def _is_narrow(wanted: Precision, value: float | None, low: float | None, high: float | None) -> bool:
    if value is None or low is None or high is None:
        return False
    half = (high - low) / 2
    if wanted.absolute is not None:
        return half <= wanted.absolute
    assert wanted.relative is not None
    return half <= wanted.relative * max(abs(value) - half, 0.0)
