"""How tasks end, who waits for whom in a workspace, and what runs elsewhere (model.md, 1, 2 and 7), to the second."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import sim

from support import Always, Script, outcome, plan, plan_and_apply, run, scenario

POOL = {"min_pods": 1, "max_pods": 1, "initial_pods": 1, "slots_per_pod": 1, "apply_slots": 1}
ONE_POD = {"pool": POOL, "policy": Always(1), "horizon": 600}


def times(task: Any) -> tuple[str, float]:
    return task.state, task.ended_at


@pytest.mark.parametrize("make", [plan, lambda *args: plan_and_apply(*args, 5, 10)])
def test_a_plan_that_ends_with_an_error_is_errored_and_its_slot_idle(make: Any) -> None:
    found = run([{**make(1, 0, 30), "plan_result": "error"}, plan(2, 25, 10)], **ONE_POD)
    assert times(found.tasks[1]) == ("errored", 30)
    assert found.tasks[1].plan_ended_at == 30
    assert found.tasks[2].plan_started_at == 35  # Its retry.
    assert found.reservations == []


def test_a_plan_that_finds_nothing_to_change_is_planned_and_finished_and_its_slot_idle() -> None:
    tasks = [{**plan_and_apply(1, 0, 30, 5, 10), "plan_result": "no_changes"}, plan(2, 25, 10)]
    found = run([*tasks, {**plan(3, 100, 10), "plan_result": "no_changes"}], **ONE_POD)
    assert times(found.tasks[1]) == ("planned_and_finished", 30)
    assert found.reservations == []
    assert found.tasks[2].plan_started_at == 35
    assert times(found.tasks[3]) == ("planned", 110)  # A plan is planned, whatever it finds.


def test_a_discarded_plan_is_final_and_its_reservation_goes() -> None:
    first = {**plan_and_apply(1, 0, 30, 100, 10, "a"), "decision": "discard"}
    found = run([first, plan_and_apply(2, 1, 30, 5, 10, "a"), plan(3, 125, 10)], **ONE_POD)
    assert times(found.tasks[1]) == ("discarded", 130)
    assert found.reservations[0] == (0, 30, 130)
    assert found.tasks[2].eligible_at == 130
    assert found.tasks[2].plan_started_at == 130
    assert found.tasks[2].blocked_by == 1
    assert found.tasks[3].plan_started_at == 175  # The slot is free at 130, and the next retry would be at 135.
    assert found.tasks[1].confirmed_at != found.tasks[1].confirmed_at


def test_an_apply_that_ends_with_an_error_is_errored() -> None:
    found = run([{**plan_and_apply(1, 0, 30, 5, 10), "apply_result": "error"}], **ONE_POD)
    assert times(found.tasks[1]) == ("errored", 45)
    assert found.tasks[1].apply_ended_at == 45


@pytest.mark.parametrize(
    ("cancel", "state_then", "free_at"),
    [(10, "planning", 10), (50, "thinking", 50), (115, "applying", 115)],
)
def test_a_canceled_task_stops_and_its_slot_or_reservation_is_idle(cancel: int, state_then: str, free_at: int) -> None:
    task = {**plan_and_apply(1, 0, 30, 70, 60, "a"), "cancel": cancel}
    found = run([task, plan_and_apply(2, 1, 30, 5, 10, "a")], **ONE_POD)
    assert times(found.tasks[1]) == ("canceled", cancel)
    assert found.tasks[2].eligible_at == free_at
    assert found.tasks[2].plan_started_at == free_at
    assert (found.tasks[1].plan_ended_at == 30) == (state_then != "planning")


def test_a_task_that_is_canceled_while_it_waits_has_waited_at_least_until_then() -> None:
    tasks = [plan(1, 0, 300), {**plan_and_apply(2, 5, 30, 5, 10, "a"), "cancel": 40}]
    tasks.append({**plan_and_apply(3, 6, 30, 5, 10, "a"), "cancel": 20})
    found = run(tasks, **ONE_POD)
    assert times(found.tasks[2]) == ("canceled", 45)
    assert (found.tasks[2].plan_wait, found.tasks[2].plan_censored) == (40, True)
    assert times(found.tasks[3]) == ("canceled", 26)  # It was not the first of its workspace, and frees nobody.
    assert (found.tasks[3].blocked_wait, found.tasks[3].blocked_censored, found.tasks[3].blocked_by) == (20, True, 2)


def test_a_confirmed_task_that_is_canceled_before_its_apply_is_censored_and_told_apart() -> None:
    tasks = [{**plan_and_apply(1, 0, 10, 20, 10), "cancel": 100}]
    faults = [{"kind": "pod_deletion", "at": 15, "target": 0}]
    experiment = scenario(workload={"tasks": tasks}, faults=faults, horizon=600, pool={**POOL, "min_pods": 0})
    for engine in ("simpy", "fast"):
        result = sim.run(experiment, [Always(0)], engine=engine)
        task = outcome(result).tasks[1]
        assert (task.state, task.apply_wait, task.censored) == ("canceled", 70, True)
        figures = result.summary["policies"][result.labels[0]]
        counts = {name: figures[name]["value"] for name in ("censored", "canceled_waiting", "canceled", "failed")}
        assert counts == {"censored": 1, "canceled_waiting": 1, "canceled": 1, "failed": 0}


def test_of_one_task_the_decision_comes_before_the_cancellation() -> None:
    found = run([{**plan_and_apply(1, 0, 10, 20, 10), "cancel": 30}], **ONE_POD)
    assert found.tasks[1].confirmed_at == 30
    assert times(found.tasks[1]) == ("canceled", 30)
    assert found.tasks[1].apply_started_at != found.tasks[1].apply_started_at


@pytest.mark.parametrize(("timeout", "ends"), [(30, ("applied", 75)), (29, ("errored", 29))])
def test_a_plan_that_would_take_longer_than_the_timeout_ends_then(timeout: int, ends: tuple[str, float]) -> None:
    found = run([plan_and_apply(1, 0, 30, 15, 30)], control={"task_timeout": timeout}, **ONE_POD)
    assert times(found.tasks[1]) == ends


def test_an_apply_that_would_take_longer_than_the_timeout_ends_then() -> None:
    found = run([plan_and_apply(1, 0, 30, 15, 300)], control={"task_timeout": 60}, **ONE_POD)
    assert times(found.tasks[1]) == ("errored", 105)


def test_decisions_and_cancellations_that_fall_due_while_the_server_is_down_count_from_when_it_is_up() -> None:
    restart = [{"kind": "server_restart", "at": 25, "downtime": 50}]
    tasks = [{**plan_and_apply(1, 0, 10, 20, 10), "decision": "discard"}, {**plan(2, 5, 100), "cancel": 30}]
    found = run(tasks, faults=restart, pool={**POOL, "slots_per_pod": 2}, policy=Always(1), horizon=600)
    assert times(found.tasks[1]) == ("discarded", 75)
    assert times(found.tasks[2]) == ("canceled", 75)


# workspace_lock


def test_with_workspace_lock_all_a_plan_waits_for_the_earlier_tasks_of_its_workspace() -> None:
    tasks = [plan_and_apply(1, 0, 30, 15, 30, "a"), {**plan(2, 5, 10), "workspace": "a"}]
    tasks.append(plan_and_apply(3, 6, 10, 5, 5, "a"))
    pool = {**POOL, "slots_per_pod": 3, "apply_slots": 3}
    apart = run(tasks, pool=pool, policy=Always(1), horizon=600)
    assert [apart.tasks[n].plan_started_at for n in (1, 2, 3)] == [0, 5, 75]
    locked = run(tasks, pool=pool, policy=Always(1), horizon=600, control={"workspace_lock": "all"})
    assert [locked.tasks[n].plan_started_at for n in (1, 2, 3)] == [0, 75, 85]
    assert [locked.tasks[n].blocked_by for n in (2, 3)] == [1, 2]


def test_unblocked_are_the_pending_tasks_before_which_no_task_of_either_type_is_open() -> None:
    tasks = [{**plan(1, 0, 100), "workspace": "a"}, plan_and_apply(2, 1, 10, 5, 5, "a"), plan_and_apply(3, 2, 10, 5, 5)]
    script = Script(1)
    run(tasks, script, pool=POOL, horizon=8)
    (view,) = script.views
    # Task 2 is eligible, as only plan_and_applies stand in its way, but the plan before it is not final.
    assert (view.eligible_plan_and_apply, view.unblocked_plan_and_apply, view.unblocked) == (2, 1, 1)


# Elsewhere


def test_a_task_elsewhere_plans_and_applies_the_moment_it_could_and_uses_no_pod() -> None:
    tasks = [plan(1, 0, 300), {**plan_and_apply(2, 5, 30, 15, 30, "a"), "execution_mode": "agent"}]
    tasks.append({**plan_and_apply(3, 6, 30, 15, 30, "a"), "execution_mode": "local"})
    script = Script(1)
    found = run(tasks, script, pool=POOL, horizon=600)
    assert found.started(2) == (5, 50)
    assert found.started(3) == (80, 125)  # Its workspace waits for task 2.
    assert found.tasks[2].plan_pod is pd.NA
    at = {view.time: view for view in script.views}
    assert (at[40].apply_pending_elsewhere, at[40].apply_pending, at[40].pending, at[40].slotless) == (1, 0, 0, 0)


def test_what_would_start_elsewhere_while_the_server_is_down_starts_when_it_is_up() -> None:
    restart = [{"kind": "server_restart", "at": 25, "downtime": 50, "running_tasks": "fail"}]
    tasks = [{**plan_and_apply(1, 0, 10, 20, 10), "execution_mode": "agent"}]
    tasks.append({**plan(2, 20, 10), "execution_mode": "agent"})
    found = run(tasks, faults=restart, **ONE_POD)
    assert found.started(1) == (0, 75)
    assert times(found.tasks[2]) == ("planned", 75)  # It ran on no pod, so that no restart fails it.


def test_tasks_elsewhere_are_in_no_figure_but_their_own_count() -> None:
    tasks = [plan(1, 0, 30), {**plan(2, 5, 30), "execution_mode": "agent"}]
    result = sim.run(scenario(workload={"tasks": tasks}, pool=POOL), ["static"])
    figures = result.summary["policies"]["static"]
    assert (figures["tasks"]["value"], figures["elsewhere"]["value"], len(result.tasks)) == (1, 1, 2)


def test_endings_are_counted_apart_and_are_no_failures() -> None:
    endings = [
        {**plan_and_apply(1, 0, 1, 1, 1), "decision": "discard"},
        {**plan_and_apply(2, 0, 1, 1, 1), "plan_result": "error"},
        {**plan_and_apply(3, 0, 1, 1, 1), "plan_result": "no_changes"},
        {**plan_and_apply(4, 0, 1, 1, 1), "apply_result": "error"},
        {**plan(5, 0, 50), "cancel": 5},
        plan_and_apply(6, 0, 1, 1, 1),
    ]
    pool = {**POOL, "slots_per_pod": 6, "apply_slots": 6}
    figures = sim.run(scenario(workload={"tasks": endings}, pool=pool), ["static"]).summary["policies"]["static"]
    counts = ("tasks", "discarded", "errored", "planned_and_finished", "canceled", "completed", "failed", "in_progress")
    assert [figures[name]["value"] for name in counts] == [6, 1, 2, 1, 1, 2, 0, 0]


# Where records and generated tasks say it


def test_a_trace_may_have_a_column_for_each_of_them(tmp_path: Any) -> None:
    (tmp_path / "tasks.csv").write_text(
        "id,arrive,type,plan,confirm,apply,plan_result,decision,apply_result,cancel,execution_mode,pool\n"
        "1,0,plan_and_apply,10,5,,,discard,,,,infra\n"
        "2,1,plan_and_apply,10,5,,no_changes,,,,,apps\n"
        "3,2,plan_and_apply,10,5,5,,,error,,agent,\n".replace("agent,\n", "agent,apps\n")
        + "4,3,plan,10,,,,,,5,,apps\n"
    )
    (tmp_path / "x.yaml").write_text(
        "name: x\nhorizon: 1h\npools: {infra: {}, apps: {}}\nworkload: {trace: tasks.csv}\npolicies: [static]\n"
    )
    tasks = sim.run(sim.load_scenario(tmp_path / "x.yaml")).tasks
    assert tasks.state.tolist() == ["discarded", "planned_and_finished", "errored", "canceled"]
    assert tasks.pool.tolist() == ["infra", "apps", "apps", "apps"]
    assert tasks.execution_mode.tolist() == ["k8s", "k8s", "agent", "k8s"]


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("decision", "maybe", "tasks.csv:2: decision: found 'maybe', expected confirm or discard"),
        ("plan_result", "ok", "tasks.csv:2: plan_result: found 'ok', expected changes, no_changes or error"),
        ("cancel", "-3", "tasks.csv:2: cancel: found '-3', expected seconds: a number of 0 or more"),
        ("pool", "apps", "found the pool 'apps' in the trace, expected one of the pools: default"),
    ],
)
def test_a_mistake_in_such_a_column_is_told(tmp_path: Any, header: str, row: str, said: str) -> None:
    (tmp_path / "tasks.csv").write_text(f"arrive,type,plan,{header}\n0,plan,10,{row}\n")
    (tmp_path / "x.yaml").write_text("name: x\nhorizon: 1h\nworkload: {trace: tasks.csv}\n")
    with pytest.raises(sim.InputError) as caught:
        sim.load_scenario(tmp_path / "x.yaml")
    assert said in str(caught.value)


def test_generated_tasks_end_as_often_as_their_probabilities_say() -> None:
    arrivals = {
        "process": "poisson", "rate": "1000/h", "plan_and_apply_share": 1, "plan": 1, "confirm": 1, "apply": 1,
        "no_changes_probability": 0.2, "plan_error_probability": 0.1, "discard_probability": 0.5,
        "apply_error_probability": 0.25, "cancel": "100s", "cancel_probability": 0.1,
    }  # fmt: skip
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 100, "apply_slots": 100}
    experiment = scenario(workload={"arrivals": arrivals}, pool=pool, horizon="10h")
    tasks = sim.run(experiment, ["static"], engine="fast").tasks
    shares = tasks.state.value_counts(normalize=True)
    expected = {"errored": 0.1 + 0.7 * 0.5 * 0.25, "planned_and_finished": 0.2, "discarded": 0.35, "applied": 0.2625}
    for state, share in expected.items():
        assert shares[state] == pytest.approx(share, abs=0.02)
    assert shares.get("canceled", 0) == 0  # They are final long before.
    one_more = sim.run(scenario(workload={"arrivals": {**arrivals, "discard_probability": 0}}, pool=pool), ["static"])
    same = tasks[tasks.task_id.isin(one_more.tasks.task_id)]
    assert (same.arrived_at.to_numpy() == one_more.tasks.arrived_at.to_numpy()).all()
