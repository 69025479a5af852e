"""The comparison as plain data: what `summary.json` holds and what is printed."""

from __future__ import annotations

from typing import Any

from sim.statistics.columns import Column, Worlds, column
from sim.statistics.intervals import Change, Difference, Figure, difference, figure, relative_change
from sim.statistics.metric_names import CAUSE_METRICS, WAIT_METRICS, bare, known_metrics
from sim.statistics.metrics import Measured

Summary = dict[str, Any]


def summarize(measured: Measured, confidence: float, worlds: Worlds, equivalent_within: float | None = None) -> Summary:
    """The summary of an experiment.

    `policies.<label>.<metric>`, and with several pools `policies.<label>.pools.<pool>.<metric>`, has a `value`, where
    there are replications `ci_low`, `ci_high` and `replications` (how many had a figure), `lower_bound: true` where
    that is all it is, and `not_enough_data: true` where too few replications have a figure that is not 0, with
    `replications_needed` if that can be told.

    `comparisons.<label>.<metric>` has the same of the difference from the first policy, with `upper_bound` likewise, a
    `verdict`, the `relative` change, the `pairing_gain`, and `up_to_horizon: true` where both sides have bounds in a
    few replications. The intervals of a metric's comparisons hold jointly: with k of them each is at level
    1 - (1 - confidence) / k (Bonferroni). Where an interval lies within the share *equivalent_within* of the first
    policy's figure, on either side, the verdict is "equivalent".
    """
    reference, *others = measured
    metrics = list(measured[reference][0])
    replicated = len(measured[reference]) > 1
    each = 1 - (1 - confidence) / max(len(others), 1)

    def figures(label: str, metric: str) -> Column:
        return column(measured, label, metric, worlds)

    def compared(mine: Column, theirs: Column, metric: str) -> dict[str, Any]:
        found = difference(mine, theirs, each)
        word = verdict(found, metric)
        if equivalent_within is not None and found.is_within(equivalent_within * (theirs.mean or 0.0)):
            word = "equivalent"
        change = relative_change(mine, theirs, each) if replicated else None
        return _plain_difference(found, word, replicated) | _plain_change(change)

    return {
        "policies": {
            label: _nested({m: plain_figure(figure(figures(label, m), confidence), replicated) for m in metrics})
            for label in measured
        },
        "comparisons": {
            label: _nested({m: compared(figures(label, m), figures(reference, m), m) for m in metrics})
            for label in others
        },
    }


def verdict(found: Difference, metric: str) -> str:
    """What a difference says in words: of waits "shorter" or "longer", of other metrics "less" or "more"."""
    words = ("shorter", "longer") if bare(metric) in WAIT_METRICS + CAUSE_METRICS else ("less", "more")
    return {-1: words[0], 0: "cannot tell", 1: words[1]}[found.direction]


def plain_figure(found: Figure, replicated: bool) -> dict[str, Any]:
    """A figure as it stands in `summary.json`."""
    entry: dict[str, Any] = {"value": _number(found.value)}
    if replicated:
        entry |= {"ci_low": _number(found.ci_low), "ci_high": _number(found.ci_high)}
        entry["replications"] = found.replications
    if found.not_enough:
        entry["not_enough_data"] = True
        entry |= {} if found.needed is None else {"replications_needed": found.needed}
    return entry | ({"lower_bound": True} if found.lower_bound else {})


def _plain_difference(found: Difference, word: str, replicated: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"value": _number(found.value)}
    if replicated:
        entry |= {"ci_low": _number(found.ci_low), "ci_high": _number(found.ci_high)}
        entry |= {"replications": found.replications}
        entry |= {"verdict": word, "pairing_gain": found.gain}
    marks = {
        "not_enough_data": found.not_enough,
        "lower_bound": found.lower_bound,
        "upper_bound": found.upper_bound,
        "up_to_horizon": found.up_to_horizon,
    }
    return entry | {name: True for name, holds in marks.items() if holds}


def _plain_change(change: Change | None) -> dict[str, Any]:
    if change is None:
        return {}
    return {"relative": {"value": change.value, "ci_low": change.ci_low, "ci_high": change.ci_high}}


def _number(value: float | None) -> float | int | None:
    """Whole numbers as such: a count of pods is 5, not 5.0."""
    return int(value) if value is not None and value == int(value) else value


def _nested(metrics: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """From dotted names to mappings in mappings."""
    tree: dict[str, Any] = {}
    for name, entry in metrics.items():
        *groups, last = name.split(".")
        branch = tree
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[last] = entry
    return tree


def metrics_in(metrics: dict[str, Any]) -> list[str]:
    """The dotted paths of the metrics that a policy's part of a summary has, in the usual order."""
    return [metric for metric in known_metrics(tuple(metrics.get("pools", ()))) if _has(metrics, metric)]


def _has(metrics: dict[str, Any], metric: str) -> bool:
    for part in metric.split("."):
        if not isinstance(metrics, dict) or part not in metrics:
            return False
        metrics = metrics[part]
    return True


def entry(metrics: dict[str, Any], metric: str) -> dict[str, Any]:
    """The entry of a summary for a metric given by its dotted path."""
    for part in metric.split("."):
        metrics = metrics[part]
    return metrics
