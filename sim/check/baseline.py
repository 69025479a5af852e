"""Baselines: the figures of an earlier version, to be told when they get worse.

A baseline holds each replication's figures. With the same scenario, seed, code and libraries the new figures must be
the same. Where something changed they are compared statistically, against what is tolerated: a metric is held if the
interval of the difference ends below that, has regressed if it begins above, and is undecided otherwise
(non-inferiority). Where the world is the same (what was drawn before any policy ran) the difference is paired by
replication. Waits that are not over count as what they are up to the horizon, before and now.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from math import isclose, isfinite
from pathlib import Path
from typing import Any, Literal

from sim.check.power import needed_replications
from sim.scenario import InputError, PolicyChoice, Scenario
from sim.scenario.scenario import Tolerance
from sim.statistics.columns import Column, Worlds, column
from sim.statistics.intervals import Difference, difference, unpaired_difference
from sim.statistics.metric_names import BASELINE_METRICS, bare, known_metrics
from sim.statistics.metrics import Measured
from sim.statistics.waits import Estimate
from sim.traces.recording import recording_of

FORMAT = 1

LIBRARIES = ("numpy", "scipy")
"""What figures may depend on in their last bits, beside the processor."""

BaselineVerdict = Literal["same", "held", "improved", "regressed", "undecided"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of one policy against the baseline.

    `limit` is the most that is tolerated, `margin` the figure less that, `replications` how many there are now, and
    `needed` how many would probably decide it, if it is undecided and that can be told.
    """

    policy: str
    metric: str
    verdict: BaselineVerdict
    before: float | None
    now: float | None
    limit: float | None
    margin: Difference
    replications: int
    needed: int | None = None


def baseline_of(scenario: Scenario, measured: Measured) -> dict[str, Any]:
    """The baseline that the figures of an experiment make, as plain data."""
    return {
        "format": FORMAT,
        "scenario": scenario.name,
        "version": version("slotpool-sim"),
        "seed": scenario.seed,
        **_fingerprints(scenario),
        "made_with": _made_with(),
        "described": described(scenario),
        "policies": {
            label: {
                metric: _plain([replication[metric] for replication in replications])
                for metric in replications[0]
                if bare(metric) in BASELINE_METRICS
            }
            for label, replications in measured.items()
        },
    }


def baseline_text(baseline: Mapping[str, Any]) -> str:
    """The baseline as JSON that is easy to read and to diff: a line per metric."""
    head = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in baseline.items() if key != "policies"]
    policies = []
    for label, metrics in baseline["policies"].items():
        lines = ",\n".join(f"      {json.dumps(metric)}: {json.dumps(entry)}" for metric, entry in metrics.items())
        policies.append(f"    {json.dumps(label)}: {{\n{lines}\n    }}")
    return "{\n" + "\n".join(head) + '\n  "policies": {\n' + ",\n".join(policies) + "\n  }\n}\n"


def read_baseline(path: Path) -> dict[str, Any] | None:
    """The baseline in *path*, or None if there is none.

    Raises:
        InputError: the file is there but is no baseline.
    """
    try:
        baseline = json.loads(path.read_text(encoding="utf-8"))
        for metrics in baseline["policies"].values():
            for entry in metrics.values():
                values = [estimate.value for estimate in _estimates(entry)]
                if not values or not all(value is None or isfinite(value) for value in values):
                    raise ValueError
        described_as = baseline.get("described", {})
        if baseline["format"] != FORMAT or not isinstance(baseline["world"], str):
            raise ValueError
        if type(baseline["seed"]) is not int or not isinstance(baseline.get("made_with", {}), dict):
            raise ValueError
        if not all(isinstance(each["name"], str) for each in described_as.values()):
            raise ValueError
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror}, expected a baseline") from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise InputError(
            str(path), "", "found something else, expected a baseline: make it anew with --save-baseline"
        ) from None
    return dict(baseline)


def what_changed(scenario: Scenario, baseline: Mapping[str, Any]) -> tuple[str, ...]:
    """What is different from when the *baseline* was made, in words; the seed is part of the scenario."""
    now = _fingerprints(scenario)
    made_with = baseline.get("made_with", {})
    changes = {
        "the scenario": now["resolved"] != baseline.get("resolved") or scenario.seed != baseline["seed"],
        "the code": now["code"] != baseline.get("code"),
        **{f"{name} ({made_with.get(name, 'not known')} before)": value != made_with.get(name)
           for name, value in _made_with().items()},
    }  # fmt: skip
    return tuple(what for what, changed in changes.items() if changed)


def compare(
    scenario: Scenario,
    measured: Measured,
    baseline: Mapping[str, Any],
    confidence: float | None = None,
    worlds: Worlds | None = None,
) -> list[Comparison]:
    """Each metric that `regression` names (and every metric, if nothing changed), of each policy in both.

    Args:
        scenario: what was run.
        measured: what came out.
        baseline: what came out earlier.
        confidence: at which all comparisons hold jointly; the scenario's, if not given.
        worlds: what the replications have in common.
    """
    worlds = worlds or Worlds(horizon=scenario.end)
    exact = not what_changed(scenario, baseline)
    paired = _fingerprints(scenario)["world"] == baseline["world"]
    known = known_metrics(tuple(scenario.all_pools))
    every = [metric for metric in known if bare(metric) in BASELINE_METRICS]
    tolerances = dict.fromkeys(every, Tolerance(0, 0)) if exact else scenario.tolerances
    pairs = [
        (label, metric, tolerance)
        for label in measured
        for metric, tolerance in tolerances.items()
        if metric in baseline["policies"].get(label, {})
    ]
    # All intervals hold jointly (Bonferroni), so that many metrics do not make many false alarms.
    each = 1 - (1 - (confidence or scenario.confidence)) / max(len(pairs), 1)
    found = []
    for label, metric, tolerance in pairs:
        now = column(measured, label, metric, worlds).so_far()
        before = Column(tuple(_estimates(baseline["policies"][label][metric])), now.most, worlds.vary)
        factor = 1 + tolerance.relative
        common, most = sorted((len(now.estimates), len(before.estimates)))
        one_of_many = common == 1 < most
        if paired:  # The worlds of both are the same, as many as both have.
            now, before = now.first(common), before.first(common)
        same = _are_same([r[metric] for r in measured[label]][: len(now.estimates)], before.estimates)
        before = before.so_far()
        margin = (difference if paired else unpaired_difference)(now, before, each, factor)
        margin = margin.shifted(-tolerance.absolute)
        verdict: BaselineVerdict
        if one_of_many:
            verdict = "undecided"
            margin = replace(margin, not_enough=True)
        elif same:
            verdict = "same"
        else:
            verdict = (
                "regressed" if exact else _verdict(margin, (before.mean or 0) * tolerance.relative + tolerance.absolute)
            )
        mean = before.mean
        limit = None if mean is None else mean * factor + tolerance.absolute
        needed = needed_replications(margin, len(now.estimates), each) if verdict == "undecided" else None
        found.append(Comparison(label, metric, verdict, mean, now.mean, limit, margin, len(now.estimates), needed))
    return found


def without_partner(scenario: Scenario, measured: Measured, baseline: Mapping[str, Any]) -> Iterator[str]:
    """What is in the baseline or in the scenario and has nothing in the other to be compared with, in words."""
    for label in baseline["policies"]:
        if label not in measured:
            yield f"the baseline has the policy {label}, which was not run"
    for label in measured:
        if label not in baseline["policies"]:
            yield f"the baseline has no policy {label}"
            continue
        was, runs = baseline.get("described", {}).get(label), described(scenario).get(label)
        if was is not None and runs is not None and was != runs:
            yield f"{label} was {_text(was)} in the baseline, and is {_text(runs)}"
        for metric in scenario.tolerances:
            if metric not in baseline["policies"][label]:
                yield f"the baseline has no {metric} of {label}"


def _are_same(now: Sequence[Estimate], before: Sequence[Estimate]) -> bool:
    """Whether all figures are the same, but for the rounding error of adding up in another order."""
    return len(now) == len(before) and all(
        a == b or (None not in (a.value, b.value) and a.lower_bound == b.lower_bound and isclose(a.value, b.value))  # type: ignore[arg-type]
        for a, b in zip(now, before, strict=True)
    )


def _verdict(margin: Difference, slack: float) -> BaselineVerdict:
    """Judged on the interval of the margin; with one replication, where there is none, on the margin itself."""
    alone = margin.replications == 1 and not margin.not_enough
    low, high = (margin.value, margin.value) if alone else (margin.ci_low, margin.ci_high)
    if high is not None and high < -2 * slack:
        return "improved"
    if high is not None and high <= 0:
        return "held"
    return "regressed" if low is not None and low > 0 else "undecided"


def _fingerprints(scenario: Scenario) -> dict[str, str]:
    """What tells whether the scenario, the world in it, and the code are the same."""
    # Without what is as it is by default: a field that a later version adds does not make another scenario.
    without = {"description", "thresholds", "undecided", "regression", "max_replications"}
    resolved = scenario.model_dump(mode="json", exclude=without, exclude_defaults=True)
    recording = recording_of(scenario)
    resolved["trace_sha256"] = None if recording is None else recording.sha256
    world = {name: resolved.get(name) for name in ("horizon", "drain", "seed", "workload", "faults", "trace_sha256")}
    world["pod_startup"] = resolved.get("pool", {}).get("pod_startup")
    if "pools" in resolved:
        world["pools"] = {name: pool.get("pod_startup") for name, pool in resolved["pools"].items()}
    return {"resolved": _digest(resolved), "world": _digest(world), "code": _code()}


def described(scenario: Scenario) -> dict[str, dict[str, Any]]:
    """What each label of the scenario stands for: the policy's name and its parameters."""
    return {
        choice.shown_label: {"name": choice.name, **{k: str(v) for k, v in _given(choice).items()}}
        for choice in scenario.policies
    }


def _given(choice: PolicyChoice) -> dict[str, Any]:
    return choice.parameters | ({"schedule": choice.schedule} if choice.schedule else {})


def _text(description: Mapping[str, Any]) -> str:
    """A policy's description in words: ``keda (queue_length 2)``."""
    parameters = ", ".join(f"{name} {value}" for name, value in description.items() if name != "name")
    return f"{description['name']} ({parameters})" if parameters else str(description["name"])


def _made_with() -> dict[str, str]:
    """The libraries and the kind of processor that figures depend on."""
    return {**{name: version(name) for name in LIBRARIES}, "processor": platform.machine()}


def _digest(data: Any) -> str:
    return sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


@cache
def _code() -> str:
    """A fingerprint of this program's own source."""
    package = Path(__file__).parents[1]
    total = sha256()
    for part in ("engine", "experiment", "model", "policies", "runs", "scenario", "statistics", "traces", "world"):
        for path in sorted((package / part).rglob("*.py")):
            total.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return total.hexdigest()[:16]


def _plain(estimates: list[Estimate]) -> dict[str, Any]:
    bounds = [n for n, estimate in enumerate(estimates) if estimate.lower_bound]
    return {
        "mean": _mean(estimates),
        "replications": [estimate.value for estimate in estimates],
        **({"lower_bounds": bounds} if bounds else {}),
    }


def _estimates(entry: Mapping[str, Any]) -> list[Estimate]:
    bounds = set(entry.get("lower_bounds", ()))
    return [Estimate(None if v is None else float(v), n in bounds) for n, v in enumerate(entry["replications"])]


def _mean(estimates: list[Estimate]) -> float | None:
    values = [estimate.value for estimate in estimates if estimate.value is not None]
    return sum(values) / len(values) if values else None
