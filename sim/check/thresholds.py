"""Thresholds: what a scenario demands of its figures. `threshold_verdict.py` says whether they meet it.

fixed: apply_wait.p95 < 90s
fixed: apply_wait.p95 <= old
fixed: apply_wait.p95 <= 0.5 * old
fixed: pod_seconds <= old + 10%
fixed: censored <= 1%
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sim.experiment.run_experiment import is_measured
from sim.scenario import Scenario
from sim.scenario.errors import shown
from sim.scenario.units import SECONDS
from sim.statistics.metric_names import (
    REGRESSION_METRICS,
    SECONDS_METRICS,
    SHARE_METRICS,
    SHARES,
    SLO_METRICS,
    bare,
    known_metrics,
)

_NUMBER = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_THRESHOLD = re.compile(
    r"(?P<policy>.+?)\s*:\s+(?P<metric>[A-Za-z0-9_.-]+)\s*(?P<op><=|>=|<|>)\s*(?P<limit>.+)", re.DOTALL
)
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


def parse_threshold(text: str, labels: Sequence[str], pools: Sequence[str] = ()) -> Threshold:
    """The threshold that *text* states, about policies with these *labels*, and of one of the *pools* if it says so.

    Raises:
        ThresholdError: it cannot be understood, or names a policy or metric that there is not.
    """
    match = _THRESHOLD.fullmatch(text.strip())
    if match is None:
        raise ThresholdError(f"found {shown(text)}, expected {_FORM}")
    policy, metric, op, limit = match["policy"], match["metric"], match["op"], match["limit"].strip()
    if policy not in labels:
        raise ThresholdError(f"found the policy {shown(policy)}, expected one of: {', '.join(labels)}")
    known = known_metrics(pools)
    if metric not in known:
        raise ThresholdError(f"found the metric {shown(metric)}, {expected_metric(metric, known)}")
    kind = bare(metric)

    def amount(number: str, unit: str) -> float:
        if unit and kind not in SECONDS_METRICS:
            raise ThresholdError(
                f"found {shown(number + unit)}, expected a number without a unit, as {metric} is no time"
            )
        return float(number) * SECONDS.get(unit, 1.0)

    factor, reference, offset, share = 0.0, None, 0.0, False
    if value := _VALUE.fullmatch(limit):
        number, unit = value.groups()
        share = unit == "%"
        if share and kind not in (*SHARES, *SHARE_METRICS):
            shares = ", ".join((*SHARES, *SHARE_METRICS))
            raise ThresholdError(f"found {shown(limit)}, expected a percentage only of {shares}")
        offset = float(number) / 100 if share else amount(number, unit)
        if (share or kind in SHARE_METRICS) and offset > 1:
            raise ThresholdError(f"found {shown(limit)}, expected a share from 0 to 1, or from 0% to 100%")
        share = share and kind in SHARES
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


def expected_metric(found: str, metrics: Sequence[str]) -> str:
    """Which of *metrics* may have been meant, for the message about one that there is not."""
    near = get_close_matches(found, metrics, n=3, cutoff=0.5)
    return f"expected a metric such as {', '.join(near or metrics[:3])} (docs/scenarios.md has all)"


def thresholds_of(scenario: Scenario, labels: Sequence[str]) -> list[Threshold]:
    """The scenario's thresholds.

    Raises:
        InputError: one of them cannot be understood, or names a policy or metric that there is not.
    """
    thresholds = []
    for index, text in enumerate(scenario.thresholds):
        try:
            threshold = parse_threshold(text, labels, tuple(scenario.all_pools))
            _expect_given(scenario, threshold.metric)
            thresholds.append(threshold)
        except ThresholdError as error:
            raise scenario.mistake(("thresholds", index), str(error)) from None
    return thresholds


def _expect_given(scenario: Scenario, metric: str) -> None:
    """Refuse a metric that there is only if the scenario gives a limit or a price.

    Raises:
        ThresholdError: it does not.
    """
    if is_measured(scenario, metric):
        return
    metric = bare(metric)
    wait = metric.partition(".")[0]
    if metric in SLO_METRICS:
        raise ThresholdError(f"found {metric}, expected slo: {{{wait}: ...}} in the scenario, which says the limit")
    raise ThresholdError(f"found {metric}, expected cost: {{pod_hour: ...}} in the scenario, which says the prices")


def expect_known_metrics(scenario: Scenario) -> None:
    """Refuse a `regression` of a metric that baselines do not hold, or of which more is better.

    Raises:
        InputError: there is one.
    """
    for metric in scenario.regression:
        if metric not in known_metrics(tuple(scenario.all_pools)) or bare(metric) not in REGRESSION_METRICS:
            problem = f"found {shown(metric)}, {expected_metric(metric, REGRESSION_METRICS)}"
            raise scenario.mistake(("regression", metric), problem)
