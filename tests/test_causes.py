"""Why it waited: each confirmed task's wait is split without remainder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

import sim
from sim.runs.codes import CAUSES
from sim.scenario import Scenario

from support import Always, Outcome, plan_and_apply, run, scenarios

TWO = {"min_pods": 2, "max_pods": 2}
LOSES = [plan_and_apply(1, 0, 60, 60, 10)]


def split(result: Outcome, task: int = 1) -> dict[str, float]:
    """The causes of a task's wait that are not 0."""
    waits = {cause: getattr(result.tasks[task], f"wait_{cause}") for cause in CAUSES}
    return {cause: wait for cause, wait in waits.items() if wait}


@given(scenarios(guarded=True))
def test_the_causes_sum_to_the_wait_of_every_task(scenario: Scenario) -> None:
    tasks = sim.run(scenario).tasks
    waits = tasks[[f"wait_{cause}" for cause in CAUSES]]
    assert (waits.isna().all(axis=1) == tasks.confirmed_at.isna()).all()
    confirmed = tasks.confirmed_at.notna()
    assert (waits[confirmed] >= 0).all(axis=None)
    np.testing.assert_array_equal(waits[confirmed].sum(axis=1), tasks.apply_wait[confirmed])


def test_no_wait_no_cause() -> None:
    assert split(run(LOSES, pool=TWO)) == {}


def test_only_server_down() -> None:
    # Confirmed at 120, in the instant before the server goes down; its pod falls silent, so it cannot start at once.
    faults: list[dict[str, Any]] = [
        {"kind": "pod_offline", "at": 120, "duration": 0.25, "target": 0},
        {"kind": "server_restart", "at": 120.25, "downtime": 30},
    ]
    result = run(LOSES, pool=TWO, faults=faults)
    assert split(result) == {"agent_offline": 0.25, "server_down": 30}
    deletion = [{"kind": "pod_deletion", "at": 70, "target": 0}, {"kind": "server_restart", "at": 120, "downtime": 30}]
    result = run(LOSES, pool={"min_pods": 0, "max_pods": 2, "initial_pods": 2}, policy=Always(1), faults=deletion)
    assert split(result) == {}  # the confirmation was put off to 150, and counts from there


def test_server_down_alone_after_an_attempt_that_could_not_be_made() -> None:
    # The reservation is lost, no slot is free at 120; the server is down from then on until one is.
    tasks = [*LOSES, plan_and_apply(2, 0, 125, 500, 10)]
    faults = [{"kind": "pod_deletion", "at": 70, "target": 0}, {"kind": "server_restart", "at": 121, "downtime": 30}]
    pool = {"min_pods": 0, "max_pods": 2, "initial_pods": 2}
    result = run(tasks, pool=pool, policy=Always(1), faults=faults, horizon=151)
    assert split(result) == {"no_slot": 1, "server_down": 29.0 + 1}
    assert result.tasks[1].censored


def test_only_agent_offline() -> None:
    faults = [{"kind": "pod_offline", "at": 70, "duration": 50 + 600, "target": 0}]
    assert split(run(LOSES, pool=TWO, faults=faults)) == {"agent_offline": 600}


@pytest.mark.parametrize("engine", ["simpy", "fast"])
def test_agent_offline_where_the_search_chooses_a_silent_pod(engine: str) -> None:
    """The server has not noticed that pod 1 is silent, so it tries that one, while pod 2 would answer."""
    faults = [
        {"kind": "pod_deletion", "at": 70, "target": 0},
        {"kind": "pod_offline", "at": 105, "duration": 600, "target": 1},
    ]
    pool = {"min_pods": 3, "max_pods": 3, "pod_startup": 600}
    assert split(run(LOSES, pool=pool, faults=faults, engine=engine)) == {"agent_offline": 105, "polling": 5}


def test_only_polling() -> None:
    # Restored at 123, in the middle between two retries.
    faults = [{"kind": "pod_offline", "at": 70, "duration": 50, "target": 0}]
    assert split(run(LOSES, pool=TWO, faults=faults)) == {}
    faults = [{"kind": "pod_offline", "at": 70, "duration": 53, "target": 0}]
    assert split(run(LOSES, pool=TWO, faults=faults)) == {"agent_offline": 3, "polling": 7}
    with_notify = run(LOSES, pool=TWO, faults=faults, control={"dispatch": "notify"})
    assert split(with_notify) == {"agent_offline": 3}


def test_polling_alone_when_a_slot_falls_free_in_the_instant_of_a_failed_attempt() -> None:
    # Task 1 asks at 120 and finds nothing. The pod is ready in that instant, but after its turn: it was made then.
    pool = {"min_pods": 0, "max_pods": 3, "initial_pods": 2, "pod_startup": 0}
    deletion = [{"kind": "pod_deletion", "at": 70, "target": 0}, {"kind": "pod_deletion", "at": 70, "target": 1}]
    result = run(LOSES, pool=pool, policy=AtSecond(120), faults=deletion)
    assert split(result) == {"polling": 10}


def test_only_pod_starting() -> None:
    pool = {"min_pods": 0, "max_pods": 1, "initial_pods": 1, "pod_startup": 80}
    deletion = [{"kind": "pod_deletion", "at": 70, "target": 0}]
    assert split(run(LOSES, pool=pool, policy=Always(1), faults=deletion)) == {"pod_starting": 30}


def test_only_no_slot() -> None:
    tasks = [*LOSES, plan_and_apply(2, 0, 140, 0, 10)]
    deletion = [{"kind": "pod_deletion", "at": 70, "target": 0}]
    pool = {"min_pods": 0, "max_pods": 2, "initial_pods": 2}
    assert split(run(tasks, pool=pool, policy=Always(1), faults=deletion)) == {"no_slot": 30}


def test_the_sums_are_in_the_summary() -> None:
    experiment = sim.load_scenario("scenarios/reserved-pod-deleted.yaml")
    result = sim.run(experiment)
    figures = result.summary["policies"]["old"]
    assert {name: figures[f"wait_{name}"]["value"] for name in CAUSES} == {
        "server_down": 0, "agent_offline": 0, "polling": 9, "pod_starting": 0, "no_slot": 4921, "replanning": 0,
    }  # fmt: skip
    assert result.summary["comparisons"]["fixed"]["wait_no_slot"]["value"] == -4921


class AtSecond:
    """No pods until a moment, then one."""

    def __init__(self, moment: float) -> None:
        self.moment = moment

    def desired_pods(self, view: sim.PoolView) -> int:
        return int(view.time >= self.moment)


@pytest.mark.parametrize("engine", ["simpy", "fast"])
def test_one_more_tick_changes_no_cause(engine: str) -> None:
    deletion = [{"kind": "pod_deletion", "at": 70, "target": 0}]
    result = run(LOSES, pool={"min_pods": 0, "max_pods": 2, "initial_pods": 2}, faults=deletion, engine=engine)
    assert split(result) == {}


def test_who_applies_at_the_horizon_has_waited_for_its_reasons() -> None:
    """It is neither final nor waiting when the run ends."""
    tasks = [plan_and_apply(1, 0, 10, 20, 1000)]
    deletion = [{"kind": "pod_deletion", "at": 20, "target": 0}]
    result = run(tasks, pool={"min_pods": 1, "max_pods": 1}, faults=deletion, horizon=300)
    assert result.tasks[1].state == "applying"
    assert result.tasks[1].apply_wait == sum(split(result).values()) > 0
