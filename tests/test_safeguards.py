"""The platform's safeguards, which any policy can be combined with, and the troubles that they are for."""

from __future__ import annotations

import pytest

import sim
from sim.scenario import InputError
from sim.traces.load import load_scenario

from support import Always, Script, plan, plan_and_apply, run, scenario

POOL = {"min_pods": 0, "max_pods": 9, "initial_pods": 2}


def test_no_pod_is_given_back_while_a_task_is_apply_pending() -> None:
    tasks = [plan_and_apply(1, 0, 11, 20, 5)]  # apply_pending from 11 to 31
    assert run(tasks, Always(0), pool=POOL, horizon=60).decisions == [(5, 2, 1), (40, 1, 0)]
    held = run(tasks, Always(0), pool=POOL, horizon=60, safeguards={"hold_while_apply_pending": True})
    assert held.decisions == [(5, 2, 1), (40, 1, 0)]
    script = Script(2, 2, 0)  # 0 from 15 on
    assert run(tasks, script, pool=POOL, horizon=60).decisions == [(15, 2, 1), (40, 1, 0)]
    held = run(tasks, script, pool=POOL, horizon=60, safeguards={"hold_while_apply_pending": True})
    assert held.decisions == [(35, 2, 1), (40, 1, 0)]


def test_a_slotless_task_holds_pods_too() -> None:
    tasks = [plan_and_apply(1, 0, 11, 20, 5)]
    fault = {"kind": "pod_deletion", "at": 12, "target": "reserved"}
    held = run(
        tasks, Script(2, 2, 0), pool=POOL, horizon=60, faults=[fault], safeguards={"hold_while_apply_pending": True}
    )
    assert held.decisions == [(40, 1, 0)]
    assert held.started(1) == (0, 31)


def test_warm_pods_are_there_beside_those_in_use() -> None:
    tasks = [plan(1, 7, 20), plan(2, 8, 1)]
    outcome = run(tasks, Always(0), pool=POOL, horizon=60, safeguards={"warm_pods": 1})
    # One in use and one warm from 7 on; at 30 the first is idle again, so one of two goes.
    assert outcome.decisions == [(5, 2, 1), (10, 1, 2), (30, 2, 1)]


def test_warm_pods_do_not_exceed_the_maximum() -> None:
    outcome = run([plan(1, 0, 50)], Always(0), pool={**POOL, "max_pods": 2}, horizon=40, safeguards={"warm_pods": 5})
    assert outcome.decisions == []


def test_during_a_freeze_idle_pods_go_and_none_is_made() -> None:
    tasks = [plan(1, 0, 24), plan_and_apply(2, 22, 5, 0, 5)]
    freeze = {"freezes": [{"at": 10, "duration": 15}]}
    outcome = run(tasks, Always(3), pool={**POOL, "min_pods": 1, "pod_startup": 0}, horizon=60, safeguards=freeze)
    # Frozen from 10 to 25: pod 0 runs task 1, the others go, below min_pods even; at 25 it is over.
    assert outcome.decisions == [(5, 2, 3), (10, 3, 1), (25, 1, 3)]


def test_a_freeze_comes_again_and_overlapping_ones_are_one() -> None:
    freeze = {"freezes": [{"at": 10, "duration": 5, "every": 20}, {"at": 12, "duration": 8}]}
    outcome = run(
        [plan(1, 0, 1)], Always(1), pool={**POOL, "initial_pods": 1, "pod_startup": 0}, horizon=60, safeguards=freeze
    )
    assert outcome.decisions == [(10, 1, 0), (20, 0, 1), (30, 1, 0), (35, 0, 1), (50, 1, 0), (55, 0, 1)]


def test_after_a_change_of_the_configuration_pods_are_rebuilt_once_they_are_idle() -> None:
    tasks = [plan(1, 0, 22), plan(2, 40, 1)]
    outcome = run(tasks, Always(2), pool=POOL, horizon=100, faults=[{"kind": "config_change", "at": 7}])
    assert [(pod.created_at, pod.ready_at) for pod in outcome.pods.values()] == [(0, 0), (0, 0), (10, 40), (25, 55)]
    assert [(pod.deleted_at, pod.deleted_by) for pod in outcome.pods.values() if pod.pod < 2] == [
        (25, "config_change"), (10, "config_change"),
    ]  # fmt: skip
    assert outcome.decisions == []
    assert outcome.tasks[1].state == "planned"
    assert outcome.started(2)[0] == 40


def test_rebuilding_keeps_to_the_limit_and_no_pod_goes_for_which_there_is_no_other() -> None:
    pool = {"min_pods": 0, "max_pods": 9, "initial_pods": 3, "pod_startup": 5}
    change = [{"kind": "config_change", "at": 7}]
    outcome = run([plan(1, 0, 1)], AsItIs(), pool=pool, faults=change, horizon=60, safeguards={"creation_limit": 1})
    assert [pod.created_at for pod in outcome.pods.values()] == [0, 0, 0, 10, 15, 20]
    assert [pod.deleted_at for pod in outcome.pods.values() if pod.pod < 3] == [10, 15, 20]
    outcome = run([plan(1, 0, 1)], Always(6), pool=pool, faults=change, horizon=60, safeguards={"creation_limit": 1})
    made = [pod.created_at for pod in outcome.pods.values() if pod.created_at]
    assert len(made) == len(set(made))


class AsItIs:
    def desired_pods(self, view: sim.PoolView) -> int:
        return view.pods


def test_no_replacement_is_made_during_a_freeze() -> None:
    experiment = scenario(
        workload={"tasks": [plan(1, 0, 300)]}, pool={"min_pods": 0, "max_pods": 9, "initial_pods": 0}, horizon=300,
        safeguards={"connect_failure": 0.9999999, "connect_timeout": 2, "freezes": [{"at": 60, "duration": 100}]},
    )  # fmt: skip
    assert sim.run(experiment, [OnceAndThenAsItIs()]).pods.created_at.tolist()[:2] == [5, 160]


def test_a_pod_that_never_connects_is_replaced_with_backoff_and_five_times_at_most() -> None:
    experiment = scenario(
        workload={"tasks": [plan(1, 0, 1)]},
        pool={"min_pods": 0, "max_pods": 1, "initial_pods": 0},
        safeguards={"connect_failure": 0.9999999, "connect_timeout": "2m"},
        horizon="2h",
    )
    pods = sim.run(experiment, [Script(1, 0)]).pods  # asks for a pod once; at 10 s it wants it no more
    assert pods.deleted_by.tolist() == ["autoscaler"]
    pods = sim.run(experiment, [OnceAndThenAsItIs()]).pods
    minutes = [0, 2 + 1, 2 + 2, 2 + 4, 2 + 8, 2 + 10]
    created = [5 + 60 * sum(minutes[: n + 1]) for n in range(6)]
    assert pods.created_at.tolist() == created
    assert pods.deleted_at.tolist() == [at + 120 for at in created]
    assert set(pods.deleted_by) == {"connect_timeout"}
    assert pods.ready_at.isna().all()


class OnceAndThenAsItIs:
    """Asks for a pod at 5 s and then never for more or fewer."""

    def desired_pods(self, view: sim.PoolView) -> int:
        return 1 if view.time == 5 else view.pods


def test_a_replacement_waits_for_the_server() -> None:
    experiment = scenario(
        workload={"tasks": [plan(1, 0, 1)]},
        pool={"min_pods": 0, "max_pods": 1, "initial_pods": 0},
        safeguards={"connect_failure": 0.9999999, "connect_timeout": "2m"},
        faults=[{"kind": "server_restart", "at": 180, "downtime": 100}],
        horizon=400,
    )
    assert sim.run(experiment, [OnceAndThenAsItIs()]).pods.created_at.tolist() == [5, 280]


def test_no_more_pods_are_made_at_once_than_the_limit() -> None:
    outcome = run([plan(1, 0, 1)], Always(7), pool=POOL, horizon=30, safeguards={"creation_limit": 2})
    assert outcome.decisions == [(5, 2, 4), (10, 4, 6), (15, 6, 7)]


def test_a_pod_that_could_not_be_made_is_tried_for_again_at_the_next_tick() -> None:
    experiment = scenario(
        workload={"tasks": [plan(1, 0, 1)]}, pool={**POOL, "initial_pods": 0, "max_pods": 50}, horizon=500,
        safeguards={"creation_failure": 0.5},
    )  # fmt: skip
    decisions = sim.run(experiment, [Always(40)]).decisions
    assert decisions.pods_after.iloc[-1] == 40
    assert 10 < decisions.pods_after.iloc[0] < 30
    by_the_model = sim.run(experiment, ["static"], engine="simpy").decisions
    assert by_the_model.equals(sim.run(experiment, ["static"], engine="fast").decisions)


LOST = [{"kind": "pod_deletion", "at": 50, "target": 0}]


def test_a_confirmed_task_that_lost_its_slot_plans_again_and_is_confirmed_again() -> None:
    tasks = [plan_and_apply(1, 0, 20, 60, 10)]
    assert run(tasks, Always(2), pool=POOL, faults=LOST).started(1) == (0, 80)
    outcome = run(tasks, Always(2), pool=POOL, faults=LOST, safeguards={"lost_reservation": "replan"})
    task = outcome.tasks[1]
    # Confirmed at 80, without a slot: plans again on pod 1 from 80 to 100, is confirmed again at 160, applies there.
    assert (task.plan_started_at, task.plan_ended_at, task.confirmed_at, task.apply_started_at) == (80, 100, 80, 160)
    assert (task.apply_wait, task.wait_replanning, task.state) == (80, 80, "applied")


def test_one_that_was_confirmed_already_plans_again_when_it_loses_its_slot() -> None:
    tasks = [plan_and_apply(1, 0, 20, 10, 10)]
    faults = [{"kind": "pod_offline", "at": 25, "target": 0}, *LOST]
    outcome = run(tasks, Always(2), pool=POOL, faults=faults, safeguards={"lost_reservation": "replan"})
    task = outcome.tasks[1]
    # Confirmed at 30, but pod 0 is silent; it is deleted at 50, and at its retry at 50 the task plans on pod 1.
    assert (task.plan_started_at, task.confirmed_at, task.apply_started_at) == (50, 30, 80)
    assert (task.wait_agent_offline, task.wait_replanning, task.apply_wait) == (20, 30, 50)


def test_who_fails_while_planning_again_waits_for_ever() -> None:
    tasks = [plan_and_apply(1, 0, 20, 60, 10)]
    faults = [*LOST, {"kind": "pod_deletion", "at": 90, "target": "running"}]
    outcome = run(tasks, Always(2), pool=POOL, faults=faults, safeguards={"lost_reservation": "replan"}, horizon=300)
    task = outcome.tasks[1]
    assert (task.state, task.censored, task.apply_wait, task.wait_replanning) == ("failed", True, 220, 220)


def test_an_apply_elsewhere_takes_longer_by_its_initialisation() -> None:
    tasks = [plan_and_apply(1, 0, 20, 60, 10)]
    there = run(tasks, Always(2), pool=POOL, safeguards={"reinit": 25}).tasks[1]
    assert (there.apply_started_at, there.apply_ended_at) == (80, 90)
    elsewhere = run(tasks, Always(2), pool=POOL, faults=LOST, safeguards={"reinit": 25}).tasks[1]
    assert (elsewhere.apply_started_at, elsewhere.apply_ended_at) == (80, 115)


def test_what_goes_wrong_is_the_same_for_all_policies_and_belongs_to_the_thing() -> None:
    parts = {
        "workload": {"tasks": [plan(1, 0, 1)]},
        "pool": {**POOL, "initial_pods": 0, "max_pods": 50},
        "horizon": 500,
    }
    experiment = scenario(**parts, safeguards={"connect_failure": 0.3})
    pods = sim.run(experiment, [Always(10), Script(2, 4, 6, 8, 10)]).pods
    connected = pods.ready_at.notna().groupby([pods.policy, pods.pod]).first().unstack(0)
    first = connected.iloc[:10]
    assert (first["Always"] == first["Script"]).all()
    assert 3 <= first["Always"].sum() <= 9


@pytest.mark.parametrize(
    ("guards", "message"),
    [
        ("{warm_pods: -1}", "safeguards.warm_pods: found -1, expected a number of at least 0"),
        ("{creation_limit: 0}", "safeguards.creation_limit: found 0, expected a number of at least 1"),
        ("{connect_failure: 100%}", "safeguards.connect_failure: found '100%', expected"),
        ("{lost_reservation: forget}", "safeguards.lost_reservation: found 'forget', expected 'apply' or 'replan'"),
        ("{freezes: [{at: 1h}]}", "safeguards.freezes[0].duration: found nothing, expected at and duration"),
        (
            "{freezes: [{at: 1h, duration: 2h, every: 1h}]}",
            "safeguards.freezes[0].duration: found '2h', expected less th",
        ),
        (
            "{hold: true}",
            "safeguards.hold: found the unknown key 'hold', expected one of: hold_while_apply_pending, warm",
        ),
    ],
)
def test_mistakes(tmp_path, guards: str, message: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "bad.yaml"
    path.write_text(
        f"name: bad\nhorizon: 1h\nsafeguards: {guards}\n"
        "workload: {tasks: [{id: 1, type: plan, workspace: a, arrive: 0, plan: 1}]}\n"
    )
    with pytest.raises(InputError, match=r"bad\.yaml:3: ") as caught:
        load_scenario(path)
    assert message in str(caught.value)
