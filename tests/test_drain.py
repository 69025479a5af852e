"""`drain`: a run goes on after the horizon, so that waits can end."""

from __future__ import annotations

import sim

from support import plan, plan_and_apply, scenario

POOL = {"min_pods": 1, "max_pods": 1, "apply_slots": 1}


def figures(**parts: object) -> dict[str, dict[str, object]]:
    """One pod, which goes at 100 s and is there again at 1,000 s, after the horizon; task 1 is confirmed at 200 s."""
    experiment = scenario(
        workload={"tasks": [plan_and_apply(1, 0, 50, 150, 10), plan_and_apply(2, 0, 55, 900, 10), plan(3, 950, 5)]},
        pool={**POOL, "pod_startup": 895},
        faults=[{"kind": "pod_deletion", "at": 100, "target": 0}, {"kind": "pod_deletion", "at": 990, "target": "any"}],
        horizon=900,
        **parts,
    )
    result = sim.run(experiment, engine="simpy")
    fast = sim.run(experiment, engine="fast")
    assert result.summary == fast.summary
    assert (result.tasks.task_id == 3).sum() == 0
    return result.summary["policies"]["static"]  # type: ignore[no-any-return]


def test_without_a_drain_the_wait_is_a_bound() -> None:
    wait = figures()["apply_wait"]["max"]
    assert wait == {"value": 700, "lower_bound": True}


def test_waits_that_began_before_the_horizon_end_in_the_drain_and_no_fault_strikes_there() -> None:
    found = figures(drain=1000)
    assert found["apply_wait"]["max"] == {
        "value": 800
    }  # confirmed at 200, the pod is ready at 100 + 895, and it asks every 10 s
    assert found["confirmed"] == {"value": 1}  # the other one was confirmed in the drain
    assert found["censored"] == {"value": 0}


def test_what_pods_cost_in_the_drain_does_not_count() -> None:
    costs = ("pod_seconds", "peak_pods", "pods_created", "pods_deleted")
    with_drain, without = figures(drain=1000), figures()
    assert [with_drain[cost] for cost in costs] == [without[cost] for cost in costs]
    assert without["pod_seconds"]["value"] == 900


def test_waits_that_began_in_the_drain_count_in_no_figure() -> None:
    """Task 1 is confirmed after the horizon, and then waits for a pod that starts for 300 s."""
    experiment = scenario(
        workload={"tasks": [plan_and_apply(1, 0, 60, 3900, 10)]}, horizon=3600, drain=7200,
        pool={"min_pods": 1, "max_pods": 1, "pod_startup": 700},
        faults=[{"kind": "pod_deletion", "at": 3590, "target": 0}], cost={"waiting_hour": 3600},
    )  # fmt: skip
    found = sim.run(experiment).summary["policies"]["static"]
    assert found["confirmed"]["value"] == 0
    assert found["apply_wait"]["mean"]["value"] is None
    assert found["wait_pod_starting"]["value"] == 0
    assert found["cost"]["waiting"]["value"] == 0
