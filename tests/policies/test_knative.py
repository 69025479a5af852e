"""`knative`: the Knative Pod Autoscaler, by the numbers of its own tests (knative/serving at 98e5ef9), and on a pool."""

from __future__ import annotations

from dataclasses import replace
from math import floor
from typing import Any, get_type_hints

import pytest
from pydantic import TypeAdapter, ValidationError

from sim.policies import PoolView
from sim.policies.knative import (
    Knative,
    KpaAutoscaler,
    MaxWindow,
    Samples,
    ScaleToZero,
    Spec,
    panic_window,
    target_value,
)

from support import plan, plan_and_apply, run

# pkg/autoscaler/scaling/autoscaler_test.go: target utilisation 75 %, rates 10, panic threshold 2, stable window 60 s


def spec(target: float, burst: float, **changes: Any) -> Spec:
    made = Spec(target, target / 0.75, burst, panic_threshold=2, max_scale_up_rate=10, max_scale_down_rate=10)
    return replace(made, **changes)


def autoscaler(target: float, burst: float, **changes: Any) -> KpaAutoscaler:
    return KpaAutoscaler(spec(target, burst, **changes), ready=1, now=0)


def excess(target: float, burst: float, concurrency: float, pods: int) -> int:
    return floor(target / 0.75 * pods - burst - concurrency)


@pytest.mark.parametrize(
    ("target", "burst", "stable", "panic", "ready", "changes", "desired", "excess_burst_capacity"),
    [
        (10, 100, 0, 0, 1, {}, 0, excess(10, 100, 0, 1)),
        (181, -1, 21, 26, 1, {}, 1, -1),
        (10, 0, 50, 49, 1, {}, 5, 0),
        (10, 100, 50, 50, 1, {}, 5, excess(10, 100, 50, 1)),
        (10, 100, 50, 50, 5, {}, 5, excess(10, 100, 50, 5)),
        (1, 1982, 3, 3.1, 2, {"max_scale_up_rate": 1.1}, 3, excess(1, 1982, 3.1, 2)),
        (10, 1982, 1, 1, 100, {"max_scale_down_rate": 1.1}, 90, excess(10, 1982, 1, 100)),
        (10, 84, 50, 100, 1, {}, 10, excess(10, 84, 100, 1)),
        # and by hand: part of a target is a pod, in panic too; nobody activates what is only on its way down
        (10, 100, 11, 31, 2, {}, 4, excess(10, 100, 31, 2)),
        (10, -1, 0, 0, 20, {"activation_scale": 5}, 2, -1),
    ],
)
def test_one_decision(
    target: float,
    burst: float,
    stable: float,
    panic: float,
    ready: int,
    changes: dict[str, float],
    desired: int,
    excess_burst_capacity: int,
) -> None:
    decision = autoscaler(target, burst, **changes).scale(0, ready, stable, panic)
    assert decision == (desired, excess_burst_capacity)


@pytest.mark.parametrize(("stable", "panic", "desired"), [(50, 30, 50), (20, 30, 30)])
def test_in_panic_the_larger_of_both_averages_counts(stable: float, panic: float, desired: int) -> None:
    scaler = autoscaler(1, 100)
    scaler.panic_time, scaler.max_panic_pods = -5, 5
    assert scaler.scale(0, 5, stable, panic) == (desired, excess(1, 100, panic, 5))


Look = tuple[float, int, float, float, int]
"""Time, ready pods, stable and panic average, and the pods that are to be desired then."""


@pytest.mark.parametrize(
    ("target", "burst", "changes", "looks"),
    [
        pytest.param(10, 101, {}, [(0, 1, 50, 10, 5), (0, 1, 100, 10, 10)], id="stable increase"),
        pytest.param(10, 98, {}, [(0, 8, 100, 100, 10), (0, 8, 50, 50, 5)], id="stable decrease"),
        pytest.param(10, 75, {}, [(0, 1, 1, 0, 1), (0, 1, 0, 0, 0)], id="no traffic, scale to zero"),
        pytest.param(10, 75, {"activation_scale": 2}, [(0, 1, 0, 0, 0), (0, 1, 1, 0, 2)], id="activation scale"),
        pytest.param(
            1,
            101,
            {},
            [
                (0, 1, 6, 6, 6),
                (0, 6, 36, 36, 36),
                (1, 36, 216, 216, 216),
                (1, 216, 1296, 1296, 1296),
                (2, 1296, 1296, 1296, 1296),
            ],
            id="exponential growth",
        ),
        pytest.param(
            10,
            93,
            {},
            [(0, 1, 100, 100, 10), (0, 10, 100, 1000, 100), (30, 10, 1, 1, 100), (61, 10, 1, 1, 1)],
            id="panic, then scale down",
        ),
        pytest.param(
            10, 0, {}, [(0, 1, 100, 100, 10), (61, 10, 1, 1, 1), (63, 1, 20, 20, 2)], id="each panic for itself"
        ),
        pytest.param(10, 61, {}, [(0, 1, 1000, 1001, 10), (0, 10, 1000, 1001, 100)], id="rate limit up"),
        pytest.param(10, 61, {}, [(0, 100, 1, 1, 10), (0, 10, 1, 1, 1)], id="rate limit down"),
        pytest.param(10, 81, {}, [(0, 0, 1000, 888, 10)], id="no ready pod counts as one"),
        pytest.param(
            10, 0, {"panic_threshold": 100}, [(0, 0, 40, 40, 4), (0.5, 0, 20, 20, 2)], id="no delay of scaling down"
        ),
        pytest.param(
            10,
            0,
            {"panic_threshold": 100, "scale_down_delay": 300},
            [
                (2, 0, 40, 40, 4),
                (300, 0, 0, 0, 4),
                (302, 0, 0, 0, 0),
                (540, 0, 40, 40, 4),
                (600, 0, 30, 30, 4),
                (660, 0, 0, 0, 4),
                (840, 0, 0, 0, 3),
                (900, 0, 0, 0, 0),
            ],
            id="delay of scaling down",
        ),
    ],
)
def test_decisions_one_after_the_other(target: float, burst: float, changes: dict[str, Any], looks: list[Look]) -> None:
    scaler = autoscaler(target, burst, **changes)
    for now, ready, stable, panic, desired in looks:
        assert scaler.scale(now, ready, stable, panic).desired == desired


def test_panic_ends_once_the_surge_is_in_the_stable_average() -> None:
    scaler = autoscaler(1, 98)
    assert scaler.scale(0, 10, 11, 25) == (25, excess(1, 98, 25, 10))
    assert scaler.scale(30, 40, 30, 41) == (41, excess(1, 98, 41, 40))
    assert scaler.panic_time == 0
    assert scaler.scale(62, 55, 50, 56) == (50, excess(1, 98, 56, 55))
    assert scaler.panic_time is None


def test_panic_lasts_until_more_than_the_stable_window_after_the_surge() -> None:
    scaler = autoscaler(1, 98)
    scaler.scale(0, 10, 11, 25)
    assert scaler.scale(60, 25, 10, 10).desired == 25
    assert scaler.scale(60.5, 25, 10, 10).desired == 10


def test_panic_is_extended_while_there_is_a_surge() -> None:
    scaler = autoscaler(1, 98)
    assert scaler.scale(0, 10, 11, 25).desired == 25
    assert scaler.scale(30, 40, 30, 80).desired == 80
    assert scaler.panic_time == 30


def test_another_target_counts_at_once() -> None:
    scaler = autoscaler(10, 77)
    assert scaler.scale(0, 1, 100, 101).desired == 10
    scaler.spec = spec(1, 71)
    assert scaler.scale(0, 10, 100, 101) == (100, excess(1, 71, 101, 10))


@pytest.mark.parametrize(("ready", "panic_time"), [(0, None), (1, None), (2, 7)])
def test_it_starts_panicking_with_more_than_one_ready_pod(ready: int, panic_time: float | None) -> None:
    scaler = KpaAutoscaler(spec(100, 11, panic_threshold=220), ready, 7)
    assert (scaler.panic_time, scaler.max_panic_pods) == (panic_time, ready)


# pkg/autoscaler/aggregation/max/window_test.go and timewindow_test.go: a window of 5 steps


@pytest.mark.parametrize(
    ("values", "times", "maxima"),
    [
        ([1], range(1), [1]),
        ([1, 2], range(2), [1, 2]),
        ([2, 1], range(2), [2, 2]),
        ([5, 6, 5, 5, 5, 5, 5], range(7), [5, 6, 6, 6, 6, 6, 5]),
        ([6, 5, 2, 1], [0, 1, 2, 6], [6, 6, 6, 2]),
        (
            [5, 8, 5, 7, 5, 5, 1, 4, 4, 4, 4, 9, 3, 4, 2, 1, 0],
            range(17),
            [5, 8, 8, 8, 8, 8, 7, 7, 5, 5, 4, 9, 9, 9, 9, 9, 4],
        ),
        ([1, 2, 3, 4, 5, 6, 7], [1] * 7, [1, 2, 3, 4, 5, 6, 7]),
        ([7, 6, 5, 4, 3, 2, 1], [1] * 7, [7] * 7),
        ([6, 5], [0, 0.5], [6, 6]),
        ([5, 4], [0, 6], [5, 4]),
    ],
)
def test_the_largest_value_of_a_window(values: list[int], times: list[float], maxima: list[int]) -> None:
    window = MaxWindow(5, 1)
    assert [window.record(time, value) for time, value in zip(times, values, strict=True)] == maxima


def test_a_window_has_as_many_steps_as_cover_it() -> None:
    window = MaxWindow(5, 2)
    assert [window.record(time, value) for time, value in [(0, 9), (5, 1), (6, 1)]] == [9, 9, 1]


def test_averages_have_six_decimals() -> None:
    samples = Samples(5)
    for time, value in enumerate([1, 0, 0]):
        samples.record(time, value)
    assert samples.mean(2, 5) == 0.333333


def test_averages_over_a_window() -> None:
    # pkg/autoscaler/aggregation/bucketing_test.go, as far as no second is missing between two measurements.
    samples = Samples(5)
    samples.record(0, 1)
    assert samples.mean(0, 5) == 1
    for time, value in enumerate([2, 3, 4, 5], start=1):
        samples.record(time, value)
    assert samples.mean(4, 5) == 15 / 5
    assert samples.mean(6, 5) == (15 - 1 - 2) / (5 - 2)
    assert samples.mean(10, 5) is None
    assert samples.mean(4, 2) == 4.5


@pytest.mark.parametrize(
    ("total", "percentage", "target"),
    [
        # pkg/reconciler/autoscaling/resources/target_test.go
        (100, 100, 100),
        (100, 80, 80),
        (2, 30, 0.6),
        (12, 75, 9),
        (1, 80, 0.8),
        (10, 75, 7.5),
        (1, 0.001, 0.01),
        # config/core/configmaps/autoscaler.yaml: containerConcurrency 10 and the default, in either notation
        (10, 70, 7),
        (10, 0.7, 7),
    ],
)
def test_the_target_of_a_pod(total: float, percentage: float, target: float) -> None:
    assert target_value(total, percentage) == target


@pytest.mark.parametrize(("stable", "percentage", "seconds"), [(60, 10, 6), (6, 10, 1), (6, 1, 1), (45, 10, 5)])
def test_the_panic_window_has_whole_seconds(stable: float, percentage: float, seconds: float) -> None:
    assert panic_window(stable, percentage) == seconds


# pkg/reconciler/autoscaling/kpa/scaler_test.go: stable window 300 s (or 45 s), grace period 60 s


@pytest.mark.parametrize(
    ("state", "lasted", "proxied", "settings", "wanted"),
    [
        ("active", 299, None, {}, (1, True)),
        ("active", 300, None, {}, (0, False)),
        ("active", 44, None, {"stable_window": 45}, (1, True)),
        ("active", 45, None, {"stable_window": 45}, (0, False)),
        ("inactive", 60, None, {}, (0, True)),
        ("inactive", 60, None, {"retention_period": 60}, (0, True)),
        ("inactive", 60, None, {"retention_period": 120}, (0, False)),
        ("inactive", 59, None, {}, (0, False)),
        ("inactive", 59, 59, {}, (0, False)),
        ("inactive", 59, 60, {}, (0, True)),
        ("inactive", 59, 60, {"retention_period": 42}, (0, True)),
        ("activating", 75, None, {}, (None, False)),
        ("active", 300, None, {"enabled": False}, (1, True)),
    ],
)
def test_no_pods_only_after_a_while(
    state: Any, lasted: float, proxied: float | None, settings: dict[str, Any], wanted: tuple[int | None, bool]
) -> None:
    now = 1000
    proxy_since = None if proxied is None else now - proxied
    activity = ScaleToZero(state, now - lasted, proxy_since, **{"stable_window": 300, "grace_period": 60, **settings})
    assert activity.wanted(now, 0) == wanted
    assert activity.wanted(now, 10) == (10, True)


@pytest.mark.parametrize(
    ("wanted", "ready", "before", "after"),
    # The table at computeActiveCondition, pkg/reconciler/autoscaling/kpa/kpa.go, for a minimum of one ready pod
    [
        (0, 3, "active", "inactive"),
        (0, 0, "activating", "inactive"),
        (2, 0, "inactive", "activating"),
        (2, 0, "active", "activating"),
        (2, 1, "inactive", "active"),
        (2, 3, "activating", "active"),
        (None, 0, "inactive", "inactive"),
        (None, 0, "activating", "activating"),
        (None, 0, "active", "activating"),
        (None, 1, "inactive", "inactive"),
        (None, 1, "activating", "active"),
        (None, 1, "active", "active"),
    ],
)
def test_the_states(wanted: int | None, ready: int, before: Any, after: str) -> None:
    activity = ScaleToZero(before, 0, None)
    activity.observe(9, wanted, ready, 0)
    assert (activity.state, activity.since) == (after, 0 if after == before else 9)


def test_the_activator_is_in_the_path_without_pods_or_without_capacity_to_spare() -> None:
    activity = ScaleToZero("active", 0, None)
    seen = []
    for now, wanted, capacity in [(1, 2, 0), (2, 2, -1), (3, 2, -1), (4, 2, 5), (5, 0, 5), (6, None, 5)]:
        activity.observe(now, wanted, 2, capacity)
        seen.append(activity.proxy_since)
    assert seen == [None, 2, 2, None, 5, 5]


# The policy


def view(time: float = 0, **changes: Any) -> PoolView:
    """Idle pods, all of them ready, but for *changes*."""
    pods = changes.get("pods", 1)
    base: dict[str, Any] = dict.fromkeys(PoolView._fields, 0)
    base.update(time=time, max_pods=99, slots_per_pod=3, apply_slots=1, pods=1, slots=3 * pods, idle=3 * pods)
    return PoolView(**{**base, **changes})


def answers(policy: Knative, *views: PoolView) -> list[int]:
    return [policy.desired_pods(shown) for shown in views]


def test_a_pod_is_for_70_percent_of_its_slots_of_queued_and_running_tasks() -> None:
    assert answers(Knative(), view(running=2, reserved=1)) == [1]  # 2 / 2.1
    assert answers(Knative(), view(running=3)) == [2]
    assert answers(Knative(), view(running=3, eligible_plan=5, slotless_confirmed=1, pending=9)) == [5]
    assert answers(Knative(container_concurrency_target_percentage=100), view(running=3, eligible_plan=6)) == [3]


def test_a_target_lowers_what_a_pod_is_for_and_never_raises_it() -> None:
    assert answers(Knative(target=1, container_concurrency_target_percentage=100), view(running=3)) == [3]
    assert answers(Knative(target=50), view(running=3)) == [2]


def test_the_rates_go_by_ready_pods() -> None:
    assert answers(Knative(max_scale_up_rate=2), view(pods=4, starting_pods=3, eligible_plan=30)) == [2]
    assert answers(Knative(max_scale_up_rate=2), view(pods=4, eligible_plan=30)) == [8]


def test_the_average_of_the_stable_window_decides_and_in_panic_that_of_the_panic_window() -> None:
    # 0, then 12 tasks: 12/2 in the stable window; in the panic window that too, then 24/2.
    policy = Knative(panic_threshold_percentage=1000)
    assert answers(policy, view(5), view(10, running=12), view(15, running=12)) == [1, 3, 4]
    policy = Knative()
    assert answers(policy, view(5), view(10, running=12), view(15, running=12)) == [1, 3, 6]


def test_samples_older_than_the_stable_window_do_not_count() -> None:
    policy = Knative(panic_threshold_percentage=1000)
    assert answers(policy, view(0, running=18), *(view(time) for time in (30, 58))) == [9, 5, 3]
    assert answers(policy, view(60, running=1)) == [1]  # (0 + 0 + 1) / 3


def test_the_first_tasks_after_nothing_are_not_diluted() -> None:
    policy = Knative()
    empty = [view(time, pods=0) for time in (5, 10, 15)]
    assert answers(policy, *empty, view(20, pods=0, eligible_plan=30)) == [0, 0, 0, 15]


def test_what_there_is_at_the_start_stays_until_something_is_measured() -> None:
    policy = Knative()
    assert answers(policy, *(view(time, pods=3, starting_pods=left) for time, left in [(0, 3), (5, 3), (10, 2)])) == [
        3,
        3,
        1,
    ]


def test_it_keeps_the_pods_that_it_starts_with_for_the_stable_window() -> None:
    policy = Knative()
    assert answers(policy, *(view(time, pods=8, running=2) for time in (5, 35, 65, 70))) == [8, 8, 8, 4]


def test_another_stable_window_counts_for_panic_and_for_going_to_zero() -> None:
    assert answers(Knative(stable_window=20), *(view(t, pods=8, running=2) for t in (5, 25, 30))) == [8, 8, 4]
    assert answers(Knative(stable_window=20), *(view(t) for t in (0, 20, 25, 30))) == [1, 1, 1, 0]


def test_the_panic_window_can_be_as_long_as_the_stable_one() -> None:
    policy = Knative(panic_window_percentage=100)
    assert answers(policy, view(5), view(10, running=12), view(15, running=12)) == [1, 3, 4]


def test_no_more_than_half_the_ready_pods_are_given_up_at_once() -> None:
    policy = Knative()
    answers(policy, view(0, pods=8, running=1))
    assert answers(policy, *(view(61 + n, pods=pods, running=1) for n, pods in [(0, 8), (5, 4), (10, 2)])) == [4, 2, 1]


def test_no_more_of_the_ready_pods_are_given_up_at_once_than_the_rate_says() -> None:
    policy = Knative(max_scale_down_rate=1.25)
    assert answers(policy, view(0, pods=10, running=1), view(61, pods=10, running=1)) == [10, 8]


def test_to_zero_at_once_while_the_activator_is_in_the_path_and_else_after_the_grace_period() -> None:
    times = (0, 5, 10, 65, 70, 95, 100)
    assert answers(Knative(), *(view(time) for time in times)) == [1, 1, 1, 1, 0, 0, 0]
    # Inactive from 65 on; until then no burst is to be covered, and the activator is not needed.
    policy = Knative(target_burst_capacity=0)
    assert answers(policy, *(view(time) for time in times)) == [1, 1, 1, 1, 1, 0, 0]
    policy = Knative(target_burst_capacity=0, scale_to_zero_grace_period=5)
    assert answers(policy, *(view(time) for time in times)) == [1, 1, 1, 1, 0, 0, 0]
    policy = Knative(scale_to_zero_pod_retention_period=35)
    assert answers(policy, *(view(time) for time in times)) == [1, 1, 1, 1, 1, 1, 0]


@pytest.mark.parametrize(("policy", "min_pods"), [(Knative(enable_scale_to_zero=False), 0), (Knative(), 1)])
def test_never_to_zero(policy: Knative, min_pods: int) -> None:
    assert answers(policy, *(view(time, min_pods=min_pods) for time in range(0, 300, 5))) == [1] * 60


def test_with_an_activation_scale_the_first_pods_are_as_many() -> None:
    assert answers(Knative(activation_scale=3), view(pods=0), view(5, pods=0, eligible_plan=1)) == [0, 3]


def test_scaling_down_can_be_delayed() -> None:
    policy = Knative(scale_down_delay=40, panic_threshold_percentage=1000, stable_window=6)
    looks = [view(0, running=6), view(10, running=1), view(38, running=1), view(40, running=1)]
    assert answers(policy, *looks) == [3, 3, 3, 1]
    # The delay is counted in ticks: four of 10 s, of which the first was at hand when it was recorded.
    policy = Knative(scale_down_delay=40, panic_threshold_percentage=1000, stable_window=6, tick_interval=10)
    assert answers(policy, view(5, running=6), view(39, running=1)) == [3, 3]
    policy = Knative(scale_down_delay=40, panic_threshold_percentage=1000, stable_window=6, tick_interval=10)
    assert answers(policy, view(5, running=6), view(40, running=1)) == [3, 1]


def test_between_two_ticks_it_goes_on_wanting_the_same_but_measures() -> None:
    policy = Knative(tick_interval=10, panic_threshold_percentage=1000)
    looks = [view(0, running=2), view(5, running=20), view(10, running=2)]
    assert answers(policy, *looks) == [1, 1, 4]  # 24 / 3 / 2.1


def test_no_burst_but_minus_one_is_below_zero() -> None:
    with pytest.raises(ValueError, match="target_burst_capacity must be at least 0, or -1"):
        Knative(target_burst_capacity=-0.5)
    Knative(target_burst_capacity=-1)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("max_scale_down_rate", 1),
        ("max_scale_up_rate", 1),
        ("stable_window", 5),
        ("panic_window_percentage", 0.5),
        ("panic_threshold_percentage", 100),
        ("target", 0),
        ("container_concurrency_target_percentage", 101),
    ],
)
def test_what_knative_refuses_is_refused(parameter: str, value: float) -> None:
    kind = get_type_hints(Knative, include_extras=True)[parameter]
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value, strict=True)


def test_a_run_from_zero_and_back() -> None:
    # The task waits from 1 to 11 for its pod and runs until 31. Only at 90 the last sample of it has left the window.
    pool = {"min_pods": 0, "max_pods": 5, "initial_pods": 0, "pod_startup": 3}
    assert run([plan(1, 1, 20)], Knative(), pool=pool, horizon=600).decisions == [(5, 0, 1), (95, 1, 0)]
    patient = Knative(target_burst_capacity=0)
    assert run([plan(1, 1, 20)], patient, pool=pool, horizon=600).decisions == [(5, 0, 1), (120, 1, 0)]


def test_a_run_in_which_a_burst_makes_it_panic_and_a_reservation_holds_a_pod() -> None:
    tasks = [plan_and_apply(0, 0, 10, 400, 10), *[plan(n, 1, 30) for n in range(1, 12)]]
    pool = {"min_pods": 1, "max_pods": 9, "initial_pods": 1}
    result = run(tasks, Knative(), pool=pool, horizon=600)
    assert result.decisions[0] == (5, 1, 6)  # 12 tasks
    assert all(after < before for _, before, after in result.decisions[1:])
    assert result.decisions[1][0] >= 65
    assert result.tasks[0].apply_wait == 0
    assert result.pods[0].deleted_at != result.pods[0].deleted_at
