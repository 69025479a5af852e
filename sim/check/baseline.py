"""Baselines: the figures of an earlier version, to be told when they get worse.

A baseline holds each replication's figures. With the same scenario, seed and code the new figures must be the same.
Where something changed they are compared statistically: a metric has regressed if it is larger by more than its
tolerance, and the interval of the difference lies above 0. Where the world is the same (what was drawn before any
policy ran) the difference is paired by replication.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from sim.scenario import InputError, Scenario
from sim.scenario.scenario import Tolerance
from sim.statistics.intervals import Difference, difference, unpaired_difference
from sim.statistics.metric_names import BASELINE_METRICS
from sim.statistics.metrics import Measured
from sim.statistics.waits import Estimate
from sim.traces.recording import recording_of

FORMAT = 1

Change = Literal["nothing", "the code", "the scenario", "the scenario and the code"]
BaselineVerdict = Literal["same", "passed", "improved", "failed"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of one policy against the baseline."""

    policy: str
    metric: str
    verdict: BaselineVerdict
    before: float | None
    now: float | None
    limit: float | None
    """The most that is tolerated."""
    difference: Difference


def baseline_of(scenario: Scenario, measured: Measured) -> dict[str, Any]:
    """The baseline that the figures of an experiment make, as plain data."""
    return {
        "format": FORMAT,
        "scenario": scenario.name,
        "version": version("slotpool-sim"),
        "seed": scenario.seed,
        **_fingerprints(scenario),
        "policies": {
            label: {
                metric: _plain([replication[metric] for replication in replications]) for metric in BASELINE_METRICS
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
                _estimates(entry)
        if baseline["format"] != FORMAT or not isinstance(baseline["world"], str):
            raise ValueError
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror}, expected a baseline") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            str(path), "", "found something else, expected a baseline: make it anew with --save-baseline"
        ) from None
    return dict(baseline)


def what_changed(scenario: Scenario, baseline: Mapping[str, Any]) -> Change:
    """What is different from when the *baseline* was made; the seed is part of the scenario."""
    now = _fingerprints(scenario)
    changed = [now[name] != baseline.get(name) for name in ("resolved", "code")]
    scenario_changed = changed[0] or scenario.seed != baseline["seed"]
    if scenario_changed:
        return "the scenario and the code" if changed[1] else "the scenario"
    return "the code" if changed[1] else "nothing"


def compare(scenario: Scenario, measured: Measured, baseline: Mapping[str, Any]) -> list[Comparison]:
    """Each metric that `regression` names (and every metric, if nothing changed), of each policy in both."""
    exact = what_changed(scenario, baseline) == "nothing"
    paired = _fingerprints(scenario)["world"] == baseline["world"]
    tolerances = dict.fromkeys(BASELINE_METRICS, Tolerance(0, 0)) if exact else scenario.tolerances
    pairs = [
        (label, metric, tolerance, now, baseline["policies"][label][metric])
        for label, now in measured.items()
        for metric, tolerance in tolerances.items()
        if metric in baseline["policies"].get(label, {})
    ]
    # All intervals hold jointly (Bonferroni), so that many metrics do not make many false alarms.
    each = 1 - (1 - scenario.confidence) / max(len(pairs), 1)
    found = []
    for label, metric, tolerance, replications, entry in pairs:
        now, before = [replication[metric] for replication in replications], _estimates(entry)
        rule = difference if paired and len(now) == len(before) else unpaired_difference
        apart, mean = rule(now, before, each), _mean(before)
        limit = None if mean is None else mean * (1 + tolerance.relative) + tolerance.absolute
        verdict: BaselineVerdict
        verdict = ("same" if now == before else "failed") if exact else _verdict(apart, mean, _mean(now), tolerance)
        found.append(Comparison(label, metric, verdict, mean, _mean(now), limit, apart))
    return found


def _verdict(apart: Difference, before: float | None, now: float | None, tolerance: Tolerance) -> BaselineVerdict:
    """Regressed, if it is larger than tolerated and certainly larger; without intervals the figures have to do."""
    if before is None or now is None or apart.value is None:
        return "passed"
    if apart.ci_low is None and apart.ci_high is None:
        worse, better = apart.value > 0 and not apart.upper_bound, apart.value < 0 and not apart.lower_bound
    else:
        worse, better = apart.direction > 0, apart.direction < 0
    slack = before * tolerance.relative + tolerance.absolute
    if worse and now > before + slack:
        return "failed"
    return "improved" if better and now < before - slack else "passed"


def _fingerprints(scenario: Scenario) -> dict[str, str]:
    """What tells whether the scenario, the world in it, and the code are the same."""
    # Without what is as it is by default: a field that a later version adds does not make another scenario.
    without = {"description", "thresholds", "undecided", "regression"}
    resolved = scenario.model_dump(mode="json", exclude=without, exclude_defaults=True)
    recording = recording_of(scenario)
    resolved["trace_sha256"] = None if recording is None else recording.sha256
    world = {name: resolved.get(name) for name in ("horizon", "seed", "workload", "faults", "trace_sha256")}
    world["pod_startup"] = resolved.get("pool", {}).get("pod_startup")
    return {"resolved": _digest(resolved), "world": _digest(world), "code": _code()}


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
