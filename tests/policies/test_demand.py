"""`demand`: no confirmed task starves, no pod is made that no waiting task needs, and pods are given back."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim
from sim.policies import Demand, PoolView
from sim.scenario import Scenario
from sim.traces.load import load_scenario

from support import faults, plan_and_apply, run, scenario, tasks

NOTHING = PoolView(
    time=0, min_pods=0, max_pods=99, initial_pods=0, slots_per_pod=3, apply_slots=1, pods=0, starting_pods=0, slots=0,
    running=0, reserved=0, idle=0, idle_ready=0, idle_starting=0, idle_apply_ready=0, idle_apply_starting=0,
    pending=0, eligible_plan=0, eligible_plan_and_apply=0, slotless=0, slotless_confirmed=0,
)  # fmt: skip
IDLE_POD = {"pods": 1, "slots": 3, "idle": 3, "idle_ready": 3, "idle_apply_ready": 1}


@pytest.mark.parametrize(
    ("seen", "pods"),
    [
        ({}, 0),
        ({"eligible_plan": 1}, 1),
        ({"eligible_plan": 3}, 1),
        ({"eligible_plan": 4}, 2),
        ({"eligible_plan_and_apply": 2}, 2),  # one apply slot on each pod
        ({"eligible_plan_and_apply": 2, "apply_slots": 2}, 1),
        ({"eligible_plan_and_apply": 1, "eligible_plan": 2}, 1),
        ({"eligible_plan_and_apply": 1, "eligible_plan": 3}, 2),
        ({"slotless": 1, "slotless_confirmed": 1}, 1),
        ({"slotless": 2, "slotless_confirmed": 0}, 1),  # one is ready for whose human is done thinking first
        ({"pending": 5}, 0),  # none of them is eligible
        ({**IDLE_POD, "slotless": 1, "slotless_confirmed": 1}, 1),  # it has only to ask
        ({**IDLE_POD, "slotless": 2, "slotless_confirmed": 1}, 2),
        ({"pods": 1, "starting_pods": 1, "slots": 3, "idle": 3, "idle_starting": 3, "idle_apply_starting": 1,
          "eligible_plan_and_apply": 1, "eligible_plan": 2}, 1),  # it is on its way
        ({"pods": 2, "slots": 6, "running": 2, "idle": 4, "idle_ready": 4, "slotless": 1, "slotless_confirmed": 1}, 3),
        ({"eligible_plan_and_apply": 1, "slotless": 1, "apply_slots": 0}, 0),  # no pod would help
        ({"eligible_plan": 1, "apply_slots": 0}, 1),
    ],
)  # fmt: skip
def test_as_many_pods_as_waiting_tasks_need(seen: dict[str, Any], pods: int) -> None:
    assert Demand().desired_pods(NOTHING._replace(**seen)) == pods


@pytest.mark.parametrize(("spare", "pods"), [(None, 3), (0, 0), (1, 1), (2, 2), (9, 3)])
def test_spare_bounds_the_slots_for_those_who_still_think(spare: int | None, pods: int) -> None:
    assert Demand(spare=spare).desired_pods(NOTHING._replace(slotless=3)) == pods


def test_pods_are_given_back_once_they_have_not_been_needed_for_long_enough() -> None:
    spare = NOTHING._replace(pods=3, slots=9, running=1, idle=8, idle_ready=8, idle_apply_ready=2)
    policy = Demand(keep=20)
    assert [policy.desired_pods(spare._replace(time=t)) for t in (5, 10, 15, 20, 25)] == [3, 3, 3, 3, 1]
    needed = {"eligible_plan_and_apply": 2}
    assert [policy.desired_pods(spare._replace(time=t)) for t in (30, 35)] == [3, 3]
    assert policy.desired_pods(spare._replace(time=40, **needed)) == 3  # so the time starts again
    assert [policy.desired_pods(spare._replace(time=t)) for t in (45, 60, 65)] == [3, 3, 1]


def test_only_what_was_too_many_all_the_time_is_given_back() -> None:
    spare = NOTHING._replace(pods=3, slots=9, running=1, idle=8, idle_ready=8, idle_apply_ready=2)
    policy = Demand(keep=10)
    assert policy.desired_pods(spare._replace(time=5)) == 3
    assert policy.desired_pods(spare._replace(time=10, eligible_plan_and_apply=1)) == 3
    assert policy.desired_pods(spare._replace(time=15)) == 2


def test_an_idle_slot_that_nobody_takes_for_long_is_one_that_nobody_can_reach() -> None:
    waits = NOTHING._replace(**IDLE_POD, slotless=1, slotless_confirmed=1)
    policy = Demand(patience=15)
    waits = waits._replace(dispatch_retry=5)
    assert [policy.desired_pods(waits._replace(time=t)) for t in (5, 10, 15, 20)] == [1, 1, 1, 2]
    made = waits._replace(pods=2, slots=6, idle=6, starting_pods=1, idle_starting=3, idle_apply_starting=1)
    assert policy.desired_pods(made._replace(time=25)) == 2
    ready = made._replace(starting_pods=0, idle_ready=6, idle_starting=0, idle_apply_ready=2, idle_apply_starting=0)
    assert [policy.desired_pods(ready._replace(time=t)) for t in (30, 35)] == [2, 2]


def test_a_confirmed_task_does_not_starve_beside_a_silent_pod() -> None:
    tasks = [plan_and_apply(1, 0, 10, 100, 10)]
    # Pod 0 is deleted with the reservation on it; pod 1, which looks idle, has been silent from the start.
    outcome = run(
        tasks, Demand(), pool={"max_pods": 3, "initial_pods": 2, "min_pods": 2},
        faults=[{"kind": "pod_offline", "at": 1, "target": 1}, {"kind": "pod_deletion", "at": 50, "target": 0}],
    )  # fmt: skip
    # Pod 2, made at 50 for want of min_pods, is ready at 80. Until 121 the server goes on choosing pod 1.
    assert outcome.started(1) == (0, 130)
    outcome = run(
        tasks, Demand(), pool={"max_pods": 3, "initial_pods": 2, "min_pods": 1},
        faults=[{"kind": "pod_offline", "at": 1, "target": 1}, {"kind": "pod_deletion", "at": 50, "target": 0}],
    )  # fmt: skip
    # Confirmed at 110; seen waiting beside an idle slot from 110 to 140; a pod at 140, ready at 170; asks every 10 s.
    assert outcome.decisions[0] == (140, 1, 2)
    assert outcome.started(1) == (0, 170)


def test_the_replacement_is_there_when_the_human_is() -> None:
    outcome = run(
        [plan_and_apply(1, 0, 10, 100, 10)], Demand(), pool={"min_pods": 0, "max_pods": 3, "initial_pods": 1},
        faults=[{"kind": "pod_deletion", "at": 50, "target": 0}],
    )  # fmt: skip
    assert outcome.decisions[0] == (50, 0, 1)
    assert outcome.started(1) == (0, 110)


@pytest.mark.parametrize(
    "name",
    ["apply-slots-busy", "only-pod-deleted", "reservation-lost-while-thinking", "reserved-pod-deleted",
     "reserved-pod-deleted-none-left", "reserved-pod-offline", "server-restart-instant-reconciliation",
     "server-restart-late-reconciliation", "steady-day"],
)  # fmt: skip
def test_no_shipped_scenario_has_longer_waits_than_under_fixed(name: str) -> None:
    summary = sim.run(load_scenario(f"scenarios/{name}.yaml"), ["fixed", "demand"]).summary["policies"]
    fixed, demand = summary["fixed"], summary["demand"]
    for part in ("mean", "p95", "max"):
        assert demand["apply_wait"][part]["value"] <= fixed["apply_wait"][part]["value"]
    assert demand["censored"]["value"] <= fixed["censored"]["value"]


@st.composite
def scenarios_with_room(draw: st.DrawFn) -> Scenario:
    """Random scenarios without silent pods in which there may be a pod for every task."""
    return scenario(
        horizon=1500,
        pool={
            "min_pods": draw(st.integers(0, 2)), "max_pods": 60, "initial_pods": draw(st.integers(0, 3)),
            "slots_per_pod": draw(st.integers(1, 4)), "pod_startup": draw(st.sampled_from([0, 10, 30])),
            "placement": draw(st.sampled_from(["first_fit", "spare_apply_slots"])),
        },
        control={"dispatch": draw(st.sampled_from(["poll", "notify"]))},
        workload={"tasks": [draw(tasks(number)) for number in range(draw(st.integers(1, 12)))]},
        faults=[
            {**fault, "at": fault.get("at", 45)}
            for fault in draw(st.lists(faults(), max_size=4))
            if fault["kind"] != "pod_offline" and not fault.pop("every", None)
        ],
        policies=["demand"],
    )  # fmt: skip


class Watched(Demand):
    """`demand`, watched: whether every pod it makes is one that a waiting task needs."""

    def desired_pods(self, view: PoolView) -> int:
        answer = super().desired_pods(view)
        for n in range(max(view.min_pods - view.pods, 0) + 1, answer - view.pods + 1):
            # Without the n-th new pod and those after it, somebody has no slot.
            apply_needs = view.eligible_plan_and_apply + view.slotless
            lacks_apply = apply_needs > view.idle_apply_ready + view.idle_apply_starting + (n - 1) * view.apply_slots
            lacks_any = apply_needs + view.eligible_plan > view.idle + (n - 1) * view.slots_per_pod
            assert lacks_apply or lacks_any
        return answer


@given(scenarios_with_room())
def test_no_confirmed_task_starves_and_no_pod_is_made_in_vain(experiment: Scenario) -> None:
    result = sim.run(experiment, [Watched(patience=1e6)])
    assert not result.tasks[result.tasks.confirmed_at < 800].censored.any()
    still_there = result.pods[result.pods.deleted_at.isna()]
    assert len(still_there) <= max(experiment.pool.min_pods, Counter(result.tasks.state)["apply_pending"], 1)


def test_who_asks_seldom_is_not_taken_for_stuck() -> None:
    tasks = [plan_and_apply(n, n, 60, 60, 12) for n in (1, 2)]
    outcome = run(
        tasks, Demand(), control={"dispatch_retry": 300}, horizon=1200,
        pool={"min_pods": 0, "max_pods": 50, "initial_pods": 1, "pod_startup": 60},
    )  # fmt: skip
    assert max(after for _, _, after in outcome.decisions) == 2


def test_nothing_is_made_for_those_whom_no_pod_helps() -> None:
    pool = {"min_pods": 0, "max_pods": 50, "initial_pods": 1, "apply_slots": 0}
    assert run([plan_and_apply(1, 1, 60, 60, 12)], Demand(), pool=pool, horizon=900).decisions == [(305, 1, 0)]
