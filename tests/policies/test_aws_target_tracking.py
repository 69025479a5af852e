"""Target tracking as AWS documents it: the numbers of its examples, and the rules it states in words.

The examples are those of the EC2 Auto Scaling and Application Auto Scaling user guides (docs.aws.amazon.com/autoscaling).
"""

from __future__ import annotations

from typing import Any

import pytest

from sim import InputError
from sim.experiment.named_policies import named_policies
from sim.policies.aws_target_tracking import AwsTargetTracking, Configuration, TargetTracking, capacity_for
from sim.policies.view import PoolView

from support import plan, run, scenario


class Group:
    """A group whose instances are all in service at once, and its policy; a datapoint each minute."""

    def __init__(self, desired: int, **changes: Any) -> None:
        values = {"target_value": 50.0, "min_capacity": 0, "max_capacity": 100, **changes}
        self.config = Configuration(**values)
        self.tracking = TargetTracking()
        self.desired = desired
        self.now = 0.0

    def minutes(self, *metrics: float | None, warming: int = 0) -> list[int]:
        """The desired capacity after each datapoint."""
        seen = []
        for metric in metrics:
            self.now += 60
            self.desired = self.tracking.observe(
                self.now, metric, self.desired - warming, warming, self.desired, self.config
            )
            seen.append(self.desired)
        return seen


# Examples of the documentation


def test_1500_messages_for_ten_instances_that_may_have_100_each_take_five_more() -> None:
    group = Group(10, target_value=100.0)  # "Scaling policy based on Amazon SQS"
    assert group.minutes(150, 150, 150) == [10, 10, 15]


def test_one_and_a_half_instances_are_two_to_add_and_one_to_remove() -> None:
    assert capacity_for(3, 75, 50) == 3 + 2  # "Target tracking scaling policies", considerations
    assert capacity_for(6, 37.5, 50) == 6 - 1
    assert capacity_for(10, 0.1 + 0.2, 0.3) == 10  # a float a little above


def test_within_the_cooldown_three_more_after_two_more_are_one_more() -> None:
    group = Group(10, target_value=100.0)  # the API's Cooldown, where the example is of step scaling
    assert group.minutes(120, 120, 120, 130) == [10, 10, 12, 13]
    assert group.minutes(130, 130, 130) == [13, 13, 13]


# The alarms


def test_three_datapoints_in_a_row_above_the_target_scale_out() -> None:
    group = Group(4)
    assert group.minutes(100, 100, 50, 100, 100, 51) == [4, 4, 4, 4, 4, 5]


def test_fifteen_datapoints_in_a_row_below_ninety_percent_of_the_target_scale_in() -> None:
    group = Group(4)
    assert group.minutes(*[10.0] * 14, 45.0, *[10.0] * 15) == [4] * 29 + [3]


def test_missing_data_scale_nothing_and_break_the_row() -> None:
    group = Group(4)
    assert group.minutes(100, 100, None, 100, 100, None, None, None) == [4] * 8
    assert group.minutes(*[10.0] * 14, None, *[10.0] * 14) == [4] * 29


def test_between_the_alarms_nothing_happens() -> None:
    assert Group(4).minutes(*[45.0, 50.0, 47.5] * 20) == [4] * 60


def test_the_alarms_can_be_other_ones() -> None:
    group = Group(4, high_datapoints=1, low_datapoints=2, low_share=0.5)
    assert group.minutes(60, 30, 30, 24, 24) == [5, 5, 5, 5, 4]


# Out


def test_out_in_proportion_to_the_latest_datapoint() -> None:
    assert Group(4).minutes(60, 70, 100)[-1] == 8


def test_after_the_cooldown_all_instances_count() -> None:
    group = Group(10)
    assert group.minutes(*[60.0] * 7) == [10, 10, 12, 12, 12, 12, 12]
    assert group.minutes(60) == [15]  # 300 s later: 12 * 60 / 50


def test_a_larger_scale_out_counts_from_before_the_first_and_cools_down_again() -> None:
    group = Group(10)
    assert group.minutes(60, 60, 60, 70, 70, 70, 70, 70) == [10, 10, 12, 14, 14, 14, 14, 14]
    assert group.minutes(70) == [20]


def test_nor_do_instances_count_within_the_cooldown_that_are_gone_since() -> None:
    group = Group(10)
    assert group.minutes(60, 60, 60) == [10, 10, 12]
    assert group.minutes(150, warming=8) == [12]


def test_instances_that_warm_up_are_part_of_what_there_is_to_be() -> None:
    group = Group(4, scale_out_cooldown=0.0)
    assert group.minutes(100, 100, 100) == [4, 4, 8]
    assert group.minutes(100, 100, warming=4) == [8, 8]
    assert group.minutes(100) == [16]


def test_not_beyond_the_maximum_and_what_adds_nothing_starts_no_cooldown() -> None:
    group = Group(4, max_capacity=5)
    assert group.minutes(100, 100, 100) == [4, 4, 5]
    group = Group(5, max_capacity=5)
    group.minutes(100, 100, 100)
    group.config = Configuration(50.0, 0, 100)
    assert group.minutes(60) == [6]


# In


def test_in_one_at_a_time_each_after_the_cooldown_of_the_one_before() -> None:
    group = Group(9)
    assert group.minutes(*[0.0] * 14) == [9] * 14
    assert group.minutes(*[0.0] * 11) == [8] * 5 + [7] * 5 + [6]


def test_without_cooldown_one_at_each_datapoint_as_an_ec2_group_does() -> None:
    group = Group(26, scale_in_cooldown=0.0)
    assert group.minutes(*[0.0] * 17)[13:] == [26, 25, 24, 23]


def test_in_larger_steps_or_all_at_once_but_not_below_the_proportion_or_the_minimum() -> None:
    def after_fifteen(**changes: Any) -> int:
        return Group(10, **changes).minutes(*[20.0] * 15)[-1]

    assert after_fifteen(scale_in_step=3) == 7
    assert after_fifteen(scale_in_step=None) == 4
    assert after_fifteen(scale_in_step=None, min_capacity=6) == 6
    assert after_fifteen(disable_scale_in=True) == 10


def test_no_scale_in_that_would_bring_the_metric_above_its_target() -> None:
    assert Group(2).minutes(*[44.0] * 40) == [2] * 40


def test_no_scale_in_while_instances_warm_up() -> None:
    group = Group(4)
    assert group.minutes(*[0.0] * 20, warming=1) == [4] * 20
    assert group.minutes(0.0) == [3]


def test_a_scale_out_comes_at_once_and_ends_the_cooldown_of_the_scale_in() -> None:
    group = Group(4, high_datapoints=1, low_datapoints=1, scale_in_cooldown=3600.0)
    assert group.minutes(0, 100, 0) == [3, 6, 5]
    assert group.minutes(0) == [5]


# On the pool


def view(**changes: int | float) -> PoolView:
    """Two ready pods of three slots without work, unless *changes* says otherwise."""
    pods = {"slots_per_pod": 3, "min_pods": 1, "max_pods": 99, "pods": 2, **changes}
    return PoolView._make([0] * len(PoolView._fields))._replace(slots=3 * pods["pods"], **pods)  # type: ignore[arg-type]


def answers(policy: AwsTargetTracking, minutes: int, start: float = 0.0, **changes: int | float) -> list[int]:
    """What the policy says at each full minute from *start* on, asked every 5 s, while the pool stays as it is."""
    said = [policy.desired_pods(view(time=start + 5 * tick, **changes)) for tick in range(12 * minutes)]
    return said[::12]


def test_the_first_datapoint_comes_one_interval_after_the_first_look() -> None:
    assert answers(AwsTargetTracking(), 5, running=6) == [2, 2, 2, 4, 4]


def test_utilisation_is_the_busy_share_of_the_ready_slots_in_percent() -> None:
    assert answers(AwsTargetTracking(), 4, running=3, reserved=1)[-1] == 3  # 2 * 67 / 50
    assert answers(AwsTargetTracking(target_value=75), 4, running=3, reserved=1)[-1] == 2
    assert answers(AwsTargetTracking(target_value=40), 4, pods=4, starting_pods=2, running=6)[-1] == 5  # 2 * 100 / 40


def test_a_datapoint_is_the_average_over_its_interval() -> None:
    policy = AwsTargetTracking(alarm_high_datapoints=1)
    assert answers(policy, 1) == [2]
    for tick in range(12):
        policy.desired_pods(view(time=60.0 + 5 * tick, running=6 if tick % 2 else 2))
    assert answers(policy, 1, start=120.0) == [3]  # six samples of 100 %, five of 33 % and one of 0 %


def test_backlog_is_queued_tasks_for_each_ready_pod() -> None:
    def backlog(**changes: int | float) -> int:
        return answers(AwsTargetTracking("backlog_per_instance"), 4, **changes)[-1]

    assert backlog(running=6, eligible_plan=5, eligible_plan_and_apply=3, slotless_confirmed=1, slotless=4) == 3
    assert backlog(running=6, eligible_plan=6) == 2
    assert backlog(pods=3, starting_pods=1, running=6, eligible_plan=12) == 4
    assert answers(AwsTargetTracking("backlog_per_instance", 1), 4, eligible_plan=9)[-1] == 9


def test_a_pool_at_zero_is_left_by_the_backlog_alone() -> None:
    nothing = {"min_pods": 0, "pods": 0, "eligible_plan": 9}
    assert answers(AwsTargetTracking("backlog_per_instance"), 4, **nothing)[-1] == 3
    assert answers(AwsTargetTracking("utilization"), 60, **nothing)[-1] == 0


def test_pods_count_once_they_have_been_ready_for_the_warm_up() -> None:
    def policy() -> AwsTargetTracking:
        asked = AwsTargetTracking(estimated_instance_warmup=120.0, scale_out_cooldown=0.0)
        assert answers(asked, 4, running=6) == [2, 2, 2, 4]
        return asked

    # two more are ready from 240 s on, so from 360 s on they count: 4 * 100 / 50
    assert answers(policy(), 3, start=240.0, pods=4, running=12) == [4, 4, 8]
    # one more is ready from 60 s on, so up to 180 s nothing goes
    asked = AwsTargetTracking(estimated_instance_warmup=120.0, alarm_low_datapoints=1)
    assert answers(asked, 1) == [2]
    assert answers(asked, 3, start=60.0, pods=3) == [2, 2, 1]


def test_starting_pods_block_scale_in() -> None:
    assert answers(AwsTargetTracking(), 20, pods=3, starting_pods=1)[-1] == 3
    assert answers(AwsTargetTracking(), 20, pods=3)[-1] == 2


def test_the_pods_at_first_are_brought_within_the_bounds() -> None:
    assert AwsTargetTracking().desired_pods(view(pods=0, min_pods=2)) == 2
    assert AwsTargetTracking().desired_pods(view(pods=7, max_pods=5)) == 5


def from_a_scenario(**parameters: Any) -> Any:
    chosen = scenario(
        workload={"tasks": [plan(1, 0, 1)]},
        pool={"min_pods": 1, "max_pods": 9},
        policies=[{"name": "sim.policies.aws_target_tracking:AwsTargetTracking", **parameters}],
    )
    return named_policies(chosen, allow_plugins=True)[0].policy


def test_a_scenario_gives_its_parameters() -> None:
    given = {"metric": "backlog_per_instance", "target_value": 2, "interval": "5m", "alarm_low_share": "80%"}
    policy = from_a_scenario(**given, scale_in_step=None)
    assert policy == AwsTargetTracking("backlog_per_instance", 2, 300.0, scale_in_step=None, alarm_low_share=0.8)


@pytest.mark.parametrize(
    "parameters",
    [{"metric": "cpu"}, {"target_value": 0}, {"interval": 0}, {"scale_in_step": 0}, {"alarm_high_datapoints": 0}],
)
def test_a_parameter_out_of_bounds_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        from_a_scenario(**parameters)


def test_a_whole_run() -> None:
    # The three slots are busy until 600 s: the datapoints at 65, 125 and 185 s are 100 %, later ones 50 %. That at 605 s,
    # ten samples of 50 % and two of 0 %, is the first below 45 %; the 15th comes 14 minutes later.
    result = run(
        [plan(number, 0, 600) for number in range(3)],
        AwsTargetTracking(),
        pool={"min_pods": 1, "max_pods": 9, "initial_pods": 1, "pod_startup": 10},
        horizon=3000,
    )
    assert result.decisions == [(185, 1, 2), (1445, 2, 1)]
