"""Thresholds: what a scenario demands of its figures, and whether they meet it.

    fixed: apply_wait.p95 < 90s
    fixed: apply_wait.p95 <= old
    fixed: apply_wait.p95 <= 0.5 * old
    fixed: pod_seconds <= old + 10%
    fixed: censored <= 1%

A threshold is judged on the confidence interval of the margin: of the figure less what it may be at most (or at least),
paired by replication where that is another policy's figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from sim.experiment.intervals import Difference, difference
from sim.experiment.metrics import CAUSE_METRICS, METRICS, WAIT_METRICS
from sim.experiment.summary import Measured
from sim.experiment.survival import Estimate
from sim.scenario.errors import shown
from sim.scenario.units import SECONDS

Verdict = Literal["passed", "failed", "undecided"]

SHARES = {"censored": "confirmed", "confirmed": "tasks", "failed": "tasks", "unplanned": "tasks"}
"""Metrics that can be compared with a percentage, and what they are a share of."""

_SECONDS = (*WAIT_METRICS, *CAUSE_METRICS, "pod_seconds")
_NUMBER = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_THRESHOLD = re.compile(r"(?P<policy>.+?)\s*:\s+(?P<metric>[a-z0-9_.]+)\s*(?P<op><=|>=|<|>)\s*(?P<limit>.+)", re.DOTALL)
_VALUE = re.compile(rf"({_NUMBER})\s*([smhd%]?)")
_POLICY = re.compile(rf"(?:({_NUMBER})\s*\*\s*)?(.+?)(?:\s*([+-])\s*({_NUMBER})\s*([smhd%]?))?")

_FORM = "'<policy>: <metric> <op> <limit>' such as 'fixed: apply_wait.p95 <= old + 10%'"


class ThresholdError(ValueError):
    """A threshold that cannot be understood. Its text says what was found and what was expected."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """`policy`'s `metric` is to be below (or above) `factor` times `reference`'s, plus `offset`.

    Without a `reference` the limit is `offset` alone. With `share` the metric is taken as a share of what `SHARES`
    says.
    """

    text: str
    policy: str
    metric: str
    below: bool
    strict: bool
    factor: float
    reference: str | None
    offset: float
    share: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a threshold.

    `margin` is the figure less its limit, in the metric's unit: for "at most" it has to be at most 0. `needed` is how
    many replications would probably decide it, if it is undecided for want of them.
    """

    threshold: Threshold
    verdict: Verdict
    figure: float | None
    figure_is_bound: bool
    limit: float | None
    margin: Difference
    needed: int | None


def parse_threshold(text: str, labels: Sequence[str]) -> Threshold:
    """The threshold that *text* states, about policies with these *labels*.

    Raises:
        ThresholdError: it cannot be understood, or names a policy or metric that there is not.
    """
    match = _THRESHOLD.fullmatch(text.strip())
    if match is None:
        raise ThresholdError(f"found {shown(text)}, expected {_FORM}")
    policy, metric, op, limit = match["policy"], match["metric"], match["op"], match["limit"].strip()
    if policy not in labels:
        raise ThresholdError(f"found the policy {shown(policy)}, expected one of: {', '.join(labels)}")
    if metric not in METRICS:
        raise ThresholdError(f"found the metric {shown(metric)}, expected one of: {', '.join(METRICS)}")

    def amount(number: str, unit: str) -> float:
        if unit and metric not in _SECONDS:
            raise ThresholdError(
                f"found {shown(number + unit)}, expected a number without a unit, as {metric} is a count"
            )
        return float(number) * SECONDS.get(unit, 1.0)

    factor, reference, offset, share = 0.0, None, 0.0, False
    if value := _VALUE.fullmatch(limit):
        number, unit = value.groups()
        share = unit == "%"
        if share and metric not in SHARES:
            raise ThresholdError(f"found {shown(limit)}, expected a percentage only of {', '.join(SHARES)}")
        offset = float(number) / 100 if share else amount(number, unit)
    else:
        relation = _POLICY.fullmatch(limit)
        if limit in labels:
            factor, reference = 1.0, limit
        elif relation is not None and relation[2] in labels:
            times, reference, sign, number, unit = relation.groups()
            factor = float(times or 1)
            change = 0.0 if number is None else (1 if sign == "+" else -1) * float(number)
            if unit == "%":
                factor *= 1 + change / 100
            elif number is not None:
                offset = (1 if sign == "+" else -1) * amount(number, unit)
        else:
            raise ThresholdError(f"found {shown(limit)}, expected a value or one of: {', '.join(labels)}")
    return Threshold(text, policy, metric, op[0] == "<", len(op) == 1, factor, reference, offset, share)


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


def _verdict(threshold: Threshold, margin: Difference, replications: int) -> Verdict:
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
