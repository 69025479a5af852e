"""`arc`: runner scale sets of actions-runner-controller, by the numbers of its own tests, and on a pool."""

from __future__ import annotations

from typing import Any

import pytest

from sim.policies import PoolView
from sim.policies.arc import Arc, desired_runners

from support import plan, run


@pytest.mark.parametrize(
    ("min_runners", "max_runners", "assigned", "runners"),
    # actions/actions-runner-controller at 2ee6b3b, cmd/ghalistener/scaler/scaler_test.go
    [
        (0, None, 0, 0),
        (0, None, 1, 1),
        (1, None, 0, 1),
        (1, None, 2, 3),
        (1, None, 3, 4),
        (0, 5, 0, 0),
        (0, 5, 2, 2),
        (0, 5, 3, 3),
        (0, 5, 5, 5),
        (0, 5, 6, 5),
        (1, 3, 0, 1),
        (1, 3, 2, 3),
        (1, 3, 3, 3),
        (1, 3, 4, 3),
    ],
)
def test_runners_for_the_assigned_jobs_and_idle_ones(
    min_runners: int, max_runners: int | None, assigned: int, runners: int
) -> None:
    assert desired_runners(assigned, min_runners, max_runners) == runners


# The policy


def view(**changes: Any) -> PoolView:
    """Idle pods, all of them ready, but for *changes*."""
    pods = changes.get("pods", 2)
    base: dict[str, Any] = dict.fromkeys(PoolView._fields, 0)
    base.update(max_pods=9, slots_per_pod=3, apply_slots=1, pods=2, slots=3 * pods, idle=3 * pods)
    return PoolView(**{**base, **changes})


@pytest.mark.parametrize(
    ("policy", "shown", "pods"),
    [
        (Arc(), view(), 0),
        (Arc(), view(running=3), 1),
        (Arc(), view(running=4), 2),
        (Arc(), view(running=3, eligible_plan=1, eligible_plan_and_apply=2, slotless_confirmed=1), 3),
        (Arc(), view(running=1, reserved=5, slotless=3, pending=9), 1),  # wait for humans, or for each other
        (Arc(min_runners=1), view(running=3), 2),
        (Arc(min_runners=3, max_runners=6), view(running=9), 2),
        (Arc(max_runners=4), view(running=9), 2),
    ],
)
def test_runners_are_slots(policy: Arc, shown: PoolView, pods: int) -> None:
    assert policy.desired_pods(shown) == pods


def test_there_may_not_be_fewer_runners_than_idle_ones() -> None:
    with pytest.raises(ValueError, match="max_runners must be at least min_runners"):
        Arc(min_runners=3, max_runners=2)
    Arc(min_runners=3, max_runners=3)


def test_a_run() -> None:
    tasks = [plan(n, 0, 30) for n in range(7)]
    pool = {"min_pods": 0, "max_pods": 5, "initial_pods": 0, "pod_startup": 0}
    result = run(tasks, Arc(), pool=pool, horizon=600)
    assert result.decisions == [(5, 0, 3), (40, 3, 0)]  # dispatched at 10, done at 40
    assert run(tasks, Arc(min_runners=4), pool=pool, horizon=600).decisions == [(5, 0, 4), (40, 4, 2)]
