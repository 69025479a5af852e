"""`keda`: when KEDA switches to and from zero, what its HPA does in between, and both together."""

from __future__ import annotations

from typing import Any

import pytest

from sim.policies import PoolView
from sim.policies.hpa import PlainHpa, ScaleEvent
from sim.policies.keda import Keda, ScaledObject

from support import plan, run

# Cases of kedacore/keda v2.20.2, pkg/scaling/executor/scale_scaledobjects_test.go. None of them was ever active before.


@pytest.mark.parametrize(
    ("minimum", "idle", "active", "before", "after"),
    [
        (0, None, False, 10, 0),
        (5, None, False, 1, 5),
        (0, None, True, 0, 1),
        (5, 0, False, 10, 0),
        (5, 0, True, 0, 5),
        (5, 0, True, 2, 5),
    ],
)
def test_kedas_own_cases_of_scaling_to_and_from_zero_idle_and_minimum(
    minimum: int, idle: int | None, active: bool, before: int, after: int
) -> None:
    assert ScaledObject(minimum, idle).poll(0, before, active, last_active=None) == after


# The example of idleReplicaCount in https://keda.sh/docs/2.20/reference/scaledobject-spec/: 0 idle, 10 at least, 100 at
# most. The HPA's part of it is the 40.


def test_the_documentations_example_of_idle_replicas() -> None:
    scaled = ScaledObject(min_replica_count=10, idle_replica_count=0)
    assert scaled.poll(0, 0, active=True, last_active=0) == 10
    assert scaled.poll(30, 40, active=True, last_active=30) == 40
    assert scaled.poll(330, 40, active=False, last_active=30) == 0
    assert scaled.poll(360, 0, active=False, last_active=30) == 0


@pytest.mark.parametrize(
    ("minimum", "idle", "active", "before", "after"),
    [
        (3, None, True, 0, 3),
        (3, None, True, 2, 2),  # up to the minimum is the HPA's work, other than from zero
        (3, None, False, 7, 7),  # down to a minimum too
        (3, None, False, 0, 3),
        (0, None, False, 0, 0),
        (0, None, True, 7, 7),
        (5, 2, False, 1, 1),  # nobody raises a target to idle_replica_count
        (5, 2, False, 3, 2),
        (5, 0, False, 0, 0),
    ],
)
def test_keda_leaves_the_rest_to_the_hpa(minimum: int, idle: int | None, active: bool, before: int, after: int) -> None:
    assert ScaledObject(minimum, idle).poll(0, before, active, last_active=None) == after


def test_it_cools_down_from_the_last_poll_at_which_it_was_active() -> None:
    scaled = ScaledObject(cooldown_period=300)
    assert scaled.poll(330, 4, active=False, last_active=60) == 4
    assert scaled.poll(360, 4, active=False, last_active=60) == 0


def test_what_was_never_active_waits_for_the_initial_cooldown_only() -> None:
    assert ScaledObject(cooldown_period=300).poll(5, 4, active=False, last_active=None) == 0
    scaled = ScaledObject(cooldown_period=0, initial_cooldown_period=120)
    assert scaled.poll(119, 4, active=False, last_active=None) == 4
    assert scaled.poll(120, 4, active=False, last_active=None) == 0


# Cases of kubernetes/kubernetes, pkg/controller/podautoscaler/horizontal_test.go, TestNormalizeDesiredReplicas (window
# of 5 minutes; the ages of earlier recommendations in minutes) and TestConvertDesiredReplicasWithRules


@pytest.mark.parametrize(
    ("earlier", "highest", "kept"),
    [
        ([], 5, 1),
        ([(4, 2), (5, 1)], 5, 3),
        ([(1, 2), (2, 1)], 3, 3),
        ([(10, 10), (9, 9)], 3, 2),
        ([(10, 10), (4, 1), (5, 2), (9, 9)], 5, 4),
    ],
)
def test_without_behavior_the_highest_recommendation_of_the_window_counts(
    earlier: list[tuple[int, int]], highest: int, kept: int
) -> None:
    hpa = PlainHpa(window=300)
    hpa.recommendations += [ScaleEvent(value, 1000 - 60 * minutes) for value, minutes in earlier]
    assert hpa.stabilized(1000, 3 if earlier else 5) == highest
    assert len(hpa.recommendations) == kept


@pytest.mark.parametrize(
    ("current", "desired", "minimum", "maximum", "limited"),
    [(20, 1000, 1, 10, 10), (3, 1000, 1, 2000, 6), (1, 1000, 1, 2000, 4), (5, 9, 1, 8, 8), (1, 1, 2, 8, 2)],
)
def test_without_behavior_replicas_are_at_most_doubled_but_four_are_always_allowed(
    current: int, desired: int, minimum: int, maximum: int, limited: int
) -> None:
    assert PlainHpa().reconcile(0, current, desired, minimum, maximum) == limited


def test_the_minimum_holds_and_the_hpa_does_nothing_at_zero() -> None:
    hpa = PlainHpa(window=0)
    assert hpa.reconcile(0, 5, 5, 2, 8) == 5
    assert hpa.reconcile(15, 5, 0, 2, 8) == 2
    assert hpa.reconcile(30, 0, 5, 2, 8) == 0


def test_outside_its_bounds_the_metric_is_not_looked_at() -> None:
    hpa = PlainHpa(window=0)
    assert hpa.reconcile(0, 5, 5, 3, 10) == 5
    assert hpa.reconcile(15, 20, 3, 3, 10) == 10
    assert hpa.reconcile(30, 2, 8, 3, 10) == 3


def test_the_first_number_of_replicas_counts_as_a_recommendation() -> None:
    hpa = PlainHpa(window=300)
    assert [hpa.reconcile(now, 6, 1, 1, 9) for now in (0, 300, 301)] == [6, 6, 1]


def test_a_recommendation_counts_up_to_the_end_of_its_window_even_if_it_was_not_reached() -> None:
    hpa = PlainHpa(window=300)
    assert hpa.reconcile(0, 2, 9, 1, 20) == 4
    assert hpa.reconcile(15, 4, 5, 1, 20) == 8
    assert hpa.reconcile(300, 9, 5, 1, 20) == 9
    assert hpa.reconcile(315, 9, 5, 1, 20) == 5


# The policy


def view(pods: int = 2, **changes: float) -> PoolView:
    """A pool of idle ready pods of 3 slots, with *changes*."""
    nothing: dict[str, Any] = dict.fromkeys(PoolView._fields, 0)
    return PoolView(**{**nothing, "max_pods": 9, "slots_per_pod": 3, "pods": pods, "slots": 3 * pods, **changes})


def answers(policy: Keda, *views: PoolView) -> list[int]:
    return [policy.desired_pods(shown) for shown in views]


def test_the_documentations_example_of_an_average_value() -> None:
    # scaledobject-spec, metricType: 20 messages, a threshold of 5 and 3 replicas make 4.
    assert Keda(queue_length=5).desired_pods(view(pods=3, eligible_plan=20)) == 4


def test_the_documentations_example_of_activation_having_priority() -> None:
    # scaling-deployments, thresholds: 10 for scaling, 50 for activation; 40 messages, which the HPA wants 4 for.
    shown = view(pods=1, eligible_plan=40)
    assert Keda(queue_length=10).desired_pods(shown) == 4
    assert Keda(queue_length=10, activation_queue_length=50).desired_pods(shown) == 0


def test_activation_is_above_the_threshold() -> None:
    assert Keda(activation_queue_length=3).desired_pods(view(pods=0, eligible_plan=3)) == 0
    assert Keda(activation_queue_length=3).desired_pods(view(pods=0, eligible_plan=4)) == 1
    assert Keda().desired_pods(view(pods=0, eligible_plan=1)) == 1


@pytest.mark.parametrize(
    ("policy", "shown", "pods"),
    [
        (Keda(), view(running=5, eligible_plan=3, reserved=1), 3),
        (Keda(metric="queued"), view(pods=2, running=5, eligible_plan=9, reserved=1), 3),
        (Keda(metric="unfinished"), view(running=5, eligible_plan=3, reserved=2), 4),
        (Keda(), view(pods=2, running=6, slotless=9, slotless_confirmed=1), 3),
        (Keda(), view(pods=5, running=14), 5),  # 14/15 is within the tolerance
        (Keda(), view(pods=6, running=18, eligible_plan=1), 6),  # 19/18 too
        (Keda(hpa_tolerance=0), view(pods=6, running=18, eligible_plan=1), 7),
        (Keda(queue_length=0.5), view(pods=3, eligible_plan=2), 4),
    ],
)
def test_the_target_is_the_slots_of_a_pod_and_the_metric_the_demand(policy: Keda, shown: PoolView, pods: int) -> None:
    assert policy.desired_pods(shown) == pods


def test_from_zero_keda_makes_one_and_the_hpa_the_others_a_sync_later() -> None:
    shown = view(pods=0, eligible_plan=30)
    assert answers(
        Keda(),
        shown._replace(time=5),
        shown._replace(time=10, pods=1),
        shown._replace(time=20, pods=1),
        shown._replace(time=35, pods=4),
        shown._replace(time=50, pods=8),
    ) == [1, 1, 4, 8, 9]


def test_from_zero_it_is_the_minimum_if_there_is_one() -> None:
    assert Keda(min_replica_count=3).desired_pods(view(pods=0, eligible_plan=1)) == 3


def test_at_zero_it_looks_at_each_poll_only() -> None:
    policy = Keda(polling_interval=60)
    idle, waiting = view(pods=0), view(pods=0, eligible_plan=1)
    assert answers(
        policy, idle, *(waiting._replace(time=time) for time in (15, 30, 45, 55)), waiting._replace(time=60)
    ) == [0, 0, 0, 0, 0, 1]


def test_it_goes_on_asking_for_what_it_asked_for() -> None:
    policy = Keda()
    shown = view(pods=2, running=6, eligible_plan=2)
    assert answers(policy, shown, shown._replace(time=5, pods=1), shown._replace(time=10, pods=9)) == [3, 3, 3]


def test_the_last_pod_goes_after_the_cooldown_and_the_others_after_the_stabilization() -> None:
    policy = Keda(hpa_downscale_stabilization=100)
    busy = [policy.desired_pods(view(time=time, pods=4, running=12)) for time in range(0, 65, 5)]
    idle = {time: policy.desired_pods(view(time=time, pods=4)) for time in range(65, 400, 5)}
    assert set(busy) == {4}
    # The last busy sync and poll were at 60, the first sync more than 100 s later at 165, the poll 300 s later at 360.
    assert [time for time in idle if idle[time] == 4][-1] == 160
    assert [time for time in idle if idle[time] == 1] == list(range(165, 360, 5))
    assert {idle[time] for time in range(360, 400, 5)} == {0}


def test_pods_without_any_work_so_far_last_for_the_initial_cooldown() -> None:
    policy = Keda(initial_cooldown_period=60)
    assert [policy.desired_pods(view(time=time)) for time in range(5, 75, 10)] == [2, 2, 2, 2, 2, 2, 0]


def test_the_default_intervals_are_30_and_15_seconds() -> None:
    idle, waiting = view(pods=0), view(pods=0, eligible_plan=1)
    assert answers(Keda(), idle, waiting._replace(time=29.5), waiting._replace(time=30)) == [0, 0, 1]
    idle, waiting = view(pods=1, running=1), view(pods=1, eligible_plan=9)
    assert answers(Keda(), idle, waiting._replace(time=14.5), waiting._replace(time=15)) == [1, 1, 3]


def test_with_a_minimum_the_cooldown_means_nothing() -> None:
    policy = Keda(cooldown_period=0, hpa_downscale_stabilization=0)
    assert answers(policy, view(min_pods=1, running=5), view(min_pods=1, time=30), view(min_pods=1, time=60)) == [
        2,
        1,
        1,
    ]


def test_idle_replicas_other_than_none_at_all_are_undone_by_the_hpa() -> None:
    policy = Keda(min_replica_count=5, idle_replica_count=2)
    assert answers(policy, *(view(time=time, pods=5) for time in (0, 15, 30))) == [2, 5, 2]


@pytest.mark.parametrize("parameters", [{}, {"min_replica_count": 2}])
def test_idle_replicas_must_be_fewer_than_the_minimum(parameters: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="idle_replica_count to be less than min_replica_count"):
        Keda(idle_replica_count=2, **parameters)


# In a run


def test_up_from_zero_and_down_again() -> None:
    pool = {"min_pods": 0, "max_pods": 9, "initial_pods": 0, "pod_startup": 10}
    tasks = [plan(number, 12, 200) for number in range(12)]
    result = run(tasks, Keda(), pool=pool, horizon=1000)
    # Polls at 5, 35, ..., 545 and syncs at 5, 20, ..., 545. One pod from 45, three more from 60, plans end at 252 and
    # 262. So the last poll to see any was at 245, and so was the last sync to recommend four pods.
    assert result.decisions == [(35, 0, 1), (50, 1, 4), (545, 4, 0)]
