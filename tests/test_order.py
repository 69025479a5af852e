"""model.md, 5: what comes first within one instant."""

from __future__ import annotations

from support import Always, plan, plan_and_apply, run

ONE = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 1}


def test_a_pod_becomes_ready_before_an_attempt_of_the_same_instant() -> None:
    pool = {"min_pods": 1, "max_pods": 1, "initial_pods": 0, "pod_startup": 30}
    assert run([plan(1, 35, 5)], Always(1), pool=pool).started(1)[0] == 35


def test_a_pod_becomes_ready_before_faults() -> None:
    pool = {"min_pods": 0, "max_pods": 1, "initial_pods": 0, "pod_startup": 30}
    result = run([plan(1, 0, 5)], Always(1), pool=pool, faults=[{"kind": "pod_deletion", "at": 35, "target": 0}])
    assert result.pods[0].ready_at == 35


def test_an_agent_is_back_before_an_attempt() -> None:
    offline = [{"kind": "pod_offline", "at": 3, "duration": 7, "target": 0}]
    assert run([plan(1, 10, 5)], pool=ONE, faults=offline).started(1)[0] == 10


def test_a_reservation_expires_before_faults_choose_their_target() -> None:
    pool = {"min_pods": 0, "max_pods": 1, "initial_pods": 1, "reservation_ttl": 40}
    deletion = [{"kind": "pod_deletion", "at": 100, "target": "reserved"}]
    result = run([plan_and_apply(1, 0, 60, None, 5)], pool=pool, faults=deletion)
    assert result.pods[0].deleted_at != result.pods[0].deleted_at


def test_a_fault_comes_before_an_end_of_the_same_instant() -> None:
    pool = {"min_pods": 0, "max_pods": 1, "initial_pods": 1}
    result = run([plan(1, 0, 60)], pool=pool, faults=[{"kind": "pod_deletion", "at": 60, "target": 0}])
    assert result.tasks[1].state == "failed"


def test_faults_of_one_instant_come_in_the_order_of_the_file() -> None:
    restart = {"kind": "server_restart", "at": 100, "reconcile_after": "never"}
    deletion = {"kind": "pod_deletion", "at": 100, "target": "reserved"}
    tasks = [plan_and_apply(1, 0, 60, None, 5)]
    assert (
        run(tasks, pool={"min_pods": 0, "max_pods": 1, "initial_pods": 1}, faults=[deletion, restart])
        .pods[0]
        .deleted_at
        == 100
    )
    survived = run(tasks, pool={"min_pods": 0, "max_pods": 1, "initial_pods": 1}, faults=[restart, deletion]).pods[0]
    assert survived.deleted_at != survived.deleted_at


def test_an_end_comes_before_an_arrival() -> None:
    assert run([plan(2, 10, 5), plan(1, 0, 10)], pool=ONE).started(2)[0] == 10


def test_attempts_of_one_instant_come_in_the_order_of_the_tasks() -> None:
    tasks = [plan(1, 0, 10), plan(3, 20, 7), plan(2, 20, 5)]
    result = run(tasks, pool=ONE)
    assert (result.started(3)[0], result.started(2)[0]) == (20, 30)


def test_a_retry_and_a_first_attempt_of_one_instant_come_in_the_order_of_the_tasks() -> None:
    tasks = [plan(1, 0, 15), plan(2, 20, 100), plan(3, 10, 100)]
    result = run(tasks, pool=ONE, horizon=100)
    assert result.started(2)[0] == 20
    assert result.tasks[3].state == "pending"


def test_ends_of_one_instant_come_in_the_order_of_the_tasks() -> None:
    # Both end at 10; which is first decides in which order their successors are eligible, but not who asks first.
    tasks = [
        plan_and_apply(1, 0, 5, 0, 5, "a"),
        plan_and_apply(2, 0, 5, 0, 5, "b"),
        plan_and_apply(3, 1, 100, None, 0, "b"),
        plan_and_apply(4, 1, 100, None, 0, "a"),
        plan(5, 1, 500),
    ]
    result = run(tasks, pool={"min_pods": 2, "max_pods": 2, "slots_per_pod": 1}, horizon=300)
    assert (result.started(3)[0], result.started(4)[0]) == (10, 10)


def test_a_confirmation_and_its_attempt_come_in_the_instant_the_plan_ends() -> None:
    assert run([plan_and_apply(1, 0, 60, 0, 10)], pool=ONE).started(1) == (0, 60)


def test_the_tick_comes_last() -> None:
    # At 10 the plan ends (pod idle), and task 2 arrives and takes the slot; the tick at 10 must not see it idle.
    pool = {"min_pods": 0, "max_pods": 1, "initial_pods": 1, "slots_per_pod": 1}
    result = run([plan(1, 0, 10), plan(2, 10, 3)], Always(0), pool=pool, horizon=14)
    assert result.tasks[2].state == "planned"
    assert result.decisions == []


def test_what_takes_no_time_is_over_within_its_instant() -> None:
    result = run([plan_and_apply(1, 10, 0, 0, 0, "a"), plan_and_apply(2, 10, 0, 0, 0, "a")], pool=ONE)
    assert result.started(1) == (10, 10)
    assert result.started(2) == (10, 10)
    assert result.tasks[2].apply_ended_at == 10
