"""How many replications it would take to decide."""

from __future__ import annotations

from math import ceil

from sim.statistics.intervals import Difference
from sim.statistics.mean_interval import ENOUGH

POWER = 0.8
"""How probable it is to be that as many replications as are asked for decide."""


def needed_replications(margin: Difference, replications: int, confidence: float) -> int | None:
    """How many replications would decide on which side of 0 the *margin* is, with the probability `POWER`.

    It is supposed that the replications to come are like the *replications* that there are. None if that says nothing.
    """
    if margin.value in (None, 0) or replications < 2 or margin.replications < replications:
        return None
    assert margin.value is not None
    if replications < ENOUGH:
        return ENOUGH
    end = margin.ci_high if margin.value < 0 else margin.ci_low
    if margin.not_enough or end is None:
        return None
    reached = abs(end - margin.value) / abs(margin.value)
    return max(ceil(replications * (reached * _for_power(confidence)) ** 2), replications + 1)


def _for_power(confidence: float) -> float:
    """How many times as far as the interval reaches the truth has to lie from 0, to be decided so probably."""
    from scipy.special import ndtri

    reach = float(ndtri((1 + confidence) / 2))
    return (reach + float(ndtri(POWER))) / reach
