"""`keda-jobs`: KEDA's ScaledJob strategies, and what they mean for pods."""

from __future__ import annotations

from typing import Any

import pytest

from sim.policies import PoolView
from sim.policies.keda_jobs import (
    Jobs,
    KedaJobs,
    Strategy,
    accurate_strategy,
    custom_strategy,
    default_strategy,
    eager_strategy,
    jobs_to_make,
)

from support import plan, plan_and_apply, run

# Numbers of kedacore/keda v2.20.2, pkg/scaling/executor/scale_jobs_test.go (max scale, running, pending, max replicas)


@pytest.mark.parametrize(
    ("strategy", "jobs", "may"),
    [
        (default_strategy, (3, 2, 0, 5), 1),
        (default_strategy, (2, 0, 0, 5), 2),
        (custom_strategy(1, 0.5), (3, 2, 0, 5), 1),
        (custom_strategy(1, 0.5), (10, 0, 0, 10), 9),
        (custom_strategy(2, 0), (3, 2, 0, 5), 1),
        (custom_strategy(-2, 0), (3, 2, 0, 4), 4),  # more than the maximum
        (custom_strategy(0, 0.5), (10, 2, 0, 100), 9),
        (custom_strategy(0, 0.5), (10, 0, 0, 100), 10),
        (accurate_strategy, (3, 2, 0, 5), 3),
        (accurate_strategy, (5, 2, 0, 5), 3),
        (accurate_strategy, (3, 4, 2, 10), 1),
        (accurate_strategy, (5, 4, 2, 5), 1),
        (accurate_strategy, (3, 3, 3, 5), 0),
        (accurate_strategy, (15, 15, 15, 20), 0),
        (accurate_strategy, (10, 10, 10, 15), 0),
        (accurate_strategy, (20, 15, 10, 20), 5),
        (eager_strategy, (4, 3, 0, 10), 4),
        (eager_strategy, (4, 0, 3, 10), 4),
        (eager_strategy, (4, 7, 0, 10), 3),
        (eager_strategy, (4, 1, 6, 10), 3),
        (eager_strategy, (15, 0, 0, 10), 10),
    ],
)
def test_the_strategies_give_the_numbers_of_kedas_own_tests(
    strategy: Strategy, jobs: tuple[int, int, int, int], may: int
) -> None:
    assert strategy(Jobs(*jobs)) == may


def test_custom_cuts_the_share_of_running_jobs_to_a_whole_number() -> None:
    assert custom_strategy(0, 0.5)(Jobs(10, 3, 0, 100)) == 9


# Example table of https://keda.sh/docs/2.20/reference/scaledjob-spec/#maxreplicacount


@pytest.mark.parametrize(
    ("queue_length", "maximum", "target", "running", "new"),
    [(10, 3, 1, 0, 3), (10, 3, 2, 0, 3), (10, 3, 1, 1, 2), (10, 100, 1, 0, 10), (4, 3, 5, 0, 1)],
)
def test_the_documentations_table_of_the_number_of_the_scale(
    queue_length: int, maximum: int, target: int, running: int, new: int
) -> None:
    assert jobs_to_make(default_strategy, queue_length, target, running, 0, 0, maximum) == new


# pkg/scaling/scale_handler_test.go of the same: lengths and targets 20/1, 10/2, 5/3


@pytest.mark.parametrize(("queue_length", "target", "new"), [(20, 1, 20), (10, 2, 5), (5, 3, 2)])
def test_the_queue_asks_for_its_length_by_the_target_rounded_up(queue_length: int, target: int, new: int) -> None:
    assert jobs_to_make(default_strategy, queue_length, target, 0, 0, 0, 100) == new


# Example of `eager` on the same page: 3 messages, a poll, 3 more, a poll; target 1, at most 10 jobs that take hours. Its
# table shows the queue's length as 6 then, which gives its numbers of jobs only if it means all that were ever sent.


@pytest.mark.parametrize(("strategy", "after_polls"), [(default_strategy, [3, 3]), (eager_strategy, [3, 6])])
def test_the_documentations_example_of_eager(strategy: Strategy, after_polls: list[int]) -> None:
    running, seen = 0, []
    for waiting in (3, 3):
        running += jobs_to_make(strategy, waiting, 1, running, 0, 0, 10)
        seen.append(running)
    assert seen == after_polls


# TestRunningJobCount... of scale_jobs_test.go, and the example of minReplicaCount on the same page


@pytest.mark.parametrize(("queue_length", "running", "new"), [(0, 0, 2), (0, 1, 1), (0, 2, 0), (3, 2, 3), (3, 4, 1)])
def test_the_minimum_comes_on_top_of_what_the_queue_asks_for(queue_length: int, running: int, new: int) -> None:
    assert jobs_to_make(default_strategy, queue_length, 1, running, 0, 2, 100) == new


def test_the_minimum_takes_room_from_the_maximum() -> None:
    assert jobs_to_make(default_strategy, 50, 1, 2, 0, 2, 10) == 8


def test_below_the_minimum_the_queue_is_not_looked_at() -> None:
    assert jobs_to_make(default_strategy, 50, 1, 1, 0, 2, 10) == 1


def test_only_eager_makes_more_jobs_than_there_are_messages() -> None:
    assert jobs_to_make(default_strategy, 2, 0.5, 0, 0, 0, 10) == 2
    assert jobs_to_make(eager_strategy, 2, 0.5, 0, 0, 0, 10) == 4


def test_nothing_is_made_up_to_the_activation() -> None:
    assert jobs_to_make(default_strategy, 5, 1, 0, 0, 0, 10, activation=5) == 0
    assert jobs_to_make(default_strategy, 6, 1, 0, 0, 0, 10, activation=5) == 6


def test_too_many_jobs_are_not_taken_away() -> None:
    assert jobs_to_make(default_strategy, 1, 1, 5, 0, 0, 10) == 0


# The policy


def view(pods: int = 2, **changes: float) -> PoolView:
    """A pool of idle ready pods of 3 slots, with *changes*."""
    nothing: dict[str, Any] = dict.fromkeys(PoolView._fields, 0)
    return PoolView(**{**nothing, "max_pods": 9, "slots_per_pod": 3, "pods": pods, "slots": 3 * pods, **changes})


@pytest.mark.parametrize(
    ("shown", "pods"),
    [
        (view(pods=0, eligible_plan=4), 2),
        (view(pods=2, running=6, eligible_plan=1), 3),
        (view(pods=2, reserved=6, eligible_plan=1), 3),  # a reserved slot is unfinished work
        (view(pods=2, running=2, eligible_plan=1), 2),  # one of the idle slots will take it
        (view(pods=2, running=6, slotless=2, slotless_confirmed=1), 3),
        (view(pods=2, running=6, slotless=2), 2),
        (view(pods=0, eligible_plan=50), 9),
        (view(pods=2, min_pods=2, eligible_plan=4), 4),
    ],
)
def test_default_counts_a_pod_for_each_slots_per_pod_unfinished_tasks(shown: PoolView, pods: int) -> None:
    assert KedaJobs().desired_pods(shown) == pods


@pytest.mark.parametrize(
    ("policy", "pods"),
    [
        (KedaJobs(strategy="accurate"), 4 + 2),
        (KedaJobs(strategy="eager"), 4 + 3),
        (KedaJobs(strategy="accurate", queue_length=1), 9),
        (KedaJobs(strategy="accurate", metric="demand"), 4 + 4),
        (KedaJobs(metric="demand"), 4 + 1),
        (KedaJobs(metric="queued"), 4),
        (KedaJobs(), 4 + 2),
        (KedaJobs(strategy="custom"), 4 + 2),
        (KedaJobs(strategy="custom", custom_scaling_queue_length_deduction=1), 4 + 2),
        (KedaJobs(strategy="custom", custom_scaling_running_job_percentage=0.5), 4 + 4),
        (
            KedaJobs(
                strategy="custom",
                custom_scaling_running_job_percentage=0.5,
                custom_scaling_queue_length_deduction=1,
            ),
            4 + 3,
        ),
        (KedaJobs(activation_queue_length=16), 4),
        (KedaJobs(activation_queue_length=15), 4 + 2),
    ],
)
def test_each_strategy_with_its_metric(policy: KedaJobs, pods: int) -> None:
    shown = view(pods=4, starting_pods=1, running=6, reserved=3, eligible_plan=4, eligible_plan_and_apply=3)
    assert policy.desired_pods(shown) == pods


def test_between_polls_none_are_made() -> None:
    policy = KedaJobs()
    assert policy.desired_pods(view(time=5, pods=2, running=6, eligible_plan=3)) == 3
    assert policy.desired_pods(view(time=30, pods=3, running=9, eligible_plan=3)) == 3
    assert policy.desired_pods(view(time=35, pods=3, running=9, eligible_plan=3)) == 4


def test_idle_pods_end_at_any_tick_once_nothing_is_queued_and_none_is_starting() -> None:
    policy = KedaJobs()
    assert policy.desired_pods(view(time=5, pods=4, running=2, reserved=2, eligible_plan=1)) == 4
    assert policy.desired_pods(view(time=10, pods=4, running=2, reserved=2, starting_pods=1)) == 4
    assert policy.desired_pods(view(time=15, pods=4, running=2, reserved=2)) == 2
    assert policy.desired_pods(view(time=20, pods=4)) == 0


def test_custom_without_deductions_makes_jobs_for_what_is_being_worked_on_already() -> None:
    policy = KedaJobs(strategy="custom", custom_scaling_running_job_percentage=0)
    assert policy.desired_pods(view(pods=2, running=6)) == 4


def test_custom_parameters_without_the_custom_strategy_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="need strategy: custom"):
        KedaJobs(custom_scaling_running_job_percentage=0.5)


# In a run

POOL = {"min_pods": 0, "max_pods": 9, "initial_pods": 0, "pod_startup": 32}


def test_pods_are_made_for_the_queue_and_end_when_they_have_worked_it_off() -> None:
    tasks = [plan(number, 0, 100) for number in range(4)]
    result = run(tasks, KedaJobs(), pool=POOL, horizon=200)
    # Looks at 5, 35 and 65, ready at 37, dispatch at 40.
    assert result.decisions == [(5, 0, 2), (140, 2, 0)]


def test_eager_counts_starting_pods_twice_and_makes_more_for_what_still_waits() -> None:
    tasks = [plan(number, 0, 1) for number in range(4)]
    result = run(tasks, KedaJobs(strategy="eager"), pool={**POOL, "pod_startup": 200}, horizon=150)
    # Room for 9 pods: 9 - 0 - 0, 9 - 2 - 2, 9 - 4 - 4 and 9 - 5 - 5, and the queue asks for 2 each time.
    assert result.decisions == [(5, 0, 2), (35, 2, 4), (65, 4, 5)]


def test_a_reserved_slot_keeps_its_pod_and_with_a_target_of_one_what_waits_behind_it_gets_pods() -> None:
    tasks = [plan_and_apply(1, 0, 10, 500, 10), *[plan_and_apply(number, 60, 10, None, 0) for number in (2, 3)]]
    result = run(tasks, KedaJobs(), pool=POOL, horizon=300, control={"dispatch": "notify"})
    # A pod has only one slot that takes an apply, but to KEDA three unfinished tasks are not too many for one pod.
    assert result.decisions == [(5, 0, 1)]
    more = KedaJobs(queue_length=1)
    assert run(tasks, more, pool=POOL, horizon=300, control={"dispatch": "notify"}).decisions == [(5, 0, 1), (65, 1, 3)]
