"""Whether every figure that is called a bound is one: random scenarios in which tasks starve, run on until nobody waits."""

from __future__ import annotations

import random
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from queues import Row

import sim
from sim.scenario import Scenario
from sim.statistics.metric_names import WAIT_METRICS

DRAIN = 40 * 86400.0


def starving(seed: int) -> dict[str, Any]:
    """A scenario in which pods go or fall silent shortly before the end, and some tasks are then still waiting."""
    draw = random.Random(seed)
    pods, slots = draw.randint(1, 4), draw.randint(1, 4)
    horizon = draw.choice((1800.0, 7200.0, 21600.0))
    faults = [
        {"kind": draw.choice(("pod_deletion", "pod_offline")), "at": draw.uniform(0.2, 1) * horizon,
         "target": draw.choice(("any", "reserved", "running", "random"))}
        for _ in range(draw.randint(1, 6))
    ]  # fmt: skip
    for fault in faults:
        if fault["kind"] == "pod_offline":
            fault["duration"] = draw.uniform(60, 20000)
    arrivals = {
        "process": "poisson", "rate": f"{draw.choice((20, 60, 200))}/h", "workspaces": draw.choice((3, 30, 1000)),
        "plan_and_apply_share": draw.choice((0.3, 1)), "plan": draw.choice((10, 300)),
        "confirm": {"dist": "exponential", "mean": draw.choice((60, 900, 3600))}, "apply": draw.choice((10, 600)),
    }  # fmt: skip
    return {
        "name": "starving", "horizon": horizon, "seed": seed, "workload": {"arrivals": arrivals}, "faults": faults,
        "pool": {"min_pods": pods, "max_pods": pods, "slots_per_pod": slots, "apply_slots": draw.randint(1, slots),
                 "pod_startup": draw.choice((30, 3000)), "reservation_ttl": draw.choice((600, 86400))},
        "control": {"dispatch": draw.choice(("poll", "notify"))}, "policies": ["static"],
    }  # fmt: skip


def _compare(seed: int) -> tuple[int, int, int]:
    """How many figures are bounds, and how many turned out on the wrong side; and how many exact ones turned out other."""
    document = starving(seed)
    short = sim.run(Scenario.model_validate(document), engine="fast").measured["static"][0]
    long = sim.run(Scenario.model_validate({**document, "drain": DRAIN}), engine="fast").measured["static"][0]
    assert long["censored"].value == 0, seed
    bounds = wrong = changed = 0
    for metric in WAIT_METRICS:
        before, after = short[metric], long[metric]
        if before.value is None or after.value is None:
            assert before.value is after.value is None
        elif before.lower_bound:
            bounds, wrong = bounds + 1, wrong + (after.value < before.value - 1e-9)
        else:
            changed += abs(after.value - before.value) > 1e-9
    return bounds, wrong, changed


def bounds(scenarios: int, pool: ProcessPoolExecutor) -> list[Row]:
    """*scenarios* random ones, each run to its horizon and then on until nobody waits."""
    found = list(pool.map(_compare, range(scenarios), chunksize=20))
    count, wrong, changed = (sum(column) for column in zip(*found, strict=True))
    starved = sum(bounds > 0 for bounds, *_ in found)
    return [
        Row(f"{scenarios} random scenarios, {starved} with bounds: bounds that do not hold in the end", 0, wrong, f"{count} bounds",
            wrong == 0),
        Row(f"{scenarios} random scenarios: figures called exact that change in the end", 0, changed, "", changed == 0),
    ]  # fmt: skip
