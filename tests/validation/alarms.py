"""How often `sim check` raises a false alarm, and how often it finds a regression."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from queues import Row

import sim
from sim.check.baseline import baseline_of, compare
from sim.scenario import Scenario
from sim.statistics.waits import Estimate

SHIPPED = Path(__file__).parents[2] / "scenarios" / "steady-day.yaml"
METRICS = ("apply_wait.mean", "apply_wait.p95", "pod_seconds")

Measured = dict[str, list[dict[str, Estimate]]]


def _figures(seed: int) -> tuple[Scenario, Measured]:
    result = sim.run(sim.load_scenario(SHIPPED), seed=seed)
    return result.scenario, {label: [dict(r) for r in column] for label, column in result.measured.items()}


def _one(baseline: Mapping[str, Any], seed: int) -> tuple[bool, dict[str, bool]]:
    """With another seed: whether there is an alarm, and whether each metric made worse by twice its tolerance is found."""
    scenario, measured = _figures(seed)
    alarm = any(c.verdict == "failed" for c in compare(scenario, measured, baseline))
    found = {}
    for metric in METRICS:
        relative, absolute = scenario.tolerances[metric]
        before = baseline["policies"]["fixed"][metric]["mean"]
        worse = [
            {
                **r,
                metric: Estimate((r[metric].value or 0.0) + 2 * (relative * before + absolute), r[metric].lower_bound),
            }
            for r in measured["fixed"]
        ]
        verdicts = {(c.policy, c.metric): c.verdict for c in compare(scenario, {**measured, "fixed": worse}, baseline)}
        found[metric] = verdicts["fixed", metric] == "failed"
    return alarm, found


def alarms(seeds: int) -> list[Row]:
    """The shipped scenario steady-day, at its replications, against a baseline of another seed."""
    scenario, measured = _figures(0)
    baseline = baseline_of(scenario, measured)
    with ProcessPoolExecutor(2) as pool:
        outcomes = list(pool.map(partial(_one, baseline), range(1, seeds + 1), chunksize=5))
    share = sum(alarm for alarm, _ in outcomes) / seeds
    rows = [
        Row(
            "sim check, steady-day: false alarms with another seed, at most",
            0.05,
            share,
            f"{seeds} seeds",
            share <= 0.05,
        )
    ]
    for metric in METRICS:
        share = sum(found[metric] for _, found in outcomes) / seeds
        what = f"sim check, steady-day: {metric} worse by twice its tolerance is found, at least"
        rows.append(Row(what, 0.95, share, f"{seeds} seeds", share >= 0.95))
    return rows
