"""Whether the figures of an experiment meet a threshold.

A threshold is judged on the confidence interval of the margin: of the figure less what it may be at most (or at least),
paired by replication where that is another policy's figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite, log
from typing import Literal

import numpy as np

from sim.check.power import needed_replications
from sim.check.thresholds import Threshold
from sim.statistics.columns import Column, Worlds, column
from sim.statistics.intervals import Difference, Figure, difference, figure
from sim.statistics.mean_interval import ENOUGH
from sim.statistics.metric_names import share_of
from sim.statistics.metrics import Measured

ThresholdVerdict = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a threshold.

    `margin` is the figure less its limit, in the metric's unit: for "at most" it has to be at most 0. `needed` is how
    many replications would decide it with a probability of 80 %, if it is undecided for want of them and that can be
    told. `replications` is how many there are, of which `margin.replications` have a figure.
    """

    threshold: Threshold
    verdict: ThresholdVerdict
    figure: float | None
    figure_is_bound: bool
    limit: float | None
    margin: Difference
    replications: int
    needed: int | None


def judge(threshold: Threshold, measured: Measured, confidence: float, worlds: Worlds) -> Judgement:
    """Whether the figures of an experiment meet *threshold*, at that *confidence*.

    Of the error that it leaves one half is spent: an interval of skewed waits that misses the truth does so mostly on
    one side, and a threshold asks about one side.
    """
    confidence = 1 - (1 - confidence) / 2
    mine = column(measured, threshold.policy, threshold.metric, worlds, threshold.share)
    if threshold.reference is None:
        margin = _margin(figure(mine, confidence), threshold.offset)
        limit: float | None = threshold.offset
    else:
        theirs = column(measured, threshold.reference, threshold.metric, worlds, threshold.share)
        margin = difference(mine, theirs, confidence, threshold.factor).shifted(-threshold.offset)
        limit = None if theirs.mean is None else threshold.factor * theirs.mean + threshold.offset
    if _counts_nothing(threshold, measured):
        margin = Difference(None)
    verdict = _verdict(threshold, margin, mine)
    return Judgement(
        threshold,
        verdict,
        mine.mean,
        mine.any_bound,
        limit,
        margin,
        len(mine.estimates),
        _needed(threshold, margin, mine, confidence) if verdict == "undecided" else None,
    )


def _counts_nothing(threshold: Threshold, measured: Measured) -> bool:
    """Whether the metric counts some tasks of those that there are none of: nobody was confirmed, say."""
    of = share_of(threshold.metric)
    return of is not None and all(of in each and not each[of].value for each in measured[threshold.policy])


def _margin(found: Figure, limit: float) -> Difference:
    """The margin between a figure and a limit that is known."""
    as_difference = Difference(
        found.value,
        found.lower_bound,
        ci_low=found.ci_low,
        ci_high=found.ci_high,
        replications=found.replications,
        not_enough=found.not_enough,
    )
    return as_difference.shifted(-limit)


def _verdict(threshold: Threshold, margin: Difference, mine: Column) -> ThresholdVerdict:
    """Judged on the interval; with one replication, where there is none, on the figure."""
    if margin.value is None:
        return "undecided"
    if _always_at_the_limit(threshold, margin, mine):
        return "failed" if threshold.strict else "passed"
    low, high = margin.ci_low, margin.ci_high
    if len(mine.estimates) == 1:
        low = None if margin.upper_bound else margin.value
        high = None if margin.lower_bound else margin.value
    if not threshold.below:
        low, high = (None if high is None else -high), (None if low is None else -low)
    if high is not None and (high < 0 or (high == 0 and not threshold.strict)):
        return "passed"
    if low is not None and (low > 0 or (low == 0 and threshold.strict)):
        return "failed"
    return "undecided"


def _always_at_the_limit(threshold: Threshold, margin: Difference, mine: Column) -> bool:
    """Whether the figure is exactly at its limit in every replication, and there are enough of them.

    No interval can show that two policies never differ, or that something never happens. A threshold such as
    ``failed <= 0`` or ``apply_wait.p95 <= old`` is taken to ask whether it is so in the worlds that were simulated.
    """
    if threshold.offset != 0 or margin.replications < ENOUGH or margin.replications < len(mine.estimates):
        return False
    is_bound = margin.lower_bound or margin.upper_bound or margin.up_to_horizon
    return not is_bound and (margin.equal if threshold.reference is not None else not np.any(mine.values))


def _needed(threshold: Threshold, margin: Difference, mine: Column, confidence: float) -> int | None:
    """How many replications would probably decide it, if the replications to come are like those that there are."""
    count = len(mine.estimates)
    if not margin.not_enough or count < ENOUGH or margin.replications < count:
        return needed_replications(margin, count, confidence)
    not_zero = int(np.count_nonzero(mine.values))
    if not_zero:
        return ceil(count * ENOUGH / not_zero)
    if threshold.reference is not None or not threshold.below or not isfinite(mine.most) or threshold.offset <= 0:
        return None
    # As many as it takes for the exact interval to end below the limit, if all of them are 0.
    share = threshold.offset / mine.most
    return ceil(log((1 - confidence) / 2) / log(1 - share)) if 1e-12 < share < 1 else None
