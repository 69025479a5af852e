"""model.md, 6: every random number belongs to a thing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import sim
from sim.world.streams import For, Stream
from sim.world.world import World

from support import assert_same_records, scenario

ARRIVALS = {
    "process": "poisson",
    "rate": "60/h",
    "workspaces": 5,
    "plan_and_apply_share": 0.6,
    "plan": {"dist": "lognormal", "mean": 90, "cv": 0.8},
    "confirm": {"dist": "exponential", "mean": 300},
    "confirm_probability": 0.9,
    "apply": {"dist": "gamma", "mean": 100, "cv": 2},
}


def busy(arrivals: dict[str, Any] | None = None, **parts: Any) -> Any:
    return scenario(
        **{
            "horizon": "4h",
            "pool": {"min_pods": 1, "max_pods": 6, "pod_startup": {"dist": "exponential", "mean": 30}},
            "workload": {"arrivals": {**ARRIVALS, **(arrivals or {})}},
            "faults": [{"kind": "pod_deletion", "every": {"dist": "exponential", "mean": "30m"}, "target": "random"}],
            "policies": ["old", "fixed"],
            "replications": 2,
            **parts,
        }
    )


def columns(experiment: Any, replication: int = 0) -> dict[str, Any]:
    workload = World(experiment, replication).tasks
    return {name: getattr(workload, name) for name in ("arrive", "applies", "workspace", "plan", "confirm", "apply")}


def test_the_same_seed_gives_the_same_and_another_seed_or_replication_another_world() -> None:
    one, same, other = columns(busy()), columns(busy()), columns(busy(seed=2))
    assert all((one[name] == same[name]).all() for name in one)
    assert len(one["plan"]) != len(other["plan"]) or (one["plan"] != other["plan"]).any()
    again = columns(busy(), replication=1)
    assert len(one["plan"]) != len(again["plan"]) or (one["plan"] != again["plan"]).any()


def test_a_longer_horizon_does_not_change_the_tasks_there_were() -> None:
    short, long = columns(busy()), columns(busy(horizon="9h"))
    for name, column in short.items():
        assert (long[name][: len(column)] == column).all(), name


@pytest.mark.parametrize(
    ("changed", "value"),
    [("plan", 5), ("confirm", {"dist": "uniform", "low": 0, "high": 9}), ("apply", 7), ("confirm_probability", 0.1)],
)
def test_another_distribution_for_one_quantity_leaves_the_others(changed: str, value: Any) -> None:
    before, after = columns(busy()), columns(busy({changed: value}))
    touched = "confirm" if changed == "confirm_probability" else changed
    assert all((before[name] == after[name]).all() for name in before if name != touched)
    assert (before[touched] != after[touched]).any()


def test_a_task_that_would_be_longer_under_one_mean_is_longer_under_another() -> None:
    short = columns(busy({"plan": {"dist": "exponential", "mean": 10}}))["plan"]
    long = columns(busy({"plan": {"dist": "exponential", "mean": 1000}}))["plan"]
    assert (np.argsort(short, kind="stable") == np.argsort(long, kind="stable")).mean() > 0.95


def test_the_results_do_not_depend_on_how_many_processes_make_them() -> None:
    assert_same_records(sim.run(busy(), jobs=1), sim.run(busy(), jobs=2))


def test_every_policy_meets_the_same_world() -> None:
    tasks = sim.run(busy()).tasks.set_index(["replication", "task_id"])
    old, fixed = tasks[tasks.policy == "old"], tasks[tasks.policy == "fixed"]
    pd.testing.assert_frame_equal(old[["arrived_at", "type", "workspace"]], fixed[["arrived_at", "type", "workspace"]])
    plans = [(rows.plan_ended_at - rows.plan_started_at).round(6) for rows in (old, fixed)]
    both = plans[0].notna() & plans[1].notna()
    assert both.sum() > 50
    assert (plans[0][both] == plans[1][both]).all()


def test_the_start_up_time_of_the_nth_pod_belongs_to_n() -> None:
    pods = sim.run(busy(), ["fixed", "old"]).pods.dropna(subset="ready_at")
    pods = pods[pods.created_at > 0].assign(startup=lambda rows: (rows.ready_at - rows.created_at).round(6))
    assert (pods.groupby(["replication", "pod"]).startup.nunique() == 1).all()
    assert pods.startup.nunique() > 5


def test_fault_times_do_not_depend_on_the_policy() -> None:
    deleted = sim.run(busy(pool={"min_pods": 5, "max_pods": 6}), ["old", "static"]).pods
    deleted = deleted[deleted.deleted_by == "pod_deletion"]
    times = deleted.groupby(["policy", "replication"]).deleted_at.agg(list)
    assert times["old"].tolist() == times["static"].tolist()


def test_the_numbers_are_these_on_every_machine() -> None:
    assert Stream(1, 0, For.PLAN).take(3).tolist() == [0.40995860116233684, 0.6228054697005249, 0.8620592442710644]
    assert Stream(7, 3, For.FAULT_TIME, 2).take(2).tolist() == [0.002829292587168686, 0.49051395786599616]
