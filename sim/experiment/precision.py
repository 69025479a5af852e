"""How many replications to make: so many, or until an interval is narrow enough (Law, 9.4.1), or until thresholds are
decided.
"""

from __future__ import annotations

from math import ceil

from sim.scenario import Scenario
from sim.scenario.scenario import Precision
from sim.statistics.columns import Column, Worlds, column
from sim.statistics.intervals import Difference, Figure, difference, figure
from sim.statistics.metrics import Measured

MIN_REPLICATIONS = 10
"""The rule is not asked before as many replications: the variance of few says little about the width to come."""

MIN_UNTIL_DECIDED = 20
"""Likewise with `replications: enough`. It is then asked after each doubling."""


def first_replications(scenario: Scenario) -> int:
    """How many replications to make before asking for the first time whether there are enough."""
    asked = scenario.replications
    if asked == "enough":
        return min(MIN_UNTIL_DECIDED, scenario.max_replications)
    wanted = scenario.precision
    return asked if wanted is None else min(max(asked, MIN_REPLICATIONS), wanted.max_replications)


def most_replications(scenario: Scenario) -> int:
    """How many replications to make at most."""
    if scenario.replications == "enough":
        return scenario.max_replications
    return scenario.replications if scenario.precision is None else scenario.precision.max_replications


def looks(scenario: Scenario) -> int:
    """How often it may be asked whether thresholds are decided.

    As each time is another chance to be wrong, each has to be judged at a higher level.
    """
    count, done = 1, first_replications(scenario)
    while scenario.replications == "enough" and done < scenario.max_replications:
        count, done = count + 1, done * 2
    return count


def next_look(done: int, most: int, by: float = 1.2) -> int:
    """After how many replications to look again: a fifth more, or *by* another factor.

    Looking after each would stop too soon too often.
    """
    return min(max(ceil(done * by), done + 1), most)


def is_reached(
    wanted: Precision, measured: Measured, confidence: float, worlds: Worlds, done_all: bool = False
) -> bool:
    """Whether the intervals are as narrow as *wanted*, for every policy (or for every difference from the first).

    A relative half-width is judged against the value less the half-width, so that it holds of the truth and not just
    of its estimate. A figure that is only a bound is never precise, and nor is one for which there are not enough
    replications in which it is not 0.

    Args:
        wanted: the precision.
        measured: the metrics of all replications so far.
        confidence: the level of the intervals.
        worlds: what the replications have in common.
        done_all: whether there will be no more replications. Then a figure that is 0 in all of them is taken for 0.
    """
    reference, *others = measured

    def figures(label: str) -> Column:
        return column(measured, label, wanted.metric, worlds)

    found: list[Figure | Difference]
    if wanted.on == "difference":
        each = 1 - (1 - confidence) / max(len(others), 1)
        found = [difference(figures(label), figures(reference), each) for label in others]
        always_0 = [isinstance(each, Difference) and each.equal for each in found]
    else:
        found = [figure(figures(label), confidence) for label in measured]
        always_0 = [each.value == 0 for each in found]
    return all(
        (done_all and is_0) or (not f.not_enough and _is_narrow(wanted, f.value, f.ci_low, f.ci_high))
        for f, is_0 in zip(found, always_0, strict=True)
    )


def _is_narrow(wanted: Precision, value: float | None, low: float | None, high: float | None) -> bool:
    if value is None or low is None or high is None:
        return False
    half = (high - low) / 2
    if wanted.absolute is not None:
        return half <= wanted.absolute
    assert wanted.relative is not None
    return half <= wanted.relative * max(abs(value) - half, 0.0)
