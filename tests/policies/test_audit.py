"""What an audit of the field's policies against their originals found."""

from __future__ import annotations

from typing import Any

import pytest

import sim
from sim.policies.arc_busy import ArcBusy
from sim.policies.cadence import Cadence
from sim.policies.hpa import Hpa
from sim.policies.keda import Keda

from support import Script, plan, run, scenario


def test_a_cadence_keeps_its_phase_whatever_the_ticks() -> None:
    cadence = Cadence(12)
    assert [tick for tick in range(5, 80, 5) if cadence.is_due(tick)] == [5, 20, 30, 45, 55, 65, 80][:-1]
    fast = Cadence(1)
    assert all(fast.is_due(tick) for tick in (5, 10, 15))


def view(pods: int, queued: int, time: float, max_pods: int = 50) -> sim.PoolView:
    return sim.PoolView(
        time=time, min_pods=1, max_pods=max_pods, initial_pods=pods, slots_per_pod=1, apply_slots=1, pods=pods,
        starting_pods=0, slots=pods, running=0, reserved=0, idle=pods, idle_ready=pods, idle_starting=0,
        idle_apply_ready=pods, idle_apply_starting=0, pending=queued, eligible_plan=queued, eligible_plan_and_apply=0,
        slotless=0, slotless_confirmed=0,
    )  # fmt: skip


def test_an_hpa_without_behavior_adds_at_most_as_many_again_or_up_to_four() -> None:
    with_default, without = Hpa(), Hpa(behavior="none")
    assert [policy.desired_pods(view(1, 40, 15)) for policy in (with_default, without)] == [5, 4]
    assert [policy.desired_pods(view(10, 40, 30)) for policy in (Hpa(), Hpa(behavior="none"))] == [20, 20]


def test_an_hpa_without_behavior_holds_the_highest_recommendation_upwards_too() -> None:
    policy = Hpa(behavior="none", scale_down_stabilization_window=60)
    assert policy.desired_pods(view(10, 12, 15)) == 12
    assert policy.desired_pods(view(12, 3, 30)) == 12
    assert policy.desired_pods(view(12, 3, 91)) == 3


def test_of_several_metrics_of_an_hpa_the_largest_recommendation_counts() -> None:
    def asked(metrics: list[Any], pods: int = 4, queued: int = 12, starting: int = 0) -> int:
        return Hpa(metrics=metrics).desired_pods(view(pods, queued, 15)._replace(starting_pods=starting))

    assert asked([{"average_value": 6}, {"length": "queued", "average_value": 2}]) == 6
    assert asked([{"average_value": 2}, {"average_utilization": 50}]) == 6
    # Without a ready pod the utilization has no figure: pods may be added then, and none is removed.
    assert asked([{"average_value": 2}, {"average_utilization": 50}], starting=4) == 6
    assert asked([{"average_value": 6}, {"average_utilization": 50}], starting=4) == 4


def test_the_target_of_an_hpas_metric_may_be_a_value_for_all_pods_together() -> None:
    def asked(pods: int, starting: int, queued: int) -> int:
        policy = Hpa(metrics=[{"value": 10}], scale_down_stabilization_window=0)
        return policy.desired_pods(view(pods, queued, 15)._replace(starting_pods=starting, min_pods=0))

    assert asked(4, 0, 15) == 6
    assert asked(4, 2, 15) == 3
    assert asked(4, 0, 11) == 4
    assert asked(0, 0, 15) == 2


def test_an_hpa_scales_from_zero_only_what_it_scaled_to_zero() -> None:
    policies = [Hpa(scaled_to_zero=choice) for choice in (True, False)]
    assert [policy.desired_pods(view(0, 3, 15)._replace(min_pods=0)) for policy in policies] == [3, 0]
    own = Hpa(scaled_to_zero=False, scale_down_stabilization_window=0)
    assert own.desired_pods(view(1, 0, 15)._replace(min_pods=0)) == 0
    assert own.desired_pods(view(0, 2, 30)._replace(min_pods=0)) == 2


def test_keda_is_active_while_any_of_its_triggers_is_and_the_largest_recommendation_counts() -> None:
    triggers: list[Any] = [{"activation_queue_length": 5, "queue_length": 4}, {"metric": "queued", "queue_length": 2}]
    policy = Keda(triggers=triggers, polling_interval=5, min_replica_count=0)
    assert policy.desired_pods(view(0, 3, 5)._replace(min_pods=0)) == 1
    assert policy.desired_pods(view(1, 3, 20)._replace(min_pods=0)) == 2
    never = Keda(triggers=triggers[:1], polling_interval=5, min_replica_count=0)
    assert never.desired_pods(view(0, 3, 5)._replace(min_pods=0)) == 0


def test_the_target_of_a_kedas_trigger_may_be_a_value() -> None:
    policy = Keda(triggers=[{"queue_length": 10, "metric_type": "Value"}], polling_interval=1000)
    assert policy.desired_pods(view(4, 15, 15)) == 6


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ({"name": "hpa", "metrics": [{"length": "queued"}]}, "expected each of the metrics to have one target"),
        ({"name": "hpa", "metrics": [{"value": 1, "average_value": 1}]}, "to have one target"),
        ({"name": "hpa", "metrics": []}, "expected at least one of metrics"),
        ({"name": "hpa", "metrics": [{"valu": 1}]}, "valu"),
        ({"name": "keda", "triggers": []}, "expected at least one of triggers"),
        ({"name": "keda", "triggers": [{"queue_length": 0}]}, "queue_length"),
    ],
)
def test_metrics_and_triggers_that_say_too_little_or_too_much_are_refused(policy: dict[str, Any], problem: str) -> None:
    with pytest.raises(sim.InputError, match=problem):
        sim.run(scenario(workload={"tasks": [plan(1, 0, 1)]}, policies=[policy], horizon=60))


def test_kedas_hpa_may_have_a_behavior() -> None:
    policies = [Keda(queue_length=1, hpa_behavior=behavior, polling_interval=1000) for behavior in ("none", "default")]
    assert [policy.desired_pods(view(1, 40, 15)) for policy in policies] == [4, 5]


def test_arc_by_queued_and_running_jobs_only() -> None:
    assert ArcBusy(metric="queued_and_in_progress").desired_pods(view(3, 7, 60)) == 7


@pytest.mark.parametrize(
    "policy",
    [
        {"name": "hpa", "scale_up_tolerance": 2.0},
        {"name": "hpa", "scale_down_tolerance": "150%"},
        {"name": "keda", "hpa_tolerance": 3},
        {"name": "keda-jobs", "strategy": "custom", "custom_scaling_running_job_percentage": 1.5},
    ],
)
def test_what_the_originals_allow_is_allowed(policy: dict[str, Any]) -> None:
    sim.run(scenario(workload={"tasks": [plan(1, 0, 1)]}, policies=[policy], horizon=60))


def test_what_the_original_refuses_is_refused() -> None:
    policy = {"name": "keda", "min_replica_count": 9}
    with pytest.raises(sim.InputError, match=r"min_replica_count of at most max_pods \(5\), found 9"):
        sim.run(scenario(workload={"tasks": [plan(1, 0, 1)]}, policies=[policy], horizon=60))


def test_script_sees_the_start_of_the_week() -> None:
    script = Script(1)
    run([plan(1, 0, 1)], script, horizon=6, start="2026-06-02T01:00")
    assert script.views[0].starts_at == 86400 + 3600
