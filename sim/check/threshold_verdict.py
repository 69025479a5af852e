"""Whether the figures of an experiment meet a threshold.

A threshold is judged on the confidence interval of the margin: of the figure less what it may be at most (or at least),
paired by replication where that is another policy's figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from sim.check.thresholds import SHARES, Threshold
from sim.statistics.intervals import Difference, difference
from sim.statistics.metrics import Measured
from sim.statistics.waits import Estimate

ThresholdVerdict = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a threshold.

    `margin` is the figure less its limit, in the metric's unit: for "at most" it has to be at most 0. `needed` is how
    many replications would probably decide it, if it is undecided for want of them.
    """

    threshold: Threshold
    verdict: ThresholdVerdict
    figure: float | None
    figure_is_bound: bool
    limit: float | None
    margin: Difference
    needed: int | None


def judge(threshold: Threshold, measured: Measured, confidence: float) -> Judgement:
    """Whether the figures of an experiment meet *threshold*, at that *confidence*."""
    figures = _column(measured, threshold.policy, threshold)
    if threshold.reference is None:
        limits = [Estimate(threshold.offset) for _ in figures]
    else:
        limits = [
            Estimate(None if e.value is None else threshold.factor * e.value + threshold.offset, e.lower_bound)
            for e in _column(measured, threshold.reference, threshold)
        ]
    margin = difference(figures, limits, confidence)
    verdict = _verdict(threshold, margin, len(figures))
    return Judgement(
        threshold,
        verdict,
        _mean(figures),
        any(e.lower_bound for e in figures),
        _mean(limits),
        margin,
        _needed(margin, len(figures)) if verdict == "undecided" else None,
    )


def _column(measured: Measured, label: str, threshold: Threshold) -> list[Estimate]:
    column = [replication[threshold.metric] for replication in measured[label]]
    if not threshold.share:
        return column
    base = [replication[SHARES[threshold.metric]].value for replication in measured[label]]
    return [Estimate(e.value / of if of and e.value is not None else None) for e, of in zip(column, base, strict=True)]


def _verdict(threshold: Threshold, margin: Difference, replications: int) -> ThresholdVerdict:
    """Judged on the interval; with one replication, where there is none, on the figure."""
    if margin.value is None:
        return "undecided"
    single = replications < 2 or (margin.ci_low is None and margin.ci_high is None)
    low = None if margin.upper_bound else margin.value if single else margin.ci_low
    high = None if margin.lower_bound else margin.value if single else margin.ci_high
    if not threshold.below:
        low, high = (None if high is None else -high), (None if low is None else -low)
    if high is not None and (high < 0 or (high == 0 and not threshold.strict)):
        return "passed"
    if low is not None and (low > 0 or (low == 0 and threshold.strict)):
        return "failed"
    return "undecided"


def _needed(margin: Difference, replications: int) -> int | None:
    """So many replications that the half-width would be as small as the margin, if both stayed as they are."""
    if margin.value in (None, 0) or margin.ci_low is None or margin.ci_high is None:
        return None
    half = (margin.ci_high - margin.ci_low) / 2
    assert margin.value is not None
    return max(ceil(replications * (half / abs(margin.value)) ** 2), replications + 1)


def _mean(estimates: Sequence[Estimate]) -> float | None:
    values = [e.value for e in estimates if e.value is not None]
    return sum(values) / len(values) if values else None
