"""The policy `buildkite`."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from sim.policies.buildkite import Buildkite, Direction, Events, Group, Metrics, Scaler
from sim.policies.view import PoolView

from support import plan, run

NOW = 3600.0
MINUTE = 60.0
NEVER = Events()


def poll(
    capacity: int,
    jobs: tuple[int, int, int],
    agents: int,
    last: Events = NEVER,
    actual: int | None = None,
    bounds: tuple[int, int] = (0, 100),
    **settings: Any,
) -> tuple[int, Events]:
    scaler = Scaler(**{"agents_per_instance": 1, "availability_threshold": 0.0, **settings})
    group = Group(capacity, capacity if actual is None else actual, *bounds)
    return scaler.poll(Metrics(*jobs, agents), group, last, NOW)


# The scaler's own tables, TestScalingOutWithoutError, TestScalingInWithoutError, TestAvailabilityBasedScaling and the
# desired capacities of TestDanglingInstanceDetection in
# https://github.com/buildkite/buildkite-agent-scaler/blob/49c4145377fd26fea0f2e9b9eaadfb25ec1956ee/scaler/scaler_test.go


@pytest.mark.parametrize(
    ("settings", "last", "jobs", "agents", "capacity", "new"),
    [
        ({}, NEVER, (10, 2, 2), 2, 2, 12),
        ({"include_waiting": True}, NEVER, (8, 2, 20), 2, 2, 28),
        ({"instance_buffer": 10}, NEVER, (10, 2, 2), 2, 12, 22),
        ({"agents_per_instance": 4}, NEVER, (10, 2, 0), 4, 1, 3),
        ({"agents_per_instance": 2}, NEVER, (10, 2, 0), 2, 1, 6),
        ({"agents_per_instance": 5}, NEVER, (10, 2, 0), 5, 1, 3),
        ({"agents_per_instance": 20}, NEVER, (10, 2, 0), 20, 1, 1),
        ({"scale_out": Direction(factor=0.5)}, NEVER, (10, 2, 0), 2, 2, 7),
        ({"scale_out": Direction(factor=0.1)}, NEVER, (10, 2, 0), 11, 11, 12),
        ({"scale_out": Direction(factor=5)}, NEVER, (10, 0, 0), 0, 0, 50),
        ({"scale_out": Direction(cooldown_period=5 * MINUTE)}, Events(None, NOW), (10, 2, 0), 4, 4, 4),
        ({"scale_out": Direction(cooldown_period=5 * MINUTE)}, Events(None, NOW - 10 * MINUTE), (10, 2, 0), 4, 4, 12),
        ({"scale_out": Direction(False, 5 * MINUTE, 2)}, Events(None, NOW - 10 * MINUTE), (10, 2, 0), 4, 4, 20),
        ({"scale_out": Direction(disable=True)}, NEVER, (10, 2, 0), 1, 1, 1),
        (
            {
                "scale_in": Direction(cooldown_period=5 * MINUTE),
                "scale_out": Direction(cooldown_period=2 * MINUTE),
                "scale_only_after_all_event": True,
            },
            Events(NOW - MINUTE, NOW - 10 * MINUTE),
            (1, 0, 0),
            1,
            1,
            1,
        ),
    ],
)
def test_scaling_out(
    settings: dict[str, Any], last: Events, jobs: tuple[int, int, int], agents: int, capacity: int, new: int
) -> None:
    assert poll(capacity, jobs, agents, last, **settings)[0] == new


@pytest.mark.parametrize(
    ("settings", "last", "jobs", "agents", "capacity", "new"),
    [
        ({"scale_in": Direction(cooldown_period=5 * MINUTE)}, Events(NOW), (0, 0, 0), 10, 10, 10),
        ({"scale_in": Direction(False, 5 * MINUTE, 0.1)}, Events(NOW - 10 * MINUTE), (0, 0, 0), 10, 10, 9),
        ({"instance_buffer": 10}, NEVER, (10, 5, 0), 30, 30, 25),
        ({"scale_in": Direction(factor=5)}, NEVER, (10, 0, 0), 20, 20, 0),
        ({"scale_in": Direction(factor=0.1)}, NEVER, (0, 0, 0), 1, 1, 0),
        ({"scale_in": Direction(disable=True)}, NEVER, (0, 0, 0), 1, 1, 1),
        (
            {
                "scale_in": Direction(cooldown_period=2 * MINUTE),
                "scale_out": Direction(cooldown_period=5 * MINUTE),
                "scale_only_after_all_event": True,
            },
            Events(NOW - 10 * MINUTE, NOW - MINUTE),
            (0, 0, 0),
            3,
            3,
            3,
        ),
    ],
)
def test_scaling_in(
    settings: dict[str, Any], last: Events, jobs: tuple[int, int, int], agents: int, capacity: int, new: int
) -> None:
    assert poll(capacity, jobs, agents, last, **settings)[0] == new


@pytest.mark.parametrize(
    ("jobs", "agents", "capacity", "actual", "threshold", "new"),
    [
        ((5, 2, 0), 3, 2, 2, 0.5, 3),
        ((5, 2, 0), 3, 2, 1, 0.5, 2),
        ((5, 2, 0), 7, 2, 2, 0.5, 2),
        ((5, 2, 0), 2, 2, 2, 0.0, 2),
        ((5, 0, 0), 0, 0, 0, 0.5, 2),
        ((2, 0, 0), 2, 3, 3, 0.5, 4),
        ((20, 0, 0), 2, 2, 2, 0.5, 5),
    ],
)
def test_availability(
    jobs: tuple[int, int, int], agents: int, capacity: int, actual: int, threshold: float, new: int
) -> None:
    found = poll(capacity, jobs, agents, actual=actual, agents_per_instance=4, availability_threshold=threshold)
    assert found[0] == new


@pytest.mark.parametrize(
    ("jobs", "agents", "capacity", "max_size", "agents_per_instance", "new"),
    [((4, 0, 7), 0, 1, 1, 6, 1), ((0, 0, 0), 0, 0, 1, 6, 0), ((0, 0, 0), 6, 1, 1, 6, 0), ((10, 0, 0), 0, 3, 3, 4, 3)],
)
def test_the_bounds(
    jobs: tuple[int, int, int], agents: int, capacity: int, max_size: int, agents_per_instance: int, new: int
) -> None:
    settings = {"include_waiting": True, "agents_per_instance": agents_per_instance}
    assert poll(capacity, jobs, agents, bounds=(0, max_size), **settings)[0] == new


# What the tables leave out


def test_the_buffer_is_no_larger_than_the_instances_that_are_needed_and_none_without_jobs() -> None:
    assert poll(0, (1, 0, 0), 0, instance_buffer=10)[0] == 2
    assert poll(5, (0, 0, 0), 5, instance_buffer=10)[0] == 0
    # 2 + 20 jobs in the buffer's share, though the running ones make way for the waiting ones in the other one
    assert poll(0, (0, 2, 20), 0, instance_buffer=100, include_waiting=True)[0] == 20 + 22


def test_waiting_jobs_count_only_where_there_are_more_of_them_than_running_ones() -> None:
    assert poll(0, (1, 5, 4), 5, include_waiting=True)[0] == 6
    assert poll(0, (1, 5, 9), 5)[0] == 6


def test_factors_stop_at_the_bounds() -> None:
    assert poll(2, (10, 0, 0), 2, bounds=(0, 12), scale_out=Direction(factor=3))[0] == 12
    assert poll(9, (5, 0, 0), 9, bounds=(3, 12), scale_in=Direction(factor=3))[0] == 3
    assert poll(9, (1, 0, 0), 9, bounds=(3, 12))[0] == 3


def test_a_cooldown_ends_at_its_end_and_holds_for_its_own_direction() -> None:
    cooling = Direction(cooldown_period=5 * MINUTE)
    assert poll(1, (9, 0, 0), 1, Events(None, NOW - 299), scale_out=cooling) == (1, Events(None, NOW - 299))
    assert poll(1, (9, 0, 0), 1, Events(None, NOW - 300), scale_out=cooling) == (9, Events(None, NOW))
    assert poll(9, (1, 0, 0), 9, Events(None, NOW), scale_in=cooling) == (1, Events(NOW, NOW))
    assert poll(9, (1, 0, 0), 9, Events(None, NOW), scale_in=cooling, scale_only_after_all_event=True)[0] == 1


def test_without_scale_only_after_all_event_the_other_direction_does_not_matter() -> None:
    cooling = Direction(cooldown_period=5 * MINUTE)
    assert poll(9, (1, 0, 0), 9, Events(NOW - 300, NOW - 1), scale_in=cooling)[0] == 1
    assert poll(1, (9, 0, 0), 1, Events(NOW - 1, NOW - 300), scale_out=cooling)[0] == 9


@pytest.mark.parametrize(
    ("jobs", "agents", "actual", "new"),
    [
        ((2, 0, 0), 7, 4, 5),
        ((2, 0, 0), 8, 4, 1),  # the threshold itself is enough
        ((0, 0, 0), 0, 4, 0),  # no jobs, no matter
        ((2, 0, 0), 0, 3, 1),  # one instance is still to come into service
        ((2, 0, 0), 0, 5, 1),  # or to go
    ],
)
def test_the_threshold_acts_below_it_with_jobs_and_all_instances_in_service(
    jobs: tuple[int, int, int], agents: int, actual: int, new: int
) -> None:
    found = poll(4, jobs, agents, actual=actual, agents_per_instance=4, availability_threshold=0.5)
    assert found[0] == new


def test_what_is_on_its_way_is_not_asked_for_again() -> None:
    assert poll(5, (5, 0, 0), 2, actual=2) == (5, NEVER)
    assert poll(5, (4, 0, 0), 2, actual=2) == (4, Events(scale_in=NOW))
    assert poll(5, (6, 0, 0), 2, actual=2) == (6, Events(scale_out=NOW))


def test_instances_that_are_slow_to_go_count_as_a_further_event() -> None:
    assert poll(2, (2, 0, 0), 3, actual=3) == (2, Events(scale_in=NOW))
    assert poll(2, (3, 0, 0), 4, actual=4) == (3, Events(scale_in=NOW))
    assert poll(2, (3, 0, 0), 3, actual=3) == (2, NEVER)


# The policy


def view(**changes: Any) -> PoolView:
    pods = changes.get("pods", 2)
    empty = PoolView(*[0] * len(PoolView._fields))
    idle = empty._replace(time=5.0, max_pods=20, initial_pods=2, slots_per_pod=3, pods=pods, slots=3 * pods)
    return idle._replace(**changes)


@pytest.mark.parametrize(
    ("settings", "shown", "answer"),
    [
        ({}, view(running=6, eligible_plan=2, eligible_plan_and_apply=1, slotless_confirmed=1, pending=9), 4),
        ({}, view(running=2, reserved=4, eligible_plan=1), 1),
        ({}, view(pods=20, initial_pods=20), 0),
        ({"agents_per_instance": 1}, view(running=6), 6),
        ({"instance_buffer": 1}, view(running=6), 3),
        ({"include_waiting": True}, view(running=2, eligible_plan=1, eligible_plan_and_apply=1, pending=6), 2),
        ({"include_waiting": True}, view(running=2, eligible_plan=1, eligible_plan_and_apply=1, pending=7), 3),
        ({}, view(min_pods=1), 1),
        ({}, view(eligible_plan=99), 20),
        ({"scale_out_factor": 0.1}, view(running=6, eligible_plan=30), 3),
        ({"scale_in_factor": 0.6}, view(), 0),
        ({"disable_scale_in": True}, view(), 2),
        ({"disable_scale_out": True}, view(running=6, eligible_plan=30), 2),
    ],
)
def test_from_view_to_answer(settings: dict[str, Any], shown: PoolView, answer: int) -> None:
    assert Buildkite(**settings).desired_pods(shown) == answer


def test_it_polls_every_ten_seconds_and_keeps_its_answer_between() -> None:
    policy = Buildkite()
    demand = {0: 1, 5: 9, 10: 9, 15: 30, 20: 3}
    answers = [policy.desired_pods(view(time=float(time), eligible_plan=tasks)) for time, tasks in demand.items()]
    assert answers == [1, 1, 3, 3, 1]


def test_the_first_capacity_is_that_of_the_start() -> None:
    assert Buildkite(disable_scale_in=True, disable_scale_out=True).desired_pods(view(initial_pods=7)) == 7


def test_steps_outwards_have_a_cooldown_too() -> None:
    policy = Buildkite(scale_out_cooldown_period=20.0)
    looks = [(0, 9), (10, 18), (20, 18), (30, 3)]
    answers = [policy.desired_pods(view(time=float(time), eligible_plan=tasks)) for time, tasks in looks]
    assert answers == [3, 3, 6, 1]


def test_cooldowns_count_from_its_own_steps() -> None:
    policy = Buildkite(scale_in_cooldown_period=20.0, scale_only_after_all_event=True)
    looks = [(0, 9), (10, 6), (20, 9), (30, 3), (40, 3), (50, 0), (60, 0)]
    # Its first step inwards is free; the next one comes 20 s after the step outwards at 20.
    assert [policy.desired_pods(view(time=float(time), eligible_plan=tasks)) for time, tasks in looks] == [
        3, 2, 3, 3, 1, 1, 0,
    ]  # fmt: skip


def test_pods_that_start_are_on_their_way_or_without_agents() -> None:
    starting = view(pods=3, starting_pods=2, initial_pods=3, running=3, eligible_plan=6)
    assert Buildkite().desired_pods(starting) == 3
    assert Buildkite(starting_pods="in_service").desired_pods(starting) == 4
    assert Buildkite(starting_pods="in_service", availability_threshold=0.3).desired_pods(starting) == 3


def test_a_copy_has_a_memory_of_its_own() -> None:
    policy = Buildkite()
    deepcopy(policy).desired_pods(view(running=6))
    assert policy.desired_pods(view()) == 0


def test_a_run() -> None:
    pool = {"min_pods": 1, "max_pods": 9, "initial_pods": 1, "pod_startup": 0}
    result = run([plan(n, 0, 60) for n in range(1, 8)], Buildkite(), pool=pool, horizon=200)
    # Seven tasks, three at once: 3 pods at the first tick. The four that waited run from 10 to 70.
    assert result.decisions == [(5, 1, 3), (65, 3, 2), (75, 2, 1)]
