"""Precision on demand: replications until an interval is narrow enough (Law, 9.4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from sim.scenario.scenario import Precision
from sim.statistics.intervals import Difference, Figure, difference, figure
from sim.statistics.metrics import Measured
from sim.statistics.waits import Estimate

MIN_REPLICATIONS = 10
"""The rule is not asked before as many replications: the variance of few says little about the width to come."""


MIN_NOT_ZERO = 5
"""In so many replications a figure has to be another than 0, if it is 0 in some. Where waits are mostly 0 and seldom
huge, ten replications of 0 have an interval of width 0 and say nothing.
"""


def next_look(done: int, most: int) -> int:
    """After how many replications to look again: a fifth more. Looking after each would stop too soon too often."""
    return min(max(ceil(done * 1.2), done + 1), most)


def is_reached(wanted: Precision, measured: Measured, confidence: float, done_all: bool = False) -> bool:
    """Whether the intervals are as narrow as *wanted*, for every policy (or for every difference from the first).

    A relative half-width is judged against the value less the half-width, so that it holds of the truth and not just
    of its estimate. A figure that is only a bound is never precise, and nor is one that is 0 in nearly all
    replications.

    Args:
        wanted: the precision.
        measured: the metrics of all replications so far.
        confidence: the level of the intervals.
        done_all: whether there will be no more replications. Then a figure that is 0 in all of them is taken for 0.
    """
    reference, *others = measured

    def column(label: str) -> list[Estimate]:
        return [replication[wanted.metric] for replication in measured[label]]

    found: list[Figure | Difference]
    if wanted.on == "difference":
        each = 1 - (1 - confidence) / max(len(others), 1)
        found = [difference(column(label), column(reference), each) for label in others]
        samples = [list(zip(column(label), column(reference), strict=True)) for label in others]
        values = [[(one.value or 0) - (other.value or 0) for one, other in pairs] for pairs in samples]
    else:
        found = [figure(column(label), confidence) for label in measured]
        values = [[one.value or 0 for one in column(label)] for label in measured]
    return all(_is_narrow(wanted, f.value, f.ci_low, f.ci_high) for f in found) and all(
        _says_something(sample, done_all) for sample in values
    )


def _says_something(values: Sequence[float], done_all: bool) -> bool:
    not_zero = sum(value != 0 for value in values)
    return not_zero >= min(MIN_NOT_ZERO, len(values)) or (not_zero == 0 and done_all)


def _is_narrow(wanted: Precision, value: float | None, low: float | None, high: float | None) -> bool:
    if value is None or low is None or high is None:
        return False
    half = (high - low) / 2
    if wanted.absolute is not None:
        return half <= wanted.absolute
    assert wanted.relative is not None
    return half <= wanted.relative * max(abs(value) - half, 0.0)
