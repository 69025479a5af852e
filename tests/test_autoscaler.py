"""model.md, 3: the control loop and the two historical policies."""

from __future__ import annotations

from typing import Any

import pytest

import sim
from sim.policies import Fixed, Landed, Old, PoolView, Static

from support import Always, Script, plan, plan_and_apply, run, scenario

POOL = {"min_pods": 0, "max_pods": 9, "initial_pods": 2}


def test_the_first_tick_comes_one_interval_after_the_start_and_then_every_interval() -> None:
    script = Script(2)
    run([plan(1, 0, 1)], script, pool=POOL, control={"autoscaler_interval": 7}, horizon=30)
    assert [view.time for view in script.views] == [7, 14, 21, 28]


def test_what_happens_exactly_at_the_horizon_no_longer_counts() -> None:
    result = run(
        [plan(1, 0, 20), plan(2, 20, 1)], Always(3), pool=POOL, horizon=20, control={"autoscaler_interval": 20}
    )
    assert result.tasks[1].state == "planning"
    assert 2 not in result.tasks
    assert result.decisions == []


def test_more_pods_are_made_and_start_each_in_its_own_time() -> None:
    result = run([plan(1, 0, 1)], Script(4), pool={**POOL, "pod_startup": 30}, horizon=100)
    assert result.decisions == [(5, 2, 4)]
    assert [(pod.created_at, pod.ready_at) for pod in result.pods.values()] == [(0, 0), (0, 0), (5, 35), (5, 35)]


def test_the_answer_is_clamped() -> None:
    pool = {"min_pods": 1, "max_pods": 3, "initial_pods": 2}
    assert run([plan(1, 0, 1)], Script(50, 0), pool=pool).decisions == [(5, 2, 3), (10, 3, 1)]


def test_the_newest_idle_pods_go_first_and_a_starting_pod_is_one() -> None:
    result = run([plan(1, 0, 1000)], Script(4, 3, 1), pool={**POOL, "pod_startup": 6}, horizon=100)
    assert result.decisions == [(5, 2, 4), (10, 4, 3), (15, 3, 1)]
    assert [result.pods[number].deleted_at for number in (3, 2, 1)] == [10, 15, 15]
    assert result.pods[3].ready_at != result.pods[3].ready_at  # NaN: it never was
    assert {pod.deleted_by for pod in result.pods.values() if pod.pod} == {"autoscaler"}


def test_a_pod_with_a_running_or_a_reserved_slot_is_never_deleted() -> None:
    tasks = [plan_and_apply(1, 0, 1, None, 0), plan_and_apply(2, 0, 50, None, 0)]
    result = run(tasks, Script(0), pool={**POOL, "initial_pods": 3}, horizon=100)
    assert result.decisions == [(5, 3, 2)]
    assert result.pods[0].deleted_at != result.pods[0].deleted_at
    assert result.pods[2].deleted_at == 5


def test_what_a_policy_is_shown() -> None:
    tasks = [
        plan_and_apply(1, 0, 2, None, 0, "a"),  # reserved on pod 0
        plan_and_apply(2, 0, 100, None, 0, "b"),  # running on pod 1
        plan_and_apply(3, 1, 100, None, 0, "a"),  # pending, task 1 in its way
        plan_and_apply(4, 1, 100, None, 0, "c"),  # pending and eligible: no apply slot
        *[plan(n, 1, 100) for n in range(5, 10)],  # four find a slot, one is pending
    ]
    script = Script(3)
    run(tasks, script, pool={**POOL, "pod_startup": 3}, horizon=12)
    assert script.views[0] == PoolView(
        time=5, min_pods=0, max_pods=9, initial_pods=2, slots_per_pod=3, apply_slots=1, pods=2, starting_pods=0, slots=6,
        running=5, reserved=1, idle=0, idle_ready=0, idle_starting=0, idle_apply_ready=0, idle_apply_starting=0,
        pending=3, eligible_plan=1, eligible_plan_and_apply=1, slotless=0, slotless_confirmed=0,
        running_pods=2, occupied_pods=2, unblocked=2, unblocked_plan_and_apply=1, apply_pending=1,
    )  # fmt: skip
    assert script.views[1].pods == 3
    assert (script.views[1].starting_pods, script.views[1].idle_ready, script.views[1].idle_apply_ready) == (0, 3, 1)


def test_a_starting_pod_counts_as_a_pod_and_its_slots_as_idle() -> None:
    script = Script(3)
    run([plan(1, 0, 100)], script, pool=POOL, horizon=12)
    view = script.views[1]
    assert (view.pods, view.starting_pods, view.slots, view.idle) == (3, 1, 9, 8)
    assert (view.idle_ready, view.idle_starting, view.idle_apply_ready, view.idle_apply_starting) == (5, 3, 1, 1)


def test_slotless_tasks_are_counted_and_the_confirmed_among_them() -> None:
    tasks = [plan_and_apply(1, 0, 1, 8, 1), plan_and_apply(2, 0, 1, None, 0)]
    script = Script(0)
    deletion = [{"kind": "pod_deletion", "at": 3, "target": "reserved"}] * 2
    run(tasks, script, pool=POOL, faults=deletion, horizon=12)
    assert [(view.pods, view.slotless, view.slotless_confirmed) for view in script.views] == [(0, 2, 0), (0, 2, 1)]


# The policies' tables, row by row


def view(**changes: Any) -> PoolView:
    pods = changes.get("pods", 2)
    idle = PoolView(0.0, 1, 9, 2, 3, 1, pods, 0, 3 * pods, 0, 0, 3 * pods, 3 * pods, 0, pods, 0, 0, 0, 0, 0, 0)
    return idle._replace(**changes)


@pytest.mark.parametrize("policy", [Old(), Fixed()])
@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        (view(pods=0, slots=0, pending=3, min_pods=0), 1),
        (view(pods=0, slots=0, pending=3, min_pods=2), 2),
        (view(pods=0, slots=0, pending=0, min_pods=0, slotless=1, slotless_confirmed=1), 0),
        (view(reserved=1, pending=9, running=5), 2),
        (view(pods=1, slots=3, reserved=7), 3),
        (view(running=5), 3),  # 5/6 > 0.8
        (view(pods=5, slots=15, running=12), 5),  # 12/15 is not more than 0.8
        (view(pods=5, slots=15, running=13), 6),
        (view(running=0), 1),
        (view(pods=2, slots=6, running=1), 2),  # 1/6 < 0.2, but one is running
        (view(running=3, slotless=2), 2),
        (view(running=4, pending=9), 2),
    ],
)
def test_old_and_fixed_answer_the_same_where_nothing_is_both_reserved_and_slotless(
    policy: Any, shown: PoolView, answer: int
) -> None:
    assert policy.desired_pods(shown) == answer


def test_with_a_reservation_and_a_task_without_slot_old_keeps_and_fixed_adds() -> None:
    shown = view(reserved=1, slotless=1)
    assert Old().desired_pods(shown) == 2
    assert Fixed().desired_pods(shown) == 3


def test_the_first_draft_of_the_proposal_counts_tasks_elsewhere_too() -> None:
    shown = view(reserved=1, apply_pending=1, apply_pending_elsewhere=1)
    assert Fixed().desired_pods(shown) == 2
    assert Fixed(execution_mode_filter=False).desired_pods(shown) == 3


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        (view(pods=0, slots=0, pending=3, unblocked=3, unblocked_plan_and_apply=3, min_pods=0), 0),  # no cold start
        (view(pods=0, slots=0, min_pods=2), 2),
        (
            view(occupied_pods=1, unblocked_plan_and_apply=1, running=3),
            2,
        ),  # not more than there are: the later rows count
        (view(occupied_pods=2, running_pods=2, unblocked_plan_and_apply=1, running=2), 3),
        (view(occupied_pods=2, running_pods=0, unblocked_plan_and_apply=3, reserved=2, apply_pending=2), 5),
        (view(reserved=7, apply_pending=7, occupied_pods=2), 3),  # ceil(7 / 3)
        (view(pods=1, slots=4, slots_per_pod=4, reserved=4, apply_pending=4, occupied_pods=1), 2),  # 3, not 4
        (view(running=5, running_pods=2, occupied_pods=2), 3),
        (view(running=0), 1),
        (view(running=0, unblocked=1), 2),
        (view(running=0, slotless=1, apply_pending=1), 2),  # no pod is given back
        (view(running=3, running_pods=1, occupied_pods=1), 2),
    ],
)
def test_landed_answers_as_the_platforms_code(shown: PoolView, answer: int) -> None:
    assert Landed().desired_pods(shown) == answer


def test_landed_of_v0_3_5_counts_only_running_pods_as_occupied() -> None:
    shown = view(occupied_pods=2, running_pods=0, unblocked_plan_and_apply=2, reserved=2, apply_pending=2)
    assert Landed().desired_pods(shown) == 4
    assert Landed(occupied="running").desired_pods(shown) == 2


def test_static_keeps_the_initial_pods_or_what_it_is_given() -> None:
    assert Static().desired_pods(view(initial_pods=4)) == 4
    assert Static(pods=6).desired_pods(view()) == 6


def test_the_case_of_the_analysis() -> None:
    tasks = [plan_and_apply(598, 0, 60, 600, 120), plan_and_apply(599, 1, 60, 5400, 120)]
    pool = {"min_pods": 1, "max_pods": 5, "initial_pods": 2}
    deletion = [{"kind": "pod_deletion", "at": 300, "target": 0}]
    assert run(tasks, "old", pool=pool, faults=deletion, horizon=7200).tasks[598].apply_wait == 4930
    assert run(tasks, "fixed", pool=pool, faults=deletion, horizon=7200).tasks[598].apply_wait == 0


# What no policy may do


@pytest.mark.parametrize("answer", [-1, 2.0, float("nan"), "three", None, True])
def test_nonsense_ends_the_run_with_the_policy_and_the_moment(answer: Any) -> None:
    with pytest.raises(sim.InputError, match=r"policy Always: at 5 s it answered .*expected a whole number"):
        run([plan(1, 0, 1)], Always(answer))


def test_an_exception_ends_the_run_with_the_policy_and_the_moment() -> None:
    class Careless:
        def desired_pods(self, view: PoolView) -> int:
            view.pods = 3  # type: ignore[misc]
            return 3

    with pytest.raises(sim.InputError, match=r"policy Careless: at 5 s it raised AttributeError"):
        run([plan(1, 0, 1)], Careless())


def test_each_run_has_a_policy_of_its_own() -> None:
    class Counting:
        def __init__(self) -> None:
            self.ticks = 0

        def desired_pods(self, view: PoolView) -> int:
            self.ticks += 1
            return self.ticks

    experiment = scenario(workload={"tasks": [plan(1, 0, 1)]}, pool=POOL, horizon=20, replications=2)
    decisions = sim.run(experiment, [Counting(), Static()]).decisions
    assert decisions[decisions.replication == 0].pods_after.tolist() == [1, 2, 3]
    assert decisions[decisions.replication == 1].pods_after.tolist() == [1, 2, 3]
