"""The comparison as plain data: what `summary.json` holds and what is printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.experiment.survival import Estimate

Summary = dict[str, Any]


def summarize(figures: Mapping[str, Mapping[str, Estimate]]) -> Summary:
    """The summary of an experiment from each policy's metrics, by label; the first policy is the reference.

    `policies.<label>.<metric>` has a `value`, and `lower_bound: true` where that is all it is. In
    `comparisons.<label>.<metric>` the value is the difference from the first policy, a bound from below
    (`lower_bound`) or from above (`upper_bound`) where one of the two is a lower bound, and null where both are.
    """
    reference = next(iter(figures.values()))
    return {
        "policies": {label: _nested({k: _plain(v) for k, v in metrics.items()}) for label, metrics in figures.items()},
        "comparisons": {
            label: _nested({name: _difference(metrics[name], reference[name]) for name in metrics})
            for label, metrics in list(figures.items())[1:]
        },
    }


def _plain(estimate: Estimate) -> dict[str, Any]:
    return {"value": _number(estimate.value), **({"lower_bound": True} if estimate.lower_bound else {})}


def _difference(other: Estimate, reference: Estimate) -> dict[str, Any]:
    if other.value is None or reference.value is None or (other.lower_bound and reference.lower_bound):
        return {"value": None}
    bound = {"lower_bound": True} if other.lower_bound else {"upper_bound": True} if reference.lower_bound else {}
    return {"value": _number(other.value - reference.value), **bound}


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
