"""Scenarios and runs of the full model: plans, confirmations, applies, polling and an autoscaler."""

from __future__ import annotations

import hashlib
from typing import Any

from sim.engine import run as engine
from sim.experiment.named_policies import named_policies
from sim.model import run as model
from sim.runs.record import Record
from sim.scenario import Scenario
from sim.world.platform import settings_of
from sim.world.world import World

HOUR = 3600
DAY = 24 * HOUR


def traffic(rate: float, hours: float, policy: str = "fixed", seed: int = 1, **parts: Any) -> Scenario:
    """Tasks at *rate* an hour: three fifths of them plan for 90 s, are confirmed after 15 min and apply for 3 min.

    There are pods enough for them, unless *parts* say otherwise: half of the apply slots are taken.
    """
    enough = max(2, round(0.4 * rate))
    parts.setdefault("pool", {"min_pods": enough, "max_pods": 2 * enough})
    document = {
        "name": "traffic",
        "horizon": hours * HOUR,
        "seed": seed,
        "policies": [policy],
        "workload": {
            "arrivals": {
                "process": "poisson",
                "rate": f"{rate!r}/h",
                "plan_and_apply_share": 0.6,
                "plan": {"dist": "lognormal", "mean": 90, "cv": 0.8},
                "confirm": {"dist": "lognormal", "mean": 900, "cv": 1.5},
                "apply": {"dist": "lognormal", "mean": 180, "cv": 1},
            }
        },
    }
    return Scenario.model_validate(document | parts)


def backlog(tasks: int, hours: float, seed: int = 1) -> Scenario:
    """About so many *tasks* in the first minute, for one pod; each keeps its only apply slot for half an hour."""
    return traffic(
        1,
        hours,
        "old",
        seed,
        pool={"min_pods": 1, "max_pods": 1},
        workload={
            "arrivals": {
                "process": "profile",
                "rates": {"00:00": f"{tasks}/m", "00:01": "1/d"},
                "plan_and_apply_share": 1,
                "plan": {"dist": "lognormal", "mean": 90, "cv": 0.8},
                "confirm": {"dist": "lognormal", "mean": 1500, "cv": 1},
                "apply": {"dist": "lognormal", "mean": 180, "cv": 1},
            }
        },
    )


def simulated(scenario: Scenario, in_simpy: bool = False) -> Record:
    """The first replication under the first policy, drawn, simulated and recorded: by the engine, or by the model."""
    policy = named_policies(scenario, None, False)[0].fresh()
    simulate = model.simulate if in_simpy else engine.simulate
    return simulate(settings_of(scenario), World(scenario, 0).inputs(), [policy])


def full_model(rate: float, tasks: int, seed: int) -> Record:
    """About so many *tasks*, at *rate* an hour."""
    return simulated(traffic(rate, tasks / rate, seed=seed))


def fingerprint(record: Record) -> str:
    """The same for equal records, and for no others."""
    found = hashlib.sha256()
    for part in ("tasks", "pods", "decisions", "reservations", "incidents"):
        for name, column in getattr(record, part).items():
            found.update(f"{part} {name} {len(column)} ".encode())
            found.update(column.tobytes())
    return found.hexdigest()


def count_tasks(record: Record) -> int:
    """How many tasks there were."""
    return len(record.tasks["index"])
