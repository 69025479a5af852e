"""The HorizontalPodAutoscaler, against the published tests of its controller and the examples of its documentation.

The numbers of the tables are those of pkg/controller/podautoscaler/{horizontal_test,replica_calculator_test}.go in
github.com/kubernetes/kubernetes; the tests' names are given with them.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim import InputError
from sim.experiment.named_policies import named_policies
from sim.policies.hpa import (
    SCALE_DOWN,
    SCALE_UP,
    Controller,
    Hpa,
    ScaleEvent,
    ScalingPolicy,
    ScalingRules,
    Tolerances,
    changed,
    external_replicas,
    resource_replicas,
    store,
)
from sim.policies.view import PoolView

from support import plan, run, scenario

NOW = 10_000.0
DEFAULT = Tolerances()


# What the metric recommends


@pytest.mark.parametrize(
    ("replicas", "usage", "target", "tolerances", "expected"),
    [
        (3, 8600, 2150, DEFAULT, 4),  # TestReplicaCalcExternalPerPodMetric
        (5, 8600, 2867, DEFAULT, 3),
        (3, 8600, 2900, DEFAULT, 3),
        (3, 8600, 2800, Tolerances(scale_up=0.01), 4),
        (3, 20000, 5000, DEFAULT, 4),  # TestReplicaCalcObjectPerPodMetric
        (5, 6000, 2000, DEFAULT, 3),
        (4, 20166, 5000, DEFAULT, 4),
        (4, 20208, 5000, Tolerances(scale_up=0.01), 5),
        (0, 0, 2000, DEFAULT, 0),
        (0, 2001, 2000, DEFAULT, 2),
        (7, 0, 2000, DEFAULT, 0),
    ],
)
def test_an_external_metric_divided_by_the_target_per_pod(
    replicas: int, usage: int, target: int, tolerances: Tolerances, expected: int
) -> None:
    assert external_replicas(replicas, usage, target, tolerances) == expected


@pytest.mark.parametrize(("average", "expected"), [(200, 6), (50, 2)])
def test_twice_the_metric_doubles_the_pods_and_half_of_it_halves_them(average: int, expected: int) -> None:
    pods = 3 if average > 100 else 4  # the documentation, "Algorithm details"
    assert external_replicas(pods, average * pods, 100, DEFAULT) == expected


@pytest.mark.parametrize(("usage", "expected"), [(899, 9), (900, 10), (1100, 10), (1101, 12)])
def test_the_tolerances_themselves_are_within(usage: int, expected: int) -> None:
    assert external_replicas(10, usage, 100, DEFAULT) == expected


@pytest.mark.parametrize(
    ("current", "usage", "ready", "unready", "target", "tolerances", "expected"),
    [
        (3, 300 + 500 + 700, 3, 0, 30, DEFAULT, 5),  # TestReplicaCalcResourceScale
        (3, 500 + 700, 2, 1, 30, DEFAULT, 4),  # unready pod scales less
        (3, 400, 1, 2, 30, DEFAULT, 3),  # unready pods ignored
        (2, 500 + 700, 2, 0, 30, DEFAULT, 4),
        (5, 100 + 300 + 500 + 250 + 250, 5, 0, 50, DEFAULT, 3),
        (5, 100 + 300 + 500, 3, 2, 50, DEFAULT, 2),  # exclude unready pods
        (5, 100, 1, 4, 50, DEFAULT, 1),  # exclude unscheduled pods
        (3, 1010 + 1030 + 1020, 3, 0, 100, DEFAULT, 3),  # TestReplicaCalcResourceTolerance
        (3, 909 + 1010 + 1111, 3, 0, 100, Tolerances(0, 0), 4),
        (3, 1890 + 1910 + 1900, 3, 0, 100, Tolerances(scale_up=2.0), 3),
        (3, 1100 + 1080 + 1090, 3, 0, 100, Tolerances(scale_up=0.08, scale_down=2.0), 4),
        (3, 660 + 640 + 650, 3, 0, 100, Tolerances(scale_down=0.36), 3),
        (3, 660 + 640 + 650, 3, 0, 100, Tolerances(scale_down=0.34), 2),
        (10, 5000, 10, 0, 56, DEFAULT, 9),  # TestReplicaCalcComputedToleranceAlgImplementation: half of the request
        (10, 5000, 10, 0, 55, DEFAULT, 10),
        (4, 0, 0, 4, 100, DEFAULT, None),  # no metrics of any ready pod: an error, nothing is scaled
        (4, 0, 0, 0, 100, DEFAULT, None),
        (2, 2 * 1000, 2, 4, 40, DEFAULT, 2),  # 100 % of two pods are 33 % of all six: no change of direction
        (9, 2 * 1000, 2, 2, 30, DEFAULT, 9),  # 7 would be a scale-down on a metric above its target
        (2, 1019, 1, 0, 100, Tolerances(0.01, 0.01), 2),  # 101.9 % are 101 whole ones: ceil(1.01) = 2, not tolerated
        (1, 1009, 1, 0, 100, Tolerances(0, 0), 1),  # 100.9 % are 100
    ],
)
def test_the_utilisation_of_the_ready_pods(
    current: int, usage: int, ready: int, unready: int, target: int, tolerances: Tolerances, expected: int | None
) -> None:
    assert resource_replicas(current, usage, 1000, ready, unready, target, tolerances) == expected


# How fast: the scaling policies


def rules(pods: int, pods_period: float, percent: int, percent_period: float, window: float = 0.0) -> ScalingRules:
    found = []
    if pods:
        found.append(ScalingPolicy("Pods", pods, pods_period))
    if percent:
        found.append(ScalingPolicy("Percent", percent, percent_period))
    return ScalingRules(tuple(found), window)


def spread(changes: list[int], period: int) -> list[ScaleEvent]:
    """The changes evenly over the last *period* seconds, each in the middle of its part, in whole seconds."""
    part = period / len(changes)
    return [ScaleEvent(value, NOW - int(period - part * (index + 0.5))) for index, value in enumerate(changes)]


@pytest.mark.parametrize(
    ("current", "desired", "minimum", "maximum", "up", "ups", "downs", "expected"),
    [  # TestScalingWithRules
        (5, 7, 3, 8, SCALE_UP, [], [], 7),
        (20, 1000, 1, 10, SCALE_UP, [], [], 10),
        (100, 1000, 100, 150, SCALE_UP, [], [], 150),
        (3, 1000, 1, 2000, rules(0, 0, 1, 60), [], [], 4),
        (10, 50, 1, 1000, SCALE_UP, [], [], 20),
        (10, 500, 1, 1000, rules(100, 60, 100, 60), [], [], 110),
        (10, 500, 1, 1000, rules(2, 60, 100, 60), [], [], 20),
        (10, 50, 1, 1000, rules(100, 60, 0, 0), [], [], 50),
        (10, 50, 1, 1000, rules(10000, 60, 0, 0), [], [], 50),
        (10, 50, 1, 1000, rules(30, 60, 0, 0), [], [], 40),
        (10, 50, 1, 1000, rules(0, 0, 200, 60), [], [], 30),
        (100, 500, 1, 200, rules(300, 60, 0, 0), [1, 5, 9], [], 200),
        (100, 500, 1, 200, rules(0, 0, 10000, 60), [1, 5, 9], [], 200),
        (100, 500, 1, 1000, rules(5, 120, 0, 0), [1, 5, 9], [], 100),  # not below what there is
        (100, 500, 1, 1000, rules(150, 120, 0, 0), [1, 5, 9], [], 235),
        (100, 500, 1, 1000, rules(0, 0, 200, 120), [1, 5, 9], [], 255),
        (6, 24, 1, 1000, rules(0, 0, 300, 300), [4], [2], 16),
        (100, 200, 1, 1000, rules(1000, 60, 0, 0), [8, 12, 9, 11], [], 200),
        (100, 200, 1, 1000, rules(1000, 120, 100, 60), [8, 12, 9, 11], [], 200),
        (100, 200, 1, 1000, rules(1000, 30, 100, 60), [8, 12, 9, 11], [], 200),
    ],
)
def test_scaling_up_with_policies(
    current: int,
    desired: int,
    minimum: int,
    maximum: int,
    up: ScalingRules,
    ups: list[int],
    downs: list[int],
    expected: int,
) -> None:
    controller = Controller(up)
    controller.ups, controller.downs = spread(ups, 120) if ups else [], spread(downs, 120) if downs else []
    assert controller.limited(NOW, current, desired, minimum, maximum) == expected


@pytest.mark.parametrize(
    ("current", "desired", "minimum", "down", "ups", "downs", "expected"),
    [  # TestScalingWithRules
        (3, 1, 2, SCALE_DOWN, [], [], 2),
        (1, 0, 0, SCALE_DOWN, [], [], 0),
        (1000, 3, 3, rules(20, 60, 0, 0), [], [], 980),
        (100, 2, 1, rules(20, 60, 1, 60), [], [], 80),
        (100, 2, 1, rules(2, 60, 1, 60), [], [], 98),
        (10, 0, 1, rules(100, 60, 0, 0), [], [], 1),
        (10, 2, 5, rules(0, 0, 100, 60), [], [], 5),
        (10, 2, 1, rules(5, 60, 0, 0), [], [], 5),
        (10, 5, 1, rules(0, 0, 50, 60), [], [], 5),
        (10, 5, 1, SCALE_DOWN, [], [1, 5, 9], 5),
        (100, 0, 1, rules(115, 120, 0, 0), [], [1, 5, 9], 1),
        (100, 0, 5, rules(130, 120, 0, 0), [], [1, 5, 9], 5),
        (100, 2, 5, rules(0, 0, 100, 120), [], [1, 5, 9], 5),
        (100, 2, 1, rules(5, 120, 0, 0), [], [1, 5, 9], 100),
        (100, 0, 1, rules(0, 0, 50, 120), [], [2, 4, 6], 56),
        (10, 1, 1, rules(0, 0, 50, 180), [2], [4], 6),
        (100, 0, 1, rules(0, 0, 10, 120), [], [10, 10, 10], 100),  # not above what there is
        (10, 5, 1, rules(0, 0, 1000, 120), [], [10, 10, 10], 5),
        (100, 5, 1, rules(1000, 60, 0, 0), [], [8, 12, 9, 11], 5),
        (100, 5, 1, rules(1000, 120, 100, 60), [], [8, 12, 9, 11], 5),
        (100, 5, 1, rules(1000, 30, 100, 60), [], [8, 12, 9, 11], 5),
    ],
)
def test_scaling_down_with_policies(
    current: int, desired: int, minimum: int, down: ScalingRules, ups: list[int], downs: list[int], expected: int
) -> None:
    controller = Controller(down=down)
    controller.ups, controller.downs = spread(ups, 120) if ups else [], spread(downs, 120) if downs else []
    assert controller.limited(NOW, current, desired, minimum, 2000) == expected


def test_min_selects_the_policy_that_changes_least_and_disabled_none() -> None:
    two = rules(2, 60, 50, 60).policies
    least = Controller(ScalingRules(two, 300, "Min"), ScalingRules(two, 300, "Min"))
    assert least.limit(NOW, 1, least.up, 1) == 2  # TestCalculateScaleUpLimitWithScalingRules
    assert least.limit(NOW, 5, least.down, -1) == 3  # TestCalculateScaleDownLimitWithBehaviors
    none = Controller(ScalingRules(two, 0, "Disabled"), ScalingRules(two, 0, "Disabled"))
    assert none.limited(NOW, 5, 9, 1, 9) == none.limited(NOW, 5, 1, 1, 9) == 5


def test_ten_percent_of_72_replicas_are_8_and_below_40_it_is_four_at_a_time() -> None:
    # The documentation, "Scaling policies": 4 pods or 10 % per minute, from 80 replicas to 10.
    controller = Controller(down=rules(4, 60, 10, 60))
    replicas, seen = 80, [80]
    for minute in range(20):
        replicas = controller.reconcile(60.0 * minute, replicas, 10, 1, 100)
        seen.append(replicas)
    assert seen[:15] == [80, 72, 64, 57, 51, 45, 40, 36, 32, 28, 24, 20, 16, 12, 10]
    assert seen[-1] == 10


def test_a_policy_holds_for_its_period_and_not_for_each_sync() -> None:
    controller = Controller(rules(4, 60, 0, 0))
    seen, replicas = [], 1
    for sync in range(10):
        replicas = controller.reconcile(15.0 * sync, replicas, 100, 1, 100)
        seen.append(replicas)
    assert seen == [5, 5, 5, 5, 9, 9, 9, 9, 13, 13]


@pytest.mark.parametrize(
    ("before", "longest", "counted", "after"),
    [  # TestStoreScaleEvents: a change of 5 is stored; events by their age
        ([], 60, 0, [5]),
        ([(7, 61)], 60, 0, [5]),
        ([(7, 58)], 60, 7, [7, 5]),
        ([(7, 61), (6, 59)], 60, 6, [5, 6]),
        ([(8, 29), (6, 59), (7, 61), (9, 61)], 60, 14, [8, 6, 7, 5]),
        ([(7, 58), (6, 59)], 120, 13, [7, 6, 5]),
    ],
)
def test_an_event_that_no_policy_needs_any_more_is_replaced(
    before: list[tuple[int, int]], longest: float, counted: int, after: list[int]
) -> None:
    events = [ScaleEvent(value, NOW - age) for value, age in before]
    assert changed(events, 60, NOW) == counted
    store(events, ScaleEvent(5, NOW), longest)
    assert [event.value for event in events] == after


def test_what_is_changed_is_remembered_by_direction_for_the_longest_period_of_its_policies() -> None:
    controller = Controller(rules(4, 60, 100, 15), rules(9, 30, 0, 0))
    replicas = 2
    for time, recommended in ((0.0, 4), (20.0, 5), (40.0, 1), (61.0, 3), (75.0, 1)):
        replicas = controller.reconcile(time, replicas, recommended, 1, 9)
    assert [*controller.ups] == [ScaleEvent(2, 61.0), ScaleEvent(1, 20.0)]
    assert [*controller.downs] == [ScaleEvent(2, 75.0)]


# How steady: the stabilisation windows


@pytest.mark.parametrize(
    ("before", "current", "desired", "up", "down", "expected", "after"),
    [  # TestNormalizeDesiredReplicasWithBehavior: recommendations by their age in minutes
        ([], 100, 5, 0, 0, 5, [5]),
        ([(4, 2), (5, 1)], 100, 3, 0, 180, 5, [4, 5, 3]),
        ([(4, 2), (5, 1)], 1, 7, 300, 0, 4, [4, 5, 7]),
        ([(1, 2), (2, 1)], 100, 3, 300, 0, 3, [1, 2, 3]),
        ([(4, 2), (5, 1)], 1, 3, 0, 300, 3, [4, 5, 3]),
        ([(10, 10), (9, 9)], 100, 3, 0, 0, 3, [10, 3]),
        ([(10, 10), (9, 9)], 1, 100, 0, 0, 100, [10, 100]),
        ([(10, 10), (4, 1), (5, 2), (9, 9)], 100, 3, 0, 180, 5, [10, 4, 5, 3]),
        ([(10, 100), (6, 1), (5, 2), (9, 3)], 1, 100, 300, 0, 5, [100, 6, 5, 9]),
        ([(2, 100), (3, 3)], 2, 1, 300, 300, 2, [1, 3]),
        ([(2, 100), (1, 3)], 2, 3, 300, 300, 2, [3, 1]),
        ([(10, 10), (4, 1)], 4, 2, 0, 300, 4, [2, 4]),  # TestStabilizeDownscale
    ],
)
def test_the_recommendation_of_the_window_that_changes_least_counts(
    before: list[tuple[int, int]], current: int, desired: int, up: float, down: float, expected: int, after: list[int]
) -> None:
    controller = Controller(ScalingRules(SCALE_UP.policies, up), ScalingRules(SCALE_DOWN.policies, down))
    controller.recommendations = [ScaleEvent(value, NOW - 60 * age) for value, age in before]
    assert controller.stabilized(NOW, current, desired) == expected
    assert [record.value for record in controller.recommendations] == after


def test_pods_go_300_seconds_after_the_last_time_they_were_recommended() -> None:
    controller, replicas, seen = Controller(), 2, {}
    for sync in range(30):
        time = 15.0 * sync
        replicas = controller.reconcile(time, replicas, 6 if time <= 60 else 3, 1, 10)
        seen[time] = replicas
    assert (seen[60.0], seen[345.0], seen[360.0]) == (6, 6, 3)


def test_the_replicas_at_first_count_as_a_recommendation() -> None:
    controller, replicas = Controller(), 5
    for time in (0.0, 285.0):
        replicas = controller.reconcile(time, replicas, 1, 1, 10)
        assert replicas == 5
    assert controller.reconcile(300.0, replicas, 1, 1, 10) == 1


# One whole sync


@pytest.mark.parametrize(
    ("minimum", "maximum", "current", "recommended", "expected"),
    [
        (3, 5, 0, None, 0),  # TestZeroReplicas: switched off
        (3, 5, 2, None, 3),  # TestTooFewReplicas
        (3, 5, 10, None, 5),  # TestTooManyReplicas
        (2, 6, 1, 0, 2),  # TestScaleUpRCImmediately
        (2, 5, 6, 20, 5),  # TestScaleDownRCImmediately
        (2, 6, 4, None, 4),  # TestEmptyMetrics
        (0, 5, 3, 0, 0),  # TestZeroMinReplicasDesiredZero
        (2, 5, 3, 0, 2),  # TestMinReplicasDesiredZero
        (2, 5, 3, 21, 5),  # TestMaxReplicas
        (0, 9, 0, 7, 4),  # from zero: 4 pods per period
    ],
)
def test_the_bounds(minimum: int, maximum: int, current: int, recommended: int | None, expected: int) -> None:
    at_once = Controller(down=ScalingRules(SCALE_DOWN.policies))
    assert at_once.reconcile(NOW, current, recommended, minimum, maximum) == expected


def test_without_a_metric_nothing_is_recommended_or_changed() -> None:
    controller = Controller()
    assert controller.reconcile(NOW, 4, None, 1, 9) == 4
    assert controller.recommendations == [ScaleEvent(4, NOW)]
    assert (controller.ups, controller.downs) == ([], [])


# On the pool


def view(**changes: int | float) -> PoolView:
    """Two ready pods of three slots without work, unless *changes* says otherwise."""
    pods = {"slots_per_pod": 3, "min_pods": 1, "max_pods": 99, "pods": 2, **changes}
    return PoolView._make([0] * len(PoolView._fields))._replace(slots=3 * pods["pods"], **pods)  # type: ignore[arg-type]


def test_demand_is_queued_and_running_tasks_and_a_pod_is_meant_for_as_many_as_it_has_slots() -> None:
    shown = view(running=5, reserved=1, eligible_plan=4, eligible_plan_and_apply=3, slotless=9, slotless_confirmed=1)
    assert Hpa().desired_pods(shown) == 5  # 13 / 3
    assert Hpa(average_value=2).desired_pods(shown) == 6  # 7, but no more than 4 are added
    assert Hpa(average_value=2, scale_up_pods=9).desired_pods(shown) == 7


def test_an_average_value_counts_in_thousandths() -> None:
    assert Hpa(average_value=0.7, scale_up_pods=99).desired_pods(view(running=7)) == 10  # 7 / 0.7 is more in floats


def test_utilisation_is_the_busy_share_of_the_ready_slots() -> None:
    assert Hpa(metric="utilization").desired_pods(view(running=5, reserved=1)) == 3  # 2 * 100 / 80
    assert Hpa(metric="utilization", average_utilization=40).desired_pods(view(running=5)) == 5  # 2 * 83 / 40 = 4.15


def test_starting_pods_have_no_utilisation_but_stand_against_more_pods() -> None:
    policy = Hpa(metric="utilization", scale_down_stabilization_window=0)
    assert policy.desired_pods(view(time=0.0, pods=5, starting_pods=3, running=6)) == 5  # 100 %, or 40 % of all five
    assert policy.desired_pods(view(time=15.0, pods=5, starting_pods=5, eligible_plan=9)) == 5
    assert policy.desired_pods(view(time=30.0, pods=5, starting_pods=3, running=3)) == 2  # 50 / 80 of two pods


def test_within_the_tolerance_utilisation_keeps_what_was_asked_for() -> None:
    policy = Hpa(metric="utilization", scale_down_stabilization_window=0)
    assert policy.desired_pods(view(time=0.0, pods=4)) == 1
    assert policy.desired_pods(view(time=15.0, pods=4, running=10)) == 1  # 83 %


def test_each_direction_has_its_tolerance() -> None:
    policy = Hpa(scale_up_tolerance=0.5, scale_down_tolerance=0.0, scale_down_stabilization_window=0)
    assert policy.desired_pods(view(time=0.0, pods=4, running=12, eligible_plan=6)) == 4
    assert policy.desired_pods(view(time=15.0, pods=4, running=9)) == 3


@pytest.mark.parametrize(("metric", "least"), [("external", 0), ("utilization", 1)])
def test_to_zero_and_from_it_only_with_an_external_metric(metric: Any, least: int) -> None:
    policy = Hpa(metric=metric, scale_down_stabilization_window=0)
    assert policy.desired_pods(view(min_pods=0)) == least
    assert policy.desired_pods(view(min_pods=0, time=15.0, pods=0, eligible_plan=1)) == 1


def test_min_pods_above_the_pods_at_the_start_is_no_switched_off_autoscaler() -> None:
    assert Hpa().desired_pods(view(min_pods=1, pods=0, eligible_plan=6)) == 2


def test_between_its_syncs_it_keeps_its_answer() -> None:
    policy = Hpa(interval=15)
    assert policy.desired_pods(view(time=5.0)) == 2
    assert policy.desired_pods(view(time=15.0, running=6, eligible_plan=3)) == 2
    assert policy.desired_pods(view(time=20.0, running=6, eligible_plan=3)) == 3
    assert policy.desired_pods(view(time=30.0, pods=1, starting_pods=1)) == 3


def test_current_replicas_are_those_asked_for_and_the_metric_is_of_those_there_are() -> None:
    policy = Hpa(scale_down_stabilization_window=0)
    assert policy.desired_pods(view(time=0.0, pods=4, running=3)) == 1
    # three could not be deleted, and for 13 tasks 4 pods are near enough
    assert policy.desired_pods(view(time=15.0, pods=4, running=9, eligible_plan=4)) == 4


@pytest.mark.parametrize("direction", ["scale_up", "scale_down"])
def test_a_direction_without_any_policy_is_refused(direction: str) -> None:
    with pytest.raises(ValueError, match=f"expected {direction}_percent or {direction}_pods"):
        Hpa(**{f"{direction}_percent": None, f"{direction}_pods": None})  # type: ignore[arg-type]


def from_a_scenario(**parameters: Any) -> Any:
    chosen = scenario(
        workload={"tasks": [plan(1, 0, 1)]},
        pool={"min_pods": 1, "max_pods": 9},
        policies=[{"name": "sim.policies.hpa:Hpa", **parameters}],
    )
    return named_policies(chosen, allow_plugins=True)[0].policy


def test_a_scenario_gives_its_parameters() -> None:
    policy = from_a_scenario(
        metric="utilization", average_utilization=50, average_value=2, interval="1m", scale_up_percent=None,
        scale_up_tolerance="5%", scale_down_select_policy="Disabled", scale_down_stabilization_window="10m",
    )  # fmt: skip
    assert policy == Hpa("utilization", 2, 50, 60.0, 0.05, scale_up_percent=None,
                         scale_down_select_policy="Disabled", scale_down_stabilization_window=600.0)  # fmt: skip


@pytest.mark.parametrize(
    "parameters",
    [{"metric": "cpu"}, {"average_value": 0}, {"average_utilization": 0}, {"scale_up_pods": 0}, {"interval": 0}],
)
def test_a_parameter_out_of_bounds_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        from_a_scenario(**parameters)


def test_a_whole_run() -> None:
    # Twelve plans of 100 s at once on one pod of 3 slots: 4 pods at the first sync. The syncs at 95 s and at 125 s are
    # the last that recommend 4 and 3 pods; 300 s later those may go.
    result = run(
        [plan(number, 0, 100) for number in range(12)],
        Hpa(),
        pool={"min_pods": 1, "max_pods": 9, "initial_pods": 1, "pod_startup": 20},
        horizon=1000,
    )
    assert result.decisions == [(5, 1, 4), (395, 4, 3), (425, 3, 1)]
    assert max(task.plan_started_at for task in result.tasks.values()) == 30
