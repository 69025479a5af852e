"""Waits before the plan (model.md, 1 and 7): for a slot once eligible, and before that for the own workspace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

import sim
from sim.runs.codes import CAUSES
from sim.scenario import Scenario

from support import Always, Outcome, plan, plan_and_apply, run, scenario, scenarios

both = pytest.mark.parametrize("engine", ["simpy", "fast"])
ONE = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}


def split(result: Outcome, task: int) -> dict[str, float]:
    """Why a task waited for its plan: the causes that are not 0."""
    waits = {cause: getattr(result.tasks[task], f"plan_wait_{cause}") for cause in CAUSES}
    return {cause: wait for cause, wait in waits.items() if wait}


@both
def test_a_plan_waits_from_its_arrival_until_it_asks_and_a_slot_is_free(engine: str) -> None:
    """Task 1 runs from 0 to 63; task 2 asks at 5, 15, ... 65: it waits 58 s for a slot, and 2 s for its turn to ask."""
    result = run([plan(1, 0, 63), plan(2, 5, 10)], pool=ONE, engine=engine)
    assert split(result, 1) == {}
    assert split(result, 2) == {"no_slot": 58, "polling": 2}
    assert (result.tasks[2].eligible_at, result.tasks[2].plan_wait, result.tasks[2].plan_censored) == (5, 60, False)


@both
def test_a_plan_that_never_starts_has_waited_up_to_the_horizon(engine: str) -> None:
    result = run([plan(1, 0, 5000), plan(2, 100, 10)], pool=ONE, horizon=1000, engine=engine)
    assert (result.tasks[2].plan_wait, result.tasks[2].plan_censored) == (900, True)
    assert split(result, 2) == {"no_slot": 900}


@both
def test_a_plan_waits_for_a_pod_that_starts(engine: str) -> None:
    pool = {"min_pods": 0, "max_pods": 1, "slots_per_pod": 1, "pod_startup": 30}
    result = run([plan(1, 2, 10)], pool=pool, policy=Always(1), control={"autoscaler_interval": 5}, engine=engine)
    # The pod is made at the tick of 5 s or earlier, as `Always` wants one from the first tick on.
    waited = split(result, 1)
    assert waited["pod_starting"] > 0
    assert sum(waited.values()) == result.tasks[1].plan_wait == result.tasks[1].plan_started_at - 2


@both
def test_a_plan_waits_for_a_silent_pod_that_was_chosen_and_for_the_server(engine: str) -> None:
    faults: list[dict[str, Any]] = [
        {"kind": "pod_offline", "at": 10, "duration": 50, "target": 0},
        {"kind": "server_restart", "at": 30, "downtime": 5},
    ]
    result = run([plan(1, 20, 10)], pool=ONE, faults=faults, engine=engine)
    # It asks at 20, is told to ask at once when the server is up at 35, and then at 45, 55 and 65; the pod is back at 60.
    assert split(result, 1) == {"agent_offline": 35, "server_down": 5, "polling": 5}


@both
def test_a_plan_and_apply_is_blocked_until_the_earlier_one_of_its_workspace_is_final(engine: str) -> None:
    first, second, third = (plan_and_apply(n, n, 10, 20, 5) for n in (1, 2, 3))
    tasks = [{**task, "workspace": "ws"} for task in (first, second, third)]
    result = run(tasks, pool={"min_pods": 3, "max_pods": 3}, engine=engine)
    assert [result.tasks[n].eligible_at for n in (1, 2, 3)] == [1, 36, 71]
    assert [result.tasks[n].blocked_wait for n in (1, 2, 3)] == [0, 34, 68]
    assert [result.tasks[n].plan_wait for n in (1, 2, 3)] == [0, 0, 0]
    assert [result.tasks[n].blocked_by for n in (2, 3)] == [1, 2]


def test_who_is_blocked_to_the_end_names_the_task_that_is_still_first() -> None:
    undecided = {**plan(1, 0, 10), "type": "plan_and_apply", "workspace": "ws"}
    tasks = [undecided, *({**undecided, "id": n, "arrive": 100} for n in (2, 3))]
    result = run(tasks, pool={"min_pods": 1, "max_pods": 1}, horizon=1000)
    assert [result.tasks[n].blocked_by for n in (2, 3)] == [1, 1]
    assert [result.tasks[n].blocked_wait for n in (2, 3)] == [900, 900]
    assert [result.tasks[n].blocked_censored for n in (1, 2, 3)] == [False, True, True]


@given(scenarios())
def test_the_plan_wait_is_from_eligible_to_the_start_and_its_causes_add_up(experiment: Scenario) -> None:
    tasks = sim.run(experiment).tasks
    began = tasks.eligible_at.notna()
    causes = tasks[[f"plan_wait_{cause}" for cause in CAUSES]]
    assert (causes.isna().all(axis=1) == ~began).all()
    np.testing.assert_array_equal(causes[began].sum(axis=1), tasks.plan_wait[began])
    started = tasks.plan_started_at.fillna(experiment.horizon)
    np.testing.assert_allclose(tasks.plan_wait[began], (started - tasks.eligible_at)[began], atol=1e-6)
    assert (tasks.blocked_wait >= 0).all()
    assert (
        tasks.blocked_wait[~tasks.blocked_censored] == (tasks.eligible_at - tasks.arrived_at)[~tasks.blocked_censored]
    ).all()
    assert (tasks.blocked_by.notna() == (tasks.blocked_wait > 0) | tasks.blocked_censored).all()


def test_the_figures_of_waits_are_in_the_summary() -> None:
    experiment = scenario(
        workload={"tasks": [plan(1, 0, 63), plan(2, 5, 10), plan(3, 100, 5000)]}, pool=ONE, horizon=1000,
        slo={"plan_wait": 30}, cost={"pod_hour": 3.6, "currency": "USD"},
    )  # fmt: skip
    found = sim.run(experiment).summary["policies"]["static"]
    assert found["plan_wait"] == {
        "mean": {"value": 20}, "p50": {"value": 0}, "p90": {"value": 60}, "p95": {"value": 60}, "p99": {"value": 60},
        "max": {"value": 60}, "within_slo": {"value": pytest.approx(2 / 3)},
    }  # fmt: skip
    assert [found[name]["value"] for name in ("completed", "in_progress", "unplanned")] == [2, 1, 0]
    assert found["plan"]["completed"]["value"] == 2
    assert found["busy_share"]["value"] == pytest.approx((63 + 10 + 900) / 1000)
    assert found["idle_share"]["value"] == pytest.approx(0.027)
    assert found["cost"] == {"pods": {"value": 1}, "waiting": {"value": 0}, "total": {"value": 1}}
    assert "within_slo" not in found["apply_wait"]


def test_a_wait_that_is_not_over_is_within_the_limit_only_perhaps() -> None:
    tasks = [plan(1, 0, 990), plan(2, 950, 10), plan(3, 0, 1)]
    found = sim.run(scenario(workload={"tasks": tasks}, pool=ONE, horizon=960, slo={"plan_wait": 30})).summary
    within = found["policies"]["static"]["plan_wait"]["within_slo"]
    assert within == {"value": pytest.approx(1 / 3), "lower_bound": True}


def test_what_waiting_costs() -> None:
    experiment = sim.load_scenario("scenarios/reserved-pod-deleted.yaml").with_changes(
        {"cost": {"pod_hour": 0.4, "waiting_hour": 90}}
    )
    cost = sim.run(experiment).summary["policies"]["old"]["cost"]
    assert cost["waiting"]["value"] == pytest.approx(4930 / 3600 * 90)
    assert cost["total"]["value"] == pytest.approx(4930 / 3600 * 90 + 2.0833333 * 0.4)
