"""The policy `gitlab`."""

from __future__ import annotations

from typing import Any

import pytest

from sim.policies.gitlab import Gitlab, IdleInstances, idle_capacity, required_instances
from sim.policies.view import PoolView

from support import plan, run

MINUTE = 60.0


# The core


@pytest.mark.parametrize(
    ("limit", "in_use", "idle"),
    [(0, 0, 2), (0, 3, 2), (0, 10, 5), (0, 1, 2), (0, 20, 10), (0, 4, 2), (4, 10, 4), (4, 100, 4), (4, 3, 2)],
)
def test_idle_capacity(limit: int, in_use: int, idle: int) -> None:
    # TestPausePodManager_CalculateDesiredReplicas_... in executors/kubernetes/autoscaler/pause_pod_manager_test.go of
    # https://gitlab.com/gitlab-org/gitlab-runner at d79f3e7b, which reads the same policy
    assert idle_capacity(2, 0.5, limit, in_use) == idle


def test_idle_capacity_is_rounded_up_and_never_below_the_idle_count() -> None:
    assert idle_capacity(0, 0.1, 0, 1) == 1
    assert idle_capacity(5, 0.0, 0, 100) == 5
    assert idle_capacity(5, 1.0, 3, 100) == 5


@pytest.mark.parametrize(
    ("acquired", "idle_count", "capacity", "instances"),
    [
        # https://docs.gitlab.com/runner/executors/instance/: 1 job per instance and an idle scale of 5 keep 5 instances
        (0, 5, 1, 5),
        (3, 5, 1, 8),
        # there as well: 5 jobs per instance, one more instance when there is room for fewer than 5
        (0, 5, 5, 1),
        (1, 5, 5, 2),
        (5, 5, 5, 2),
        (6, 5, 5, 3),
        # https://gitlab.com/gitlab-org/gitlab-runner/-/issues/38355: the second instance is for when the first is full
        (1, 1, 2, 1),
        (2, 1, 2, 2),
        # .../37643: ten jobs on two instances of five, and none without jobs
        (10, 0, 5, 2),
        (0, 0, 5, 0),
    ],
)
def test_required_instances(acquired: int, idle_count: int, capacity: int, instances: int) -> None:
    assert required_instances(acquired, 0, 0, idle_capacity(idle_count, 0.0, 0, acquired), capacity) == instances


def test_everything_that_takes_capacity_adds_up() -> None:
    assert required_instances(acquired=3, unavailable=2, pending=4, idle=1, capacity_per_instance=3) == 4


def test_of_idle_instances_the_one_used_last_is_used_first() -> None:
    books = IdleInstances()
    books.update(0, 2, removed=0)
    books.update(60, 3, removed=0)  # one more since 60
    books.update(70, 2, removed=0)  # and used again
    books.update(80, 3, removed=0)
    assert [books.expired(now, 60) for now in (59, 60, 119, 120, 139, 140)] == [0, 2, 2, 2, 2, 3]


def test_of_idle_instances_those_idle_for_longest_are_removed() -> None:
    books = IdleInstances()
    books.update(0, 2, removed=0)
    books.update(60, 3, removed=0)
    books.update(61, 1, removed=2)
    assert [books.expired(now, 60) for now in (119, 120)] == [0, 1]
    books.update(70, 1, removed=1)  # another one fell idle as the last one was removed
    assert [books.expired(now, 60) for now in (129, 130)] == [0, 1]


# The policy


def view(**changes: Any) -> PoolView:
    pods = changes.get("pods", 2)
    empty = PoolView(*[0] * len(PoolView._fields))
    idle = empty._replace(time=5.0, max_pods=20, initial_pods=2, slots_per_pod=3, pods=pods, slots=3 * pods)
    return idle._replace(**changes)


@pytest.mark.parametrize(
    ("settings", "shown", "answer"),
    [
        ({}, view(running=4, eligible_plan=1, eligible_plan_and_apply=1, slotless_confirmed=1, pending=9), 3),
        ({}, view(running=3, reserved=3, eligible_plan=1), 3),
        ({}, view(pods=0), 0),
        ({"capacity_per_instance": 1}, view(running=5), 5),
        ({"idle_count": 4}, view(running=3), 3),
        ({"idle_count": 4}, view(running=6, eligible_plan=9), 4),
        ({"idle_count": 4, "preemptive_mode": False}, view(running=6, eligible_plan=9), 7),
        ({"preemptive_mode": True}, view(running=6, eligible_plan=9), 2),
        ({"scale_factor": 0.5}, view(running=6), 3),
        ({"scale_factor": 1.0}, view(running=3, eligible_plan=3), 3),
        ({"scale_factor": 2.0, "scale_factor_limit": 3}, view(running=6), 3),
        ({"scale_factor": 2.0}, view(running=6), 6),
    ],
)
def test_from_view_to_answer(settings: dict[str, Any], shown: PoolView, answer: int) -> None:
    assert Gitlab(**settings).desired_pods(shown) == answer


def test_idle_pods_stay_for_twenty_minutes() -> None:
    policy = Gitlab()
    assert [policy.desired_pods(view(time=time)) for time in (0.0, 1195.0, 1200.0)] == [2, 2, 0]


def test_an_idle_reserve_outlasts_the_idle_time() -> None:
    policy = Gitlab(idle_count=4)
    assert [policy.desired_pods(view(time=time, pods=3)) for time in (0.0, 1195.0, 1200.0)] == [3, 3, 2]


def test_a_pod_that_starts_is_not_idle_yet() -> None:
    policy = Gitlab(idle_time=60.0)
    looks = [(0.0, 2), (60.0, 1), (120.0, 0), (180.0, 0)]
    assert [policy.desired_pods(view(time=time, starting_pods=starting)) for time, starting in looks] == [2, 2, 1, 0]


def test_pods_with_a_reserved_slot_are_not_idle() -> None:
    policy = Gitlab(idle_time=60.0)
    looks = [(0.0, 3), (60.0, 0), (120.0, 0)]
    assert [policy.desired_pods(view(time=time, reserved=reserved)) for time, reserved in looks] == [2, 1, 0]


def test_a_further_pod_leaves_the_others_as_idle_as_they_are() -> None:
    policy = Gitlab(idle_time=60.0)
    looks = [(0.0, 2), (30.0, 3), (60.0, 3)]
    assert [policy.desired_pods(view(time=time, pods=pods)) for time, pods in looks] == [2, 3, 1]


def test_with_an_interval_it_keeps_its_answer_between_looks() -> None:
    policy = Gitlab(interval=60.0, idle_time=30.0)
    looks = [(0.0, 9, 0), (5.0, 9, 9), (60.0, 0, 0), (65.0, 0, 0), (90.0, 0, 0), (120.0, 0, 0)]
    answers = [
        policy.desired_pods(view(time=time, pods=3, running=running, eligible_plan=queued))
        for time, running, queued in looks
    ]
    assert answers == [3, 3, 3, 3, 3, 0]


def test_a_lost_pod_takes_no_idle_time_from_the_others() -> None:
    policy = Gitlab(idle_time=60.0)
    policy.desired_pods(view(time=0.0, pods=3, running=3))
    policy.desired_pods(view(time=30.0, pods=2))  # the one that ran is gone
    assert policy.desired_pods(view(time=60.0, pods=2)) == 0


def test_idle_count_1_with_a_job_and_one_instance_each() -> None:
    # https://gitlab.com/gitlab-org/gitlab-runner/-/issues/37673: idle_count = 1, idle_time = "20m", and what is
    # expected there of an instance, a job on it, a second instance, the end of the job, and twenty minutes
    policy = Gitlab(idle_count=1, idle_time=20 * MINUTE)

    def look(minute: float, pods: int, running: int) -> int:
        shown = view(time=minute * MINUTE, slots_per_pod=1, pods=pods, running=running)
        return policy.desired_pods(shown)

    assert look(0, 0, 0) == 1
    assert look(1, 1, 0) == 1
    assert look(2, 1, 1) == 2
    assert look(3, 2, 1) == 2
    assert look(5, 2, 0) == 2
    assert look(22, 2, 0) == 2
    assert look(23, 2, 0) == 1
    assert [look(minute, 1, 0) for minute in (24, 25, 60, 1440)] == [1] * 4


def test_a_run() -> None:
    pool = {"min_pods": 0, "max_pods": 9, "initial_pods": 1, "pod_startup": 0}
    result = run([plan(n, 0, 60) for n in range(1, 8)], Gitlab(idle_time=60.0), pool=pool, horizon=200)
    # Seven tasks, three at once, four of which wait for the second and third pod and run from 10 to 70.
    assert result.decisions == [(5, 1, 3), (120, 3, 2), (130, 2, 0)]


def test_a_run_with_an_idle_reserve() -> None:
    pool = {"min_pods": 0, "max_pods": 9, "initial_pods": 0, "pod_startup": 0}
    result = run([plan(1, 1, 100)], Gitlab(idle_count=3, idle_time=30.0), pool=pool, horizon=200)
    # A pod of three; from 11 on one slot is in use, so a second pod. It has been idle since 20 when the task ends.
    assert result.decisions == [(5, 0, 1), (15, 1, 2), (115, 2, 1)]
