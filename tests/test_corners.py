"""Corners of model.md that only show in small, exact coincidences. Each fails if one line of the model is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_autoscaler import view

import sim
from sim.engine.clock import NEVER
from sim.policies import Old
from sim.world.world import World

from support import Always, Outcome, Script, plan, plan_and_apply, run, scenario

ONE = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}
WIDE_ONE = {"min_pods": 1, "max_pods": 1}
TWO = {"min_pods": 2, "max_pods": 2}
NARROW_TWO = {**TWO, "slots_per_pod": 1}
FREE = {"min_pods": 0, "max_pods": 2, "initial_pods": 2}
NARROW_FREE = {**FREE, "slots_per_pod": 1}
NOTIFY = {"dispatch": "notify"}


def deletion(target: Any, at: float = 100) -> list[dict[str, Any]]:
    return [{"kind": "pod_deletion", "at": at, "target": target}]


def offline(at: float, duration: float | None = None, target: int = 0) -> list[dict[str, Any]]:
    return [{"kind": "pod_offline", "at": at, "target": target, "duration": duration}]


def restart(at: float, downtime: float = 0, after: Any = 0, running: str = "survive") -> list[dict[str, Any]]:
    return [
        {"kind": "server_restart", "at": at, "downtime": downtime, "reconcile_after": after, "running_tasks": running}
    ]


def gone(result: Outcome) -> list[int]:
    return [number for number, pod in result.pods.items() if pod.deleted_by == "pod_deletion"]


# 2. Dispatch and reservations


def test_every_reservation_expires_not_just_the_first() -> None:
    tasks = [plan_and_apply(1, 0, 60, None, 5), plan_and_apply(2, 0, 70, None, 5), plan(3, 105, 500), plan(4, 106, 500)]
    result = run(tasks, pool={**NARROW_TWO, "reservation_ttl": 50})
    assert (result.started(3)[0], result.started(4)[0]) == (115, 126)


def test_retries_for_an_apply_count_from_the_confirmation() -> None:
    tasks = [plan_and_apply(1, 0, 60, 63, 10), plan(3, 0, 140)]
    assert run(tasks, Always(1), pool=NARROW_FREE, faults=deletion(0, 70)).started(1)[1] == 143
    tasks.append(plan(4, 123, 1))
    assert run(tasks, Always(1), pool=NARROW_FREE, faults=deletion(0, 70)).started(1)[1] == 143


def test_attempts_of_one_instant_are_in_order_whether_first_or_not() -> None:
    tasks = [plan(1, 0, 15), plan(2, 10, 100), plan(3, 20, 100)]
    assert run(tasks, pool=ONE).started(2)[0] == 20


def test_notify_ties_are_in_order_of_the_tasks() -> None:
    result = run([plan(1, 0, 12), plan(2, 1, 5), plan(3, 1, 5)], pool=ONE, control=NOTIFY)
    assert (result.started(2)[0], result.started(3)[0]) == (12, 17)


def test_notify_is_one_queue_for_both_types() -> None:
    assert (
        run([plan(1, 0, 20), plan(2, 1, 5), plan_and_apply(3, 2, 5, None, 0)], pool=ONE, control=NOTIFY).started(2)[0]
        == 20
    )
    assert (
        run([plan(1, 0, 20), plan_and_apply(2, 1, 5, None, 0), plan(3, 2, 5)], pool=ONE, control=NOTIFY).started(2)[0]
        == 20
    )


def test_notify_a_confirmed_task_stands_in_the_queue_since_its_confirmation() -> None:
    tasks = [plan_and_apply(1, 0, 60, 63, 10), plan(3, 0, 150), plan_and_apply(2, 100, 10, None, 0)]
    assert run(tasks, Always(1), pool=NARROW_FREE, faults=deletion(0, 70), control=NOTIFY).started(2)[0] == 150


# 3. The autoscaler


def test_a_silent_pod_is_deleted_as_any_other_noticed_or_not() -> None:
    for pool in (FREE, {**FREE, "heartbeat_timeout": 1}):
        assert (
            run([plan(1, 0, 500)], Always(1), pool=pool, faults=offline(3, None, 1), horizon=20).pods[1].deleted_at == 5
        )


def test_a_policy_is_shown_as_many_apply_slots_as_the_pool_has() -> None:
    script = Script(3)
    run([plan(1, 0, 100)], script, pool={"min_pods": 0, "max_pods": 9, "initial_pods": 2, "apply_slots": 2}, horizon=12)
    assert (script.views[1].idle_apply_ready, script.views[1].idle_apply_starting) == (3, 2)


def test_slotless_confirmed_falls_when_a_slot_is_restored_and_rises_when_one_is_lost() -> None:
    tasks = [plan_and_apply(1, 0, 60, 15, 10)]
    script = Script(1)
    run(tasks, script, pool=WIDE_ONE, faults=offline(65) + restart(70, after=20), horizon=101)
    assert (script.views[-1].slotless, script.views[-1].slotless_confirmed) == (0, 0)
    script = Script(0)
    pool = {"min_pods": 0, "max_pods": 1, "initial_pods": 1}
    run(tasks, script, pool=pool, faults=offline(65) + deletion(0, 78), horizon=84)
    assert (script.views[-1].slotless, script.views[-1].slotless_confirmed) == (1, 1)


def test_old_gives_back_an_idle_pod_although_tasks_are_pending() -> None:
    assert Old().desired_pods(view(running=0, pending=3)) == 1


def test_deleting_a_silent_pod_lets_the_search_go_on_to_the_next() -> None:
    tasks = [plan(1, 0, 2), plan(2, 0, 2), plan(3, 0, 2), plan(4, 0, 100), plan(5, 4, 10)]
    assert run(tasks, Always(1), pool=FREE, faults=offline(3)).started(5)[0] == 14
    assert run(tasks, Always(1), pool=FREE, faults=offline(3), control=NOTIFY).started(5)[0] == 5
    script = Script(*[2] * 10, 1)
    assert run([plan(1, 50, 10)], script, pool=FREE, faults=offline(30) + deletion(0, 55)).started(1)[0] == 60


def test_a_pod_deleted_while_it_starts_is_not_counted_when_it_would_have_been_ready() -> None:
    script = Script(1)
    pool = {"min_pods": 1, "max_pods": 1, "initial_pods": 0, "pod_startup": 60}
    run([plan(1, 0, 10)], script, pool=pool, faults=deletion(0, 50), horizon=71)
    assert script.views[-1].starting_pods == 1


def test_a_decision_has_the_answer_as_it_was_given() -> None:
    experiment = scenario(
        workload={"tasks": [plan(1, 0, 1)]}, pool={"min_pods": 1, "max_pods": 3, "initial_pods": 2}, horizon=12
    )
    assert sim.run(experiment, [Script(50, 0)]).decisions.desired.tolist() == [50, 0]


# 4. Faults


def test_of_several_pods_that_fit_the_oldest_is_meant() -> None:
    waiting = [plan_and_apply(1, 0, 10, None, 0), plan_and_apply(2, 0, 10, None, 0)]
    assert gone(run(waiting, pool=NARROW_FREE, faults=deletion("reserved"))) == [0]
    assert gone(run([plan(1, 0, 500), plan(2, 0, 500)], pool=NARROW_FREE, faults=deletion("running"))) == [0]
    assert gone(run([plan(1, 0, 5)], pool=NARROW_FREE, faults=deletion("idle"))) == [0]


@pytest.mark.parametrize("target", ["idle", "any"])
def test_a_starting_pod_and_a_silent_one_are_pods_too(target: str) -> None:
    starting = {"min_pods": 0, "max_pods": 1, "initial_pods": 0, "pod_startup": 60}
    assert gone(run([plan(1, 0, 5)], Always(1), pool=starting, faults=deletion(target, 50))) == [0]
    assert gone(run([plan(1, 0, 5)], pool=FREE, faults=offline(30) + deletion(target, 40))) == [0]


def test_each_silence_has_a_heartbeat_timeout_of_its_own_but_one_within_another_does_not() -> None:
    assert run([plan(1, 110, 10)], pool=TWO, faults=offline(10, 50) + offline(100)).started(1)[0] == 230
    assert run([plan(1, 50, 10)], pool=TWO, faults=offline(30) + offline(100)).started(1)[0] == 160


def test_what_runs_on_a_silent_pod_fails_with_a_restart_that_fails_running_tasks() -> None:
    assert run([plan(1, 0, 30)], pool=TWO, faults=offline(5) + restart(10, running="fail")).tasks[1].state == "failed"


def test_a_restart_while_the_server_is_down_does_not_keep_it_down() -> None:
    assert run([plan(1, 30, 5)], pool=TWO, faults=restart(15, 18) + restart(25, 500)).started(1)[0] == 33


def test_a_reservation_that_ran_out_while_it_was_forgotten_is_not_restored() -> None:
    tasks = [plan_and_apply(1, 0, 60, 500, 5), plan(2, 130, 5)]
    assert run(tasks, pool={**ONE, "reservation_ttl": 50}, faults=restart(100, after=20)).started(2)[0] == 130


def test_the_reservation_of_a_task_that_has_applied_meanwhile_is_not_restored() -> None:
    tasks = [plan_and_apply(1, 0, 60, 15, 5), plan(2, 110, 5)]
    assert run(tasks, pool=ONE, faults=restart(70, after=30)).started(2)[0] == 110


def test_a_waiting_task_gets_its_restored_slot_at_its_next_retry() -> None:
    faults = offline(65, 36) + restart(70, after=20)
    assert run([plan_and_apply(1, 0, 60, 15, 10)], pool=WIDE_ONE, faults=faults).started(1)[1] == 105


def test_a_slot_restored_on_a_silent_pod_is_not_in_the_way_of_others() -> None:
    tasks = [plan_and_apply(1, 0, 60, None, 0), plan(2, 80, 5)]
    assert run(tasks, pool=NARROW_TWO, faults=offline(65) + restart(70, after=30)).started(2)[0] == 100


def test_a_restart_forgets_reservations_on_silent_pods_too() -> None:
    faults = offline(65) + restart(70, after="never")
    assert run([plan_and_apply(1, 0, 60, 40, 10)], pool=TWO, faults=faults).started(1)[1] == 190


# 5. Order within one instant


def test_an_agent_is_back_before_a_fault_of_its_instant() -> None:
    assert run([plan(1, 110, 10)], pool=TWO, faults=offline(30, 70) + offline(100)).started(1)[0] == 230


def test_the_server_is_up_before_a_fault_of_its_instant() -> None:
    assert run([plan(1, 110, 5)], pool=TWO, faults=restart(80, 20) + restart(100, 50)).started(1)[0] == 150


def test_what_was_put_off_happens_in_order_when_the_server_is_up() -> None:
    tasks = [plan_and_apply(1, 20, 10, None, 0, "ws"), plan_and_apply(2, 21, 10, None, 0, "ws")]
    assert run(tasks, pool=TWO, faults=restart(15, 18)).started(1)[0] == 33
    assert run([plan(1, 33, 5), plan(2, 0, 20)], pool=ONE, faults=restart(15, 18)).started(1)[0] == 33


# 6. Randomness


def world(**parts: Any) -> dict[str, Any]:
    arrivals = {
        "process": "poisson", "rate": "200/h", "workspaces": 50, "plan_and_apply_share": 0.6, "confirm_probability": 0.9,
        "plan": {"dist": "exponential", "mean": 60}, "confirm": {"dist": "exponential", "mean": 60},
        "apply": {"dist": "exponential", "mean": 60},
    }  # fmt: skip
    drawn = World(scenario(horizon="40h", workload={"arrivals": arrivals}, **parts), parts.pop("replication", 0)).tasks
    return {name: getattr(drawn, name) for name in ("arrive", "applies", "workspace", "plan", "confirm", "apply")}


def test_quantities_of_one_task_are_independent_and_have_their_means() -> None:
    drawn = world()
    assert len(drawn["plan"]) == pytest.approx(8000, rel=0.05)
    assert (np.diff(drawn["arrive"]) >= 0).all()  # beyond the first block of numbers, too
    assert drawn["applies"].mean() == pytest.approx(0.6, abs=0.03)
    confirmed = drawn["confirm"] < NEVER
    assert confirmed.mean() == pytest.approx(0.9, abs=0.02)
    gaps = {**drawn, "arrive": np.diff(drawn["arrive"], prepend=0), "confirms": confirmed}
    of_all = {name: column for name, column in gaps.items() if name != "confirm"}
    of_confirmed = {name: column[confirmed] for name, column in gaps.items() if name != "confirms"}
    for columns in (of_all, of_confirmed):
        correlation = np.corrcoef(np.array([column.astype(float) for column in columns.values()]))
        assert np.abs(correlation - np.eye(len(columns))).max() < 0.06


def test_seed_and_replication_are_not_mixed_up() -> None:
    parts = {"workload": {"arrivals": {"process": "poisson", "rate": "60/h", "plan": 1}}}
    one = World(scenario(seed=1, **parts), 1).tasks.arrive
    other = World(scenario(seed=2, **parts), 0).tasks.arrive
    assert len(one) != len(other) or (one != other).any()


def test_listed_tasks_have_numbers_of_their_own() -> None:
    varying = {"dist": "exponential", "mean": 60}
    listed = [{**plan_and_apply(n, 0, 1, 1, 1), "plan": varying, "confirm": varying, "apply": varying} for n in (1, 2)]
    drawn = World(scenario(workload={"tasks": listed}), 0).tasks
    assert len({*drawn.plan, *drawn.confirm, *drawn.apply}) == 6


def test_a_task_keeps_its_numbers_wherever_it_is_listed() -> None:
    varying = {"dist": "exponential", "mean": 60}
    one, two, three = ({**plan(n, 0, 1), "plan": varying} for n in (1, 2, 3))

    def plans(*tasks: dict[str, Any]) -> dict[str, int]:
        drawn = World(scenario(workload={"tasks": list(tasks)}), 0).tasks.plan
        return {task["id"]: length for task, length in zip(tasks, drawn.tolist(), strict=True)}

    all_three = plans(one, two, three)
    assert len(set(all_three.values())) == 3
    assert plans(two, three) == {2: all_three[2], 3: all_three[3]}
    assert plans(three, one) == {3: all_three[3], 1: all_three[1]}
    assert plans({**two, "id": "2"}) == {"2": all_three[2]}


def test_faults_have_numbers_of_their_own() -> None:
    varying = {"dist": "exponential", "mean": 600}
    fault = {"kind": "pod_offline", "every": varying, "duration": varying, "target": "random"}
    restarts = {"kind": "server_restart", "every": varying, "downtime": varying, "reconcile_after": varying}
    experiment = scenario(workload={"tasks": [plan(1, 0, 1)]}, faults=[fault, fault, restarts], horizon="20h")
    strikes = World(experiment, 0).inputs().faults
    first, second, third = ([strike.at for strike in series] for series in strikes)
    assert not set(first) & set(second)
    gaps = np.diff([0, *first])
    durations = [strike.duration for strike in strikes[0]]
    chances = [strike.chance for strike in strikes[0]]
    for one, other in ((gaps, durations), (gaps, chances), (durations, chances)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.3
    downs, afters = [strike.downtime for strike in strikes[2]], [strike.reconcile_after for strike in strikes[2]]
    assert abs(np.corrcoef(downs, afters)[0, 1]) < 0.3
    assert abs(np.corrcoef(np.diff([0, *third]), downs)[0, 1]) < 0.3


# 7. What is measured


def test_every_figure_of_a_small_run() -> None:
    tasks = [
        plan_and_apply(1, 0, 10, 30, 100),  # warm-up: not counted
        plan(2, 20, 500),  # fails with pod 0 at 200
        plan_and_apply(3, 25, 10, 15, 10),  # reserved on pod 1, applied at 50
        plan_and_apply(4, 190, 50, None, 0),  # fails: slot 0 of pod 0
        plan_and_apply(5, 195, 40, 10, 1000),  # still applying at the end
        *[plan_and_apply(n, 290, 10, 0, 5) for n in range(6, 10)],  # more than there are slots 0
    ]
    pool = {"min_pods": 0, "max_pods": 3, "initial_pods": 2, "pod_startup": 40}
    experiment = scenario(workload={"tasks": tasks}, pool=pool, faults=deletion(0, 200), horizon=300, warmup=20)
    figures = sim.run(experiment, [Script(*[2] * 20, 3, 3, 2)]).summary["policies"]["Script"]
    values = {name: entry["value"] for name, entry in figures.items() if "value" in entry}
    assert {name: values[name] for name in ("tasks", "confirmed", "censored", "failed", "unplanned")} == {
        "tasks": 8, "confirmed": 2, "censored": 0, "failed": 2, "unplanned": 3,
    }  # fmt: skip
    assert figures["apply_wait"]["max"]["value"] == 0
    # Pod 0 until 200, pod 1 to the end, pods made at 105 (idle, deleted at 115), at 200 and so on by the script.
    pods = sim.run(experiment, [Script(*[2] * 20, 3, 3, 2)]).pods
    lives = pods.deleted_at.fillna(300) - pods.created_at
    assert values["pod_seconds"] == lives.sum()
    assert values["peak_pods"] == 3
    assert values["pods_created"] == len(pods) > 3
    assert values["pods_deleted"] == pods.deleted_at.notna().sum() > 1
    assert values["overshoot"] == 1  # of the two that were made, one got a task at 290


def test_a_pod_that_replaces_one_in_the_same_instant_is_no_peak() -> None:
    experiment = scenario(workload={"tasks": [plan(1, 0, 1)]}, pool=TWO, faults=deletion(0, 100))
    assert sim.run(experiment, ["static"]).summary["policies"]["static"]["peak_pods"]["value"] == 2


def test_differences_are_other_less_first() -> None:
    experiment = scenario(
        workload={"tasks": [plan(1, 0, 1)]}, pool={"min_pods": 0, "max_pods": 4, "initial_pods": 1}, horizon=100
    )
    summary = sim.run(experiment, [Always(1), Script(4)]).summary
    assert summary["comparisons"]["Script"]["peak_pods"]["value"] == 3


def test_p90_and_p95_are_what_they_are_called() -> None:
    tasks = [plan_and_apply(n, 0, 10, 10, 5) for n in range(20)]
    faults = [{"kind": "pod_offline", "at": 15, "duration": 5 + n + 1, "target": n} for n in range(20)]
    pool = {"min_pods": 20, "max_pods": 20, "slots_per_pod": 1}
    experiment = scenario(workload={"tasks": tasks}, pool=pool, faults=faults, control=NOTIFY)
    waits = sim.run(experiment, ["static"]).summary["policies"]["static"]["apply_wait"]
    assert {name: entry["value"] for name, entry in waits.items()} == {
        "mean": 10.5, "p50": 10, "p90": 18, "p95": 19, "p99": 20, "max": 20,
    }  # fmt: skip
