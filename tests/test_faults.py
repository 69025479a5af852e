"""model.md, 4: what goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from support import Always, Outcome, Script, plan, plan_and_apply, run

TWO = {"min_pods": 2, "max_pods": 2}


def deleted(result: Outcome) -> list[int]:
    return [number for number, pod in result.pods.items() if pod.deleted_by == "pod_deletion"]


def deletion(target: Any, at: float = 100) -> list[dict[str, Any]]:
    return [{"kind": "pod_deletion", "at": at, "target": target}]


# Targets

_SCENE = [
    plan(1, 0, 30),  # pod 0 is idle at 100
    plan(2, 0, 30),
    plan(3, 0, 30),
    plan(4, 0, 500),  # pod 1 is running
    plan_and_apply(5, 40, 10, None, 0),  # pod 0 at first
]


@pytest.mark.parametrize(
    ("target", "gone"),
    [("any", [0]), ("running", [1]), ("reserved", [0]), ("idle", [2]), (1, [1]), (2, [2]), (7, [])],
)
def test_which_pod_a_target_means(target: Any, gone: list[int]) -> None:
    result = run(_SCENE, pool={"min_pods": 0, "max_pods": 3, "initial_pods": 3}, faults=deletion(target))
    assert deleted(result) == gone


def test_where_no_pod_fits_the_fault_does_nothing() -> None:
    assert deleted(run([plan(1, 0, 1)], pool=TWO, faults=deletion("reserved"))) == []
    assert deleted(run([plan(1, 0, 1)], pool={"min_pods": 0, "max_pods": 1}, faults=deletion("random"))) == []


def test_a_number_means_the_pod_that_was_made_so_many_th_and_none_once_that_is_gone() -> None:
    faults = deletion(0, 50) + deletion(0, 60)
    result = run([plan(1, 0, 1)], Always(2), pool={"min_pods": 0, "max_pods": 2, "initial_pods": 2}, faults=faults)
    assert deleted(result) == [0]
    assert result.pods[2].created_at == 50


def test_the_pod_by_chance_is_one_of_all_of_them() -> None:
    pool = {"min_pods": 0, "max_pods": 9, "initial_pods": 9}
    chosen = {deleted(run([plan(1, 0, 1)], pool=pool, faults=deletion("random"), seed=seed))[0] for seed in range(30)}
    assert len(chosen) > 5
    assert chosen <= set(range(9))


# pod_deletion


def test_what_ran_there_has_failed_and_what_was_reserved_there_has_no_slot() -> None:
    tasks = [plan_and_apply(1, 0, 60, 300, 10), plan(2, 0, 200), plan_and_apply(3, 0, 60, 0, 500)]
    script = Script(0)
    result = run(tasks, script, pool={"min_pods": 0, "max_pods": 2, "initial_pods": 2}, faults=deletion(0), horizon=104)
    assert [result.tasks[n].state for n in (1, 2, 3)] == ["apply_pending", "failed", "applying"]
    result = run(tasks, script, pool={"min_pods": 0, "max_pods": 2, "initial_pods": 2}, faults=deletion(1), horizon=106)
    assert [result.tasks[n].state for n in (1, 2, 3)] == ["apply_pending", "planning", "failed"]
    assert script.views[-1].slotless == 0


def test_a_deleted_pod_is_gone_from_its_moment_on() -> None:
    result = run([plan(1, 100, 10)], pool=TWO, policy="static", faults=deletion(0))
    assert (result.pods[0].deleted_at, result.pods[0].deleted_by) == (100, "pod_deletion")
    assert result.started(1)[0] == 100
    assert result.decisions == [(100, 1, 2)]


def test_a_deleted_starting_pod_never_becomes_ready() -> None:
    pool = {"min_pods": 1, "max_pods": 1, "initial_pods": 0, "pod_startup": 60}
    result = run([plan(1, 0, 10)], Always(1), pool=pool, faults=deletion(0, 50))
    assert result.pods[0].ready_at != result.pods[0].ready_at
    assert result.started(1)[0] == 110  # the next pod is made at 50 and ready at 110


def test_a_fault_strikes_again_and_again() -> None:
    faults = [{"kind": "pod_deletion", "every": 40, "target": "any"}]
    result = run([plan(1, 0, 10)], Always(1), pool={"min_pods": 1, "max_pods": 1}, faults=faults, horizon=130)
    assert [pod.deleted_at for pod in result.pods.values()][:3] == [40, 80, 120]


# pod_offline


def offline(at: float, duration: float | None = None, target: Any = 0) -> list[dict[str, Any]]:
    return [{"kind": "pod_offline", "at": at, "target": target, "duration": duration}]


def test_what_runs_on_a_silent_pod_ends_when_it_is_due() -> None:
    result = run([plan_and_apply(1, 0, 60, 500, 10)], pool=TWO, faults=offline(30))
    assert result.tasks[1].plan_ended_at == 60


def test_until_the_heartbeat_timeout_the_pod_is_chosen_and_the_attempt_fails() -> None:
    # Silent from 30, noticed later than 150: asks at 50, 60, ..., 150 (still chosen), 160 (passed over).
    assert run([plan(1, 50, 10)], pool=TWO, faults=offline(30)).started(1)[0] == 160


def test_the_heartbeat_timeout_is_the_settings() -> None:
    pool = {**TWO, "heartbeat_timeout": 25}
    assert run([plan(1, 50, 10)], pool=pool, faults=offline(30)).started(1)[0] == 60


def test_a_pod_that_is_back_is_used_again() -> None:
    result = run([plan(1, 50, 10)], pool={"min_pods": 1, "max_pods": 1}, faults=offline(30, 500))
    assert result.started(1)[0] == 530
    result = run([plan(1, 50, 10)], pool={"min_pods": 1, "max_pods": 1}, faults=offline(30, 30))
    assert result.started(1)[0] == 60


def test_attempts_for_a_slot_reserved_on_a_silent_pod_fail_however_long_it_is_silent() -> None:
    tasks = [plan_and_apply(1, 0, 60, 40, 10)]
    result = run(tasks, pool=TWO, faults=offline(70, 1000))
    assert result.started(1)[1] == 1070  # asks at 100, 110, ..., although pod 1 is idle


def test_a_silent_pod_that_is_deleted_frees_its_task_for_another_slot() -> None:
    tasks = [plan_and_apply(1, 0, 60, 40, 10)]
    faults = offline(70) + deletion(0, 205)
    result = run(tasks, pool={"min_pods": 0, "max_pods": 2, "initial_pods": 2}, faults=faults)
    assert result.started(1)[1] == 210


def test_silences_that_overlap_last_until_the_later_end() -> None:
    faults = offline(30, 100) + offline(50, 200) + offline(60, 10)
    assert run([plan(1, 50, 10)], pool={"min_pods": 1, "max_pods": 1}, faults=faults).started(1)[0] == 250


def test_the_autoscaler_sees_a_silent_pod_as_any_other() -> None:
    script = Script(2)
    run([plan(1, 50, 10)], script, pool=TWO, faults=offline(3), horizon=300)
    assert {(view.pods, view.idle_ready) for view in script.views} == {(2, 6), (2, 5)}


def test_notify_a_pod_that_is_back_serves_its_reservation_at_once() -> None:
    tasks = [plan_and_apply(1, 0, 60, 40, 10)]
    result = run(tasks, pool=TWO, faults=offline(70, 1003), control={"dispatch": "notify"})
    assert result.started(1)[1] == 1073


def test_notify_a_silent_pod_is_passed_over_from_its_heartbeat_timeout_on() -> None:
    result = run([plan(1, 50, 10)], pool=TWO, faults=offline(30), control={"dispatch": "notify"})
    assert result.started(1)[0] == 150


# server_restart


def restart(at: float, downtime: float = 0, after: Any = 0, running: str = "survive") -> list[dict[str, Any]]:
    return [
        {"kind": "server_restart", "at": at, "downtime": downtime, "reconcile_after": after, "running_tasks": running}
    ]


def test_while_the_server_is_down_there_are_no_attempts() -> None:
    tasks = [plan(1, 0, 12), plan(2, 1, 5)]
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}
    assert run(tasks, pool=pool, faults=restart(15, 18)).started(2)[0] == 33  # not at 21 or 31, but when it is up


def test_every_eligible_task_gets_an_attempt_when_the_server_is_up_and_retries_count_from_there() -> None:
    tasks = [plan(1, 0, 40), plan(2, 1, 5)]
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}
    assert run(tasks, pool=pool, faults=restart(15, 18)).started(2)[0] == 43


def test_a_restart_loses_all_retries_however_short_it_is() -> None:
    # Task 2 asks at 1, and the slot is free from 20 on. After the restart its retries count from when the server is up.
    tasks = [plan(1, 0, 20), plan(2, 1, 10)]
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}
    assert run(tasks, pool=pool).started(2)[0] == 21
    assert run(tasks, pool=pool, faults=restart(4)).started(2)[0] == 24  # 4, 14, 24
    assert run(tasks, pool=pool, faults=restart(4, 5)).started(2)[0] == 29  # 9, 19, 29
    assert run(tasks, pool=pool, faults=restart(4, 7)).started(2)[0] == 21  # 11, 21
    assert run(tasks, pool=pool, faults=[*restart(4), *restart(6, 1)]).started(2)[0] == 27  # 4, then 7, 17, 27


def test_arrivals_confirmations_and_results_are_put_off_and_count_from_there() -> None:
    tasks = [plan(1, 20, 5), plan_and_apply(2, 0, 20, 100, 5), plan_and_apply(3, 0, 10, 12, 5)]
    result = run(tasks, pool=TWO, faults=restart(15, 18))
    assert (result.tasks[1].arrived_at, result.started(1)[0]) == (33, 33)
    assert (result.tasks[2].plan_ended_at, result.tasks[2].confirmed_at) == (33, 133)
    assert (result.tasks[3].confirmed_at, result.started(3)[1]) == (33, 33)


def test_what_falls_due_as_the_server_goes_down_is_put_off_and_as_it_comes_up_is_not() -> None:
    result = run([plan(1, 0, 15), plan(2, 0, 33)], pool=TWO, faults=restart(15, 18))
    assert result.tasks[1].plan_ended_at == 33
    assert result.tasks[2].plan_ended_at == 33


def test_there_are_no_ticks_while_it_is_down_and_the_first_comes_one_interval_after() -> None:
    script = Script(2)
    run([plan(1, 0, 1)], script, pool=TWO, faults=restart(13, 4), horizon=30)
    assert [view.time for view in script.views] == [5, 10, 22, 27]


def test_a_restart_in_the_instant_of_a_tick_takes_its_place() -> None:
    script = Script(2)
    run([plan(1, 0, 1)], script, pool=TWO, faults=restart(10), horizon=22)
    assert [view.time for view in script.views] == [5, 15, 20]


def test_running_tasks_survive_or_fail() -> None:
    tasks = [plan_and_apply(1, 0, 30, 100, 5), plan(2, 20, 30)]
    result = run(tasks, pool={"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}, faults=restart(10, 8))
    assert result.tasks[1].state == "applied"
    result = run(tasks, pool={"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}, faults=restart(10, 8, running="fail"))
    assert result.tasks[1].state == "failed"
    assert result.started(2)[0] == 20
    # A result that was put off comes after the restart has cut its task off.
    result = run(tasks, pool={"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}, faults=restart(29, 8, running="fail"))
    assert result.tasks[1].state == "failed"


def test_reservations_are_restored_at_once_by_default() -> None:
    tasks = [plan_and_apply(1, 0, 60, 100, 5), plan(2, 80, 500)]
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}
    assert run(tasks, pool=pool, faults=[{"kind": "server_restart", "at": 70}]).started(1)[1] == 160


def test_until_it_is_restored_another_task_may_take_the_slot() -> None:
    tasks = [plan_and_apply(1, 0, 60, 100, 5), plan(2, 80, 500)]
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}
    assert run(tasks, pool=pool, faults=restart(70, after=20)).started(1)[1] == 580
    assert run(tasks, pool=pool, faults=restart(70, after=10)).started(1)[1] == 160  # restored before the arrival


def test_until_it_is_restored_the_autoscaler_may_delete_the_pod() -> None:
    pool = {"min_pods": 0, "max_pods": 1, "initial_pods": 1}
    result = run([plan_and_apply(1, 0, 60, 100, 5)], Always(0), pool=pool, faults=restart(71, after=20))
    assert result.pods[0].deleted_at == 76
    assert result.tasks[1].censored
    result = run([plan_and_apply(1, 0, 60, 100, 5)], Always(0), pool=pool, faults=restart(71, after=5))
    assert result.started(1)[1] == 160  # restored before the tick


def test_until_it_is_restored_a_confirmed_task_does_not_find_it() -> None:
    # Its slot looks idle, so a plan takes it; the confirmed task finds the other pod's.
    tasks = [plan_and_apply(1, 0, 60, 40, 20), plan(2, 90, 500)]
    pool = {"min_pods": 0, "max_pods": 2, "initial_pods": 2, "slots_per_pod": 1}
    result = run(tasks, pool=pool, faults=restart(70, after="never") + deletion(0, 110))
    assert result.started(1)[1] == 100
    assert result.tasks[1].state == "applied"  # it was not on pod 0


def test_never_means_never() -> None:
    tasks = [plan_and_apply(1, 0, 60, 1000, 5), plan(2, 900, 500)]
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}
    assert run(tasks, pool=pool, faults=restart(70, after="never")).started(1)[1] == 1400


def test_a_restart_while_the_server_is_down_does_nothing() -> None:
    assert run([plan(1, 20, 5)], pool=TWO, faults=restart(15, 18) + restart(25, 500)).started(1)[0] == 33


def test_a_restart_takes_over_reservations_that_were_not_restored_yet() -> None:
    tasks = [plan_and_apply(1, 0, 60, 100, 5), plan(2, 95, 500)]
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}
    # The first would restore at 90; the second, up at 85, at 105: too late. With 5 s it is in time.
    assert run(tasks, pool=pool, faults=restart(70, after=20) + restart(80, 5, after=20)).started(1)[1] == 600
    assert run(tasks, pool=pool, faults=restart(70, after=20) + restart(80, 5, after=5)).started(1)[1] == 160
    assert run(tasks, pool=pool, faults=restart(70, after="never") + restart(80, 5, after=5)).started(1)[1] == 160


def test_a_restored_reservation_is_as_old_as_it_was() -> None:
    tasks = [plan_and_apply(1, 0, 60, 500, 5), plan(2, 80, 1)]
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1, "reservation_ttl": 37}
    assert run(tasks, pool=pool, faults=restart(70)).started(2)[0] == 100  # expires at 97


def test_a_pod_deleted_while_the_server_is_down_takes_its_tasks_with_it() -> None:
    tasks = [plan_and_apply(1, 0, 18, 10, 5), plan_and_apply(2, 0, 60, 10, 5, "ws-1")]
    result = run(tasks, pool=TWO, faults=restart(15, 20) + deletion(0, 25))
    assert result.tasks[1].state == "failed"  # its result had not been taken yet
    assert result.started(2)[0] == 35


@pytest.mark.parametrize("engine", ["simpy", "fast"])
def test_4_2_a_reservation_is_not_restored_on_a_pod_that_is_gone(engine: str) -> None:
    """Forgotten at 100, to be restored at 150; its pod is deleted at 120. It would have expired at 260."""
    faults = [
        {"kind": "server_restart", "at": 100, "reconcile_after": 50},
        {"kind": "pod_deletion", "at": 120, "target": 0},
    ]
    pool = {"min_pods": 2, "max_pods": 2, "reservation_ttl": 200}
    result = run([plan_and_apply(1, 0, 60, 1000, 10)], pool=pool, faults=faults, engine=engine)
    assert result.reservations == [(0, 60, 100)]


@pytest.mark.parametrize("engine", ["simpy", "fast"])
def test_4_2_a_reservation_is_not_restored_for_a_task_that_applies_elsewhere(engine: str) -> None:
    """Task 2 sits on the forgotten slot when task 1 is confirmed at 110, so that one applies on the other pod."""
    faults = [{"kind": "server_restart", "at": 100, "reconcile_after": 50}]
    tasks = [plan_and_apply(1, 0, 60, 50, 500), plan(2, 105, 7)]
    result = run(tasks, pool={"min_pods": 2, "max_pods": 2}, faults=faults, engine=engine)
    assert (result.tasks[1].apply_started_at, result.tasks[1].apply_pod) == (110, 1)
    assert result.reservations == [(0, 60, 100)]
