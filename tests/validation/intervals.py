"""Do 95 % intervals contain the known answer in 95 % of experiments?"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from queues import Row

import sim
from sim.scenario import Scenario

TASKS = 100.0


def _arrivals(precision: dict[str, Any] | None) -> dict[str, Any]:
    """How many tasks arrive in an hour: Poisson, with a mean of 100."""
    return {
        "name": "count", "horizon": "1h", "replications": 10, "policies": ["static"], "precision": precision,
        "workload": {"arrivals": {"process": "poisson", "rate": f"{TASKS:g}/h", "plan": "1s"}},
    }  # fmt: skip


def _outages() -> dict[str, Any]:
    """Ten confirmed tasks, each waiting for its own pod, which is silent for 100 s on average."""
    tasks = [
        {"id": n, "type": "plan_and_apply", "workspace": f"ws-{n}", "arrive": 0, "plan": 1, "confirm": 9, "apply": 1}
        for n in range(10)
    ]
    outage = {"kind": "pod_offline", "at": 10, "duration": {"dist": "exponential", "mean": 100}}
    return {
        "name": "outages", "horizon": "1d", "replications": 10, "policies": ["static"],
        "control": {"dispatch": "notify", "autoscaler_interval": "1h"},
        "pool": {"min_pods": 10, "max_pods": 10, "slots_per_pod": 1},
        "workload": {"tasks": tasks}, "faults": [{**outage, "target": n} for n in range(10)],
    }  # fmt: skip


def _contains(document: dict[str, Any], metric: str, known: float, seed: int) -> bool:
    summary = sim.run(Scenario.model_validate({**document, "seed": seed})).summary
    entry = summary["policies"]["static"]
    for part in metric.split("."):
        entry = entry[part]
    return bool(entry["ci_low"] <= known <= entry["ci_high"])


def coverage(experiments: int) -> list[Row]:
    """The share of *experiments* whose interval contains the known answer."""
    sequential = {"metric": "tasks", "relative": "3%"}
    cases = [
        ("tasks, 10 replications", _arrivals(None), "tasks", TASKS, 0.93, 0.97),
        ("mean wait for silent pods, 10 replications", _outages(), "apply_wait.mean", 100.0, 0.93, 0.97),
        ("tasks, as many as 3 % takes", _arrivals(sequential), "tasks", TASKS, 0.92, 1.0),
    ]
    rows = []
    with ProcessPoolExecutor(2) as pool:
        for what, document, metric, known, low, high in cases:
            hits = sum(pool.map(partial(_contains, document, metric, known), range(experiments), chunksize=20))
            share = hits / experiments
            rows.append(
                Row(
                    f"coverage of 95 % intervals: {what}",
                    0.95,
                    share,
                    f"{experiments} experiments",
                    low <= share <= high,
                )
            )
    return rows
