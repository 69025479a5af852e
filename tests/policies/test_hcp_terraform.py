"""The policy `hcp-terraform`."""

from __future__ import annotations

from typing import Any

import pytest

from sim.policies.hcp_terraform import Cooldown, HcpTerraform, desired_replicas, may_scale
from sim.policies.view import PoolView

from support import Script, plan, plan_and_apply, run


def view(**changes: Any) -> PoolView:
    pods = changes.get("pods", 2)
    empty = PoolView(*[0] * len(PoolView._fields))
    idle = empty._replace(time=5.0, max_pods=20, initial_pods=2, slots_per_pod=3, pods=pods, slots=3 * pods)
    return idle._replace(**changes)


# The core


@pytest.mark.parametrize(("required", "replicas"), [(0, 2), (1, 2), (2, 2), (3, 3), (4, 4), (5, 4)])
def test_replicas_are_what_is_required_within_the_bounds(required: int, replicas: int) -> None:
    # minReplicas: 2, maxReplicas: 4 as in docs/agentpool.md
    assert desired_replicas(required, 2, 4) == replicas


@pytest.mark.parametrize(
    ("cooldown", "up", "down"),
    [
        (Cooldown(), 300, 300),
        (Cooldown(60), 60, 60),
        (Cooldown(60, scale_up=30), 30, 60),
        (Cooldown(60, scale_up=30, scale_down=90), 30, 90),
        (Cooldown(60, scale_up=0, scale_down=0), 0, 0),
        (Cooldown(60, scale_down=90), 90, 90),  # cooldownSecondsRemaining looks at the direction for the other one only
    ],
)
def test_cooldowns_by_direction(cooldown: Cooldown, up: float, down: float) -> None:
    assert (cooldown.seconds(1, 2), cooldown.seconds(2, 1)) == (up, down)


def test_a_cooldown_is_over_after_its_last_full_second() -> None:
    assert may_scale(Cooldown(60), 1, 2, None)
    assert not may_scale(Cooldown(60), 1, 2, 59.9)
    assert may_scale(Cooldown(60), 1, 2, 60)
    assert not may_scale(Cooldown(59.5), 1, 2, 59.9)


# Which runs count: TestPendingRuns in
# https://github.com/hashicorp/hcp-terraform-operator/blob/v2.12.0/internal/controller/agentpool_controller_autoscaling_test.go
# as tasks of the simulator. A plan-only run is a plan; a run that is planning runs for long, one that waits for its
# user is never confirmed. Plan-only runs that are pending (three cases, left out here) do not occur: plans never queue
# behind another run of their workspace. Here one agent is one pod, and all tasks find a slot.


def planning(identifier: int, workspace: str) -> dict[str, Any]:
    return plan_and_apply(identifier, 0, 1000, None, 0, workspace)


def planned(identifier: int, workspace: str) -> dict[str, Any]:
    return plan_and_apply(identifier, 0, 1, None, 0, workspace)


def plan_only(identifier: int, workspace: str) -> dict[str, Any]:
    return {**plan(identifier, 0, 1000), "workspace": workspace}


@pytest.mark.parametrize(
    ("tasks", "required"),
    [
        ([plan_only(1, "ws1"), plan_only(2, "ws2")], 2),
        ([planned(1, "ws1"), planned(2, "ws2")], 0),
        ([planning(1, "ws1"), planning(2, "ws2")], 2),
        ([plan_only(1, "ws1"), planning(2, "ws2")], 2),
        ([plan_only(n, "ws1") for n in (1, 2, 3, 4)], 4),
        ([planning(1, "ws1"), *(plan_only(n, "ws1") for n in (2, 3, 4, 5))], 5),
        ([*(plan_only(n, "ws1") for n in (1, 3, 4)), planning(2, "ws1"), planning(5, "ws1")], 4),
        ([plan_only(1, "ws1"), planning(2, "ws2"), plan_only(3, "ws3"), plan_only(4, "ws1"), planning(5, "ws1")], 5),
        ([plan_only(1, "ws1"), planning(2, "ws2"), plan_only(3, "ws2"), plan_only(4, "ws2"), planning(5, "ws2")], 4),
        ([plan_only(1, "ws1"), planned(2, "ws1"), planned(4, "ws1"), planned(5, "ws1")], 1),
    ],
)
def test_pending_runs(tasks: list[dict[str, Any]], required: int) -> None:
    script = Script(9)
    run(tasks, script, pool={"min_pods": 0, "max_pods": 9, "initial_pods": 9, "slots_per_pod": 1}, horizon=6)
    assert HcpTerraform().desired_pods(script.views[0]) == required


def test_runs_are_demand_before_they_have_an_agent_too() -> None:
    script = Script(0)
    run([planning(1, "ws1"), planning(2, "ws1"), planning(3, "ws2"), plan_only(4, "ws1")], script, horizon=6,
        pool={"min_pods": 0, "max_pods": 9, "initial_pods": 0, "slots_per_pod": 1})  # fmt: skip
    assert HcpTerraform().desired_pods(script.views[0]) == 3


# The policy


@pytest.mark.parametrize(
    ("settings", "shown", "answer"),
    [
        ({}, view(running=6, eligible_plan=1), 3),
        ({}, view(running=6, eligible_plan_and_apply=3), 3),
        ({}, view(running=6, slotless=9, slotless_confirmed=1), 3),
        ({}, view(running=3, reserved=3, pending=9), 1),
        ({}, view(min_pods=1), 1),
        ({}, view(eligible_plan=99), 20),
        ({"min_replicas": 2, "max_replicas": 4}, view(), 2),
        ({"min_replicas": 2, "max_replicas": 4}, view(eligible_plan=99), 4),
    ],
)
def test_from_view_to_answer(settings: dict[str, Any], shown: PoolView, answer: int) -> None:
    assert HcpTerraform(**settings).desired_pods(shown) == answer


def test_bounds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="min_replicas is 3, expected at most max_replicas, which is 2"):
        HcpTerraform(min_replicas=3, max_replicas=2)
    assert HcpTerraform(min_replicas=3, max_replicas=3).desired_pods(view()) == 3


def answers(policy: HcpTerraform, demand: dict[int, int]) -> list[int]:
    return [policy.desired_pods(view(time=float(time), eligible_plan=tasks)) for time, tasks in demand.items()]


def test_it_looks_every_thirty_seconds() -> None:
    policy = HcpTerraform(cooldown_period_seconds=0.0)
    assert answers(policy, {0: 3, 5: 9, 25: 9, 30: 9, 35: 0, 60: 0}) == [1, 1, 1, 3, 3, 0]


def test_after_a_change_there_is_none_for_five_minutes() -> None:
    assert answers(HcpTerraform(), {0: 9, 30: 0, 270: 30, 300: 12, 330: 0, 600: 0}) == [3, 3, 3, 4, 4, 0]


def test_what_stays_as_it_is_is_no_change() -> None:
    assert answers(HcpTerraform(), {0: 6, 30: 5, 60: 9}) == [2, 2, 3]


def test_up_and_down_have_periods_of_their_own() -> None:
    policy = HcpTerraform(scale_up_seconds=30.0, scale_down_seconds=120.0)
    assert answers(policy, {0: 3, 30: 6, 60: 9, 90: 3, 150: 3, 180: 3}) == [1, 2, 3, 3, 3, 1]


def test_a_run() -> None:
    pool = {"min_pods": 1, "max_pods": 9, "initial_pods": 1, "pod_startup": 0}
    result = run([plan(n, 0, 60) for n in range(1, 8)], HcpTerraform(), pool=pool, horizon=400)
    assert result.decisions == [(5, 1, 3), (305, 3, 1)]
