"""Where tasks ran, for whom slots were reserved when, and what struck: what pictures are drawn from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given

import sim
from sim.results.store import reserved_place
from sim.results.stored import StoredResult
from sim.scenario import Scenario

from support import Always, plan, plan_and_apply, scenario, scenarios


def rows(frame: Any, *columns: str) -> list[tuple[Any, ...]]:
    return list(
        frame[list(columns)].astype(object).where(frame[list(columns)].notna(), None).itertuples(index=False, name=None)
    )


def test_where_tasks_ran_and_what_was_reserved_when() -> None:
    tasks = [plan_and_apply(1, 0, 20, 60, 10), plan(2, 0, 5), plan_and_apply(3, 0, 20, None, 0)]
    faults = [
        {"kind": "server_restart", "at": 30, "downtime": 5, "reconcile_after": 10},
        {"kind": "pod_offline", "at": 60, "target": 1, "duration": 7},
        {"kind": "pod_deletion", "at": 70, "target": 0},
    ]
    experiment = scenario(
        workload={"tasks": tasks}, faults=faults, horizon=200, pool={"min_pods": 2, "max_pods": 2, "pod_startup": 1}
    )
    result = sim.run(experiment, [Always(2)])
    assert rows(result.tasks, "task_id", "plan_pod", "plan_slot", "apply_pod", "apply_slot") == [
        (1, 0, 0, 2, 0), (2, 0, 1, None, None), (3, 1, 0, None, None),
    ]  # fmt: skip
    assert rows(result.reservations, "task_id", "pod", "slot", "reserved_at", "released_at") == [
        (1, 0, 0, 20, 35), (3, 1, 0, 20, 35), (1, 0, 0, 45, 70), (3, 1, 0, 45, None),
    ]  # fmt: skip
    assert rows(result.incidents, "time", "until", "kind", "pod") == [
        (30, 35, "server_restart", None), (60, 67, "pod_offline", 1), (70, 70, "pod_deletion", 0),
    ]  # fmt: skip


@given(scenarios(guarded=True))
def test_no_slot_is_in_two_hands_at_once(experiment: Scenario) -> None:
    result = sim.run(experiment)
    held: dict[tuple[Any, ...], list[tuple[float, float]]] = {}

    def take(frame: Any, pod: str, slot: str, begin: str, end: str) -> None:
        for row in frame[frame[begin].notna()].itertuples():
            until = getattr(row, end)
            key = (row.policy, getattr(row, pod), getattr(row, slot))
            held.setdefault(key, []).append((getattr(row, begin), experiment.horizon if np.isnan(until) else until))

    ran = result.tasks[result.tasks.state != "failed"]  # one that failed has no end of what it was doing
    again = experiment.safeguards.lost_reservation == "replan"  # of whom only the last plan is known
    take(
        ran[ran.plan_ended_at.notna()] if not again else ran[ran.state == "none"],
        "plan_pod",
        "plan_slot",
        "plan_started_at",
        "plan_ended_at",
    )
    take(ran[ran.apply_ended_at.notna()], "apply_pod", "apply_slot", "apply_started_at", "apply_ended_at")
    take(result.reservations, "pod", "slot", "reserved_at", "released_at")
    for spans in held.values():
        ordered = sorted(spans)
        assert all(one[1] <= other[0] for one, other in pairwise(ordered))


def test_stored_results_are_the_same(tmp_path: Any) -> None:
    result = sim.run(sim.load_scenario("scenarios/reserved-pod-deleted.yaml"))
    with reserved_place(tmp_path, "one") as place:
        stored = StoredResult(place.write(result))
    assert stored.summary == result.summary
    assert (stored.labels, stored.replications) == (result.labels, 1)
    without = {"policies"}  # which the manifest has with their parameters
    assert stored.scenario.model_dump(exclude=without) == result.scenario.model_dump(exclude=without)
    for name in ("tasks", "pods", "decisions", "reservations", "incidents"):
        assert getattr(stored, name).equals(getattr(result, name))
