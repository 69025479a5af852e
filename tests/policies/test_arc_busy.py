"""`arc-busy`: actions-runner-controller's metric PercentageRunnersBusy, and what it means for pods."""

from __future__ import annotations

from typing import Any

import pytest

from sim.policies import PoolView
from sim.policies.arc_busy import ArcBusy, PercentageRunnersBusy, RunnerAutoscaler

from support import plan, run

DEFAULT = PercentageRunnersBusy()
# docs/automatically-scaling-runners.md has three examples, without saying what comes of them.
DOUBLING = PercentageRunnersBusy(0.75, 0.25, 2, 0.5)
GENTLE = PercentageRunnersBusy(0.75, 0.3, 1.4, 0.7)
STEPS = PercentageRunnersBusy(0.75, 0.3, scale_up_adjustment=2, scale_down_adjustment=1)


@pytest.mark.parametrize(
    ("metric", "desired_before", "busy", "suggested"),
    [
        # What ARC has logged: issues 1057, 2850 and (from 20 down, step by step) 375 of actions-runner-controller.
        (DEFAULT, 3, 0, 2),
        (DEFAULT, 11, 6, 11),
        (DEFAULT, 20, 0, 14),
        (DEFAULT, 14, 0, 9),
        (DEFAULT, 9, 0, 6),
        (DEFAULT, 6, 0, 4),
        (DEFAULT, 4, 0, 2),
        # The thresholds: up at 80 %, down below 30 %.
        (DEFAULT, 10, 8, 13),
        (DEFAULT, 10, 7, 10),
        (DEFAULT, 10, 3, 10),
        (DEFAULT, 10, 2, 7),
        (DEFAULT, 3, 3, 4),
        (DEFAULT, 5, 7, 7),
        (DEFAULT, 1, 0, None),
        (DEFAULT, 0, 0, None),
        (DEFAULT, 0, 1, None),
        (STEPS, 0, 1, 2),
        (DOUBLING, 4, 3, 8),
        (DOUBLING, 4, 1, 4),
        (DOUBLING, 4, 0, 2),
        (DOUBLING, 5, 1, 2),
        (GENTLE, 4, 3, 6),
        (GENTLE, 5, 1, 3),
        (STEPS, 4, 3, 6),
        (STEPS, 4, 2, 4),
        (STEPS, 4, 1, 3),
        (STEPS, 1, 0, None),
    ],
)
def test_the_share_of_busy_runners_decides(
    metric: PercentageRunnersBusy, desired_before: int, busy: int, suggested: int | None
) -> None:
    assert metric.suggested(desired_before, busy) == suggested


@pytest.mark.parametrize(
    ("suggested", "bounds", "before", "last_scale_out", "desired"),
    [
        # controllers/actions.summerwind.net/autoscaling_test.go at 2ee6b3b, cases 0 to 3 and one of job-level autoscaling
        (0, (2, 3), None, None, 2),
        (3, (2, 3), None, None, 3),
        (2, (2, 3), 3, 1000, 3),
        (3, (2, 2), None, None, 2),
        (5, (2, 10), None, None, 5),
        # and the delay to both sides of its end
        (2, (2, 3), 3, 401, 3),
        (2, (2, 3), 3, 400, 2),
        (2, (2, 3), 3, None, 2),
        (4, (2, 9), 3, 1000, 4),
        (None, (2, 9), 3, None, 2),
    ],
)
def test_bounds_and_the_delay_of_scaling_down(
    suggested: int | None, bounds: tuple[int, int], before: int | None, last_scale_out: float | None, desired: int
) -> None:
    autoscaler = RunnerAutoscaler(600, before, last_scale_out)
    assert autoscaler.decide(1000, suggested, *bounds) == desired


def test_the_delay_counts_from_the_last_time_there_became_more() -> None:
    autoscaler = RunnerAutoscaler(600)
    looks = [(0, 4), (1, 2), (300, 6), (601, 2), (899, 6), (900, 2), (901, 1)]
    assert [autoscaler.decide(now, suggested, 1, 9) for now, suggested in looks] == [4, 4, 6, 6, 6, 2, 1]


def test_a_first_number_of_one_is_none_for_more() -> None:
    autoscaler = RunnerAutoscaler(600)
    autoscaler.decide(0, 1, 0, 9)
    assert autoscaler.decide(1, None, 0, 9) == 0


# The policy


def view(time: float = 0, **changes: Any) -> PoolView:
    """Idle pods, all of them ready, but for *changes*."""
    pods = changes.get("pods", 2)
    base: dict[str, Any] = dict.fromkeys(PoolView._fields, 0)
    base.update(time=time, max_pods=9, slots_per_pod=3, apply_slots=1, pods=2, slots=3 * pods, idle=3 * pods)
    return PoolView(**{**base, **changes})


def answers(policy: ArcBusy, *views: PoolView) -> list[int]:
    return [policy.desired_pods(shown) for shown in views]


@pytest.mark.parametrize(
    ("policy", "shown", "pods"),
    [
        (ArcBusy(), view(running=5), 3),  # 5/6; 8 runners
        (ArcBusy(), view(running=2, reserved=3), 3),
        (ArcBusy(), view(running=4, eligible_plan=9), 2),
        (ArcBusy(), view(pods=4, running=3), 3),  # 3/12; 8 runners
        (ArcBusy(), view(pods=9, running=27), 9),
        (ArcBusy(), view(pods=4, running=3, min_pods=4), 4),
        (ArcBusy(scale_up_factor=2), view(running=5), 4),
        (ArcBusy(scale_down_factor=0.5), view(pods=4), 2),
        (ArcBusy(scale_up_adjustment=7), view(running=5), 5),
        (ArcBusy(scale_down_adjustment=7), view(pods=4), 2),
        (ArcBusy(scale_up_threshold=0.9), view(running=5), 2),
        (ArcBusy(scale_down_threshold=0.2), view(pods=4, running=3), 4),
    ],
)
def test_runners_are_slots(policy: ArcBusy, shown: PoolView, pods: int) -> None:
    assert policy.desired_pods(shown) == pods


def test_it_looks_once_in_a_sync_period_and_goes_by_the_runners_that_it_wanted() -> None:
    # 8 runners from 0 on, of which 6 are 75 % and 7 are 88 %; if it looks at 55 and at 115, then 11 and 15.
    looks = [view(0, running=6), view(55, running=9), view(60, running=6), view(115, running=9), view(120, running=7)]
    assert answers(ArcBusy(), *looks) == [3, 3, 3, 3, 4]
    assert answers(ArcBusy(sync_period=55), *looks) == [3, 4, 4, 5, 5]


def test_at_zero_it_stays_there_unless_it_goes_by_the_queue_too() -> None:
    shown = view(pods=0, eligible_plan=4, slotless_confirmed=1)
    assert answers(ArcBusy(), shown) == [0]
    assert answers(ArcBusy(queued_and_in_progress=True), shown) == [2]
    left = view(60, pods=1, running=2, eligible_plan=2)
    assert answers(ArcBusy(queued_and_in_progress=True), view(pods=0), left) == [0, 2]
    assert answers(ArcBusy(queued_and_in_progress=True), view(running=5)) == [3]  # the share goes first


@pytest.mark.parametrize("which", ["up", "down"])
def test_factor_and_adjustment_cannot_be_given_together(which: str) -> None:
    both: dict[str, Any] = {f"scale_{which}_adjustment": 1, f"scale_{which}_factor": 1.0}
    with pytest.raises(ValueError, match=f"scale_{which}_adjustment and scale_{which}_factor cannot be given together"):
        ArcBusy(**both)


def test_a_run() -> None:
    # 6 busy: 8 runners at 5. 8 busy: 11 at 65, 14 would be wanted with 9. Idle from 200 on; 10 minutes after 65 down.
    tasks = [plan(n, 0, 200) for n in range(9)]
    pool = {"min_pods": 1, "max_pods": 5, "initial_pods": 2}
    result = run(tasks, ArcBusy(), pool=pool, horizon=1500)
    assert result.decisions == [(5, 2, 3), (65, 3, 4), (125, 4, 5), (725, 5, 4), (785, 4, 3), (845, 3, 2), (905, 2, 1)]
