"""What people with such pools report, which a scenario can say: busy pods taken, one job a pod, discarded plans."""

from __future__ import annotations

from typing import Any

import pytest

import sim

from support import plan, plan_and_apply, run, scenario

LONG_JOBS = [plan(n, 0, minutes * 60) for n, minutes in enumerate((10, 30, 60, 90), 1)]


@pytest.mark.parametrize(
    ("scale_down", "states", "pod_hours"),
    [
        ("idle", ["planned"] * 4, (600 + 1800 + 3600 + 7200) / 3600),
        ("drain", ["planned"] * 4, (7200 + 1800 + 3600 + 5400) / 3600),
        ("kill", ["planned", "failed", "failed", "failed"], (7200 + 3 * 350) / 3600),
    ],
)
def test_an_autoscaler_that_counts_waiting_messages_takes_busy_pods(
    scale_down: str, states: list[str], pod_hours: float
) -> None:
    """The queue is empty at once, and 320 s later (the window of 300 s for scaling down) one pod is wanted."""
    experiment = scenario(
        horizon="2h",
        pool={"min_pods": 1, "max_pods": 10, "initial_pods": 4, "slots_per_pod": 1, "scale_down": scale_down},
        workload={"tasks": LONG_JOBS},
        policies=[
            {"name": "keda", "metric": "queued", "queue_length": 1, "cooldown_period": 360, "polling_interval": 10}
        ],
    )
    result = sim.run(experiment)
    assert result.tasks.state.tolist() == states
    assert result.summary["policies"]["keda"]["pod_seconds"]["value"] / 3600 == pytest.approx(pod_hours)


def test_with_a_runner_for_each_job_every_job_waits_for_one_to_start_unless_one_is_kept_idle() -> None:
    pool = {"min_pods": 0, "max_pods": 30, "slots_per_pod": 1, "pod_startup": 90, "ephemeral": True}
    tasks = [plan(n, 600 * n, 60) for n in range(1, 5)]
    parts: dict[str, Any] = {"pool": pool, "control": {"dispatch": "notify"}, "workload": {"tasks": tasks}}
    waits = {}
    for least in (0, 1):
        policy = {"name": "arc", "min_runners": least}
        waits[least] = sim.run(scenario(policies=[policy], **parts)).tasks.plan_wait.tolist()
    assert waits == {0: [90, 90, 90, 90], 1: [0, 0, 0, 0]}
    assert len(sim.run(scenario(policies=["arc"], **parts)).pods) == 4


def test_a_discarded_plan_lets_the_next_run_of_its_workspace_start() -> None:
    first = plan_and_apply(1, 0, 60, None, 0, "ws")
    tasks = [first, plan_and_apply(2, 600, 60, 300, 60, "ws")]
    pool = {"min_pods": 1, "max_pods": 3, "initial_pods": 1, "reservation_ttl": 3600}
    waiting = run(tasks, "static", pool=pool, horizon=2 * 86400)
    assert waiting.tasks[2].state == "pending"  # Nobody decides, and the workspace waits for ever.
    decided = run([{**first, "confirm": 1200, "decision": "discard"}, tasks[1]], "static", pool=pool, horizon=86400)
    assert decided.tasks[1].state == "discarded"
    assert decided.tasks[2].plan_started_at == 1260


def test_runs_that_wait_for_a_user_keep_no_agent_if_no_slot_is_reserved_for_them() -> None:
    tasks = [plan_and_apply(n, 5 * n, 120, 18000, 120) for n in range(20)]
    pool = {"min_pods": 0, "max_pods": 20, "slots_per_pod": 1, "pod_startup": 30}
    policy = {"name": "hcp-terraform", "scale_up_seconds": 30, "scale_down_seconds": 30}
    held = {}
    for ttl in (86400, 0):
        experiment = scenario(
            horizon="6h", pool={**pool, "reservation_ttl": ttl}, workload={"tasks": tasks}, policies=[policy]
        )
        held[ttl] = sim.run(experiment).summary["policies"]["hcp-terraform"]["pod_seconds"]["value"] / 3600
    assert held[86400] == pytest.approx(102, abs=1)
    assert held[0] == pytest.approx(1.83, abs=0.1)
