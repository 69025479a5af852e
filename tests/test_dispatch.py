"""model.md, 2: who gets which slot, and when. Every example also runs in literal mode, with the same result."""

from __future__ import annotations

from typing import Any

from support import Always, plan, plan_and_apply, run


def one_pod(slots: int = 3, **more: Any) -> dict[str, Any]:
    return {"min_pods": 1, "max_pods": 1, "slots_per_pod": slots, **more}


def test_1_a_pending_plan_is_eligible_when_it_arrives() -> None:
    assert run([plan(1, 7.25, 60)], pool=one_pod()).started(1)[0] == 7.25


def test_1_a_plan_and_apply_waits_until_the_earlier_one_of_its_workspace_is_final() -> None:
    tasks = [
        plan_and_apply(1, 0, 60, 100, 40, "ws"),
        plan_and_apply(2, 1, 60, None, 0, "ws"),
        plan_and_apply(3, 2, 5, None, 0, "other"),
    ]
    result = run(tasks, pool={"min_pods": 3, "max_pods": 3})
    assert result.started(1) == (0, 160)
    assert result.started(2)[0] == 200  # at once when task 1 is applied, not at a retry
    assert result.started(3)[0] == 2


def test_1_a_plan_does_not_wait_for_its_workspace() -> None:
    tasks = [plan_and_apply(1, 0, 60, None, 0, "ws"), {**plan(2, 1, 60), "workspace": "ws"}]
    assert run(tasks, pool=one_pod()).started(2)[0] == 1


def test_1_a_failed_task_makes_way_in_its_workspace() -> None:
    tasks = [plan_and_apply(1, 0, 60, 0, 40, "ws"), plan_and_apply(2, 1, 60, None, 0, "ws")]
    deletion = [{"kind": "pod_deletion", "at": 30, "target": 0}]
    result = run(tasks, pool={"min_pods": 2, "max_pods": 2}, faults=deletion)
    assert result.tasks[1].state == "failed"
    assert result.started(2)[0] == 30


def test_1_earlier_means_arrived_earlier_not_listed_earlier() -> None:
    tasks = [plan_and_apply(1, 10, 5, 0, 5, "ws"), plan_and_apply(2, 0, 60, 0, 5, "ws")]
    result = run(tasks, pool={"min_pods": 2, "max_pods": 2})
    assert result.started(2)[0] == 0
    assert result.started(1)[0] == 65


def test_2_after_a_failed_attempt_the_next_comes_one_retry_later_and_no_slot_is_offered_in_between() -> None:
    tasks = [plan(1, 0, 12), plan(2, 1, 5)]
    assert run(tasks, pool=one_pod(1)).started(2)[0] == 21  # free at 12, but asked at 1, 11, 21


def test_2_the_retry_interval_is_the_settings() -> None:
    tasks = [plan(1, 0, 12), plan(2, 1, 5)]
    assert run(tasks, pool=one_pod(1), control={"dispatch_retry": 3.25}).started(2)[0] == 14


def test_2_of_two_waiting_tasks_the_one_that_asks_first_gets_the_slot() -> None:
    tasks = [plan(1, 0, 10), plan(2, 1, 5), plan(3, 4.5, 5), plan(4, 9, 5)]
    result = run(tasks, pool=one_pod(1))
    assert [result.started(task)[0] for task in (2, 3, 4)] == [11, 24.5, 19]  # 2 asks at 11; 4 at 19, 3 not before 24.5


def test_3_the_oldest_ready_pod_with_a_free_slot_and_in_it_the_lowest_slot() -> None:
    # Four plans fill slots 0, 1, 2 of pod 0 and slot 0 of pod 1; a deletion of pod 0 shows who was where.
    tasks = [plan(n, n, 1000) for n in range(4)]
    deletion = [{"kind": "pod_deletion", "at": 100, "target": 0}]
    result = run(tasks, pool={"min_pods": 0, "max_pods": 2, "initial_pods": 2}, faults=deletion)
    assert [result.tasks[n].state for n in range(4)] == ["failed", "failed", "failed", "planned"]


def test_3_a_plan_takes_slot_0_although_only_that_can_apply() -> None:
    tasks = [plan(1, 0, 33), plan_and_apply(2, 1, 10, None, 0)]
    assert run(tasks, pool=one_pod()).started(2)[0] == 41


def test_3_with_spare_apply_slots_a_plan_takes_the_highest_idle_slot_of_that_pod() -> None:
    tasks = [plan(1, 0, 33), plan_and_apply(2, 1, 10, None, 0)]
    assert run(tasks, pool=one_pod(placement="spare_apply_slots")).started(2)[0] == 1


def test_3_spare_apply_slots_still_fills_the_oldest_pod_first() -> None:
    tasks = [plan(n, n, 33) for n in range(3)] + [plan_and_apply(9, 5, 10, None, 0)]
    deletion = [{"kind": "pod_deletion", "at": 10, "target": 1}]
    pool = {"min_pods": 0, "max_pods": 2, "initial_pods": 2, "placement": "spare_apply_slots"}
    assert run(tasks, pool=pool, faults=deletion).tasks[9].state == "failed"  # plans filled pod 0, so it was on pod 1


def test_3_a_starting_pod_gets_no_task() -> None:
    pool = {"min_pods": 1, "max_pods": 1, "initial_pods": 0, "pod_startup": 33}
    assert run([plan(1, 0, 5)], policy=Always(1), pool=pool).started(1)[0] == 40  # made at 5, ready at 38


def test_3_apply_slots_says_which_slots_take_either_type() -> None:
    tasks = [plan_and_apply(n, n, 100, None, 0) for n in (1, 2, 3)]
    result = run(tasks, pool=one_pod(apply_slots=2), horizon=300)
    assert [result.tasks[n].state for n in (1, 2, 3)] == ["apply_pending", "apply_pending", "pending"]


def test_4_a_confirmed_task_starts_in_its_reserved_slot_at_once() -> None:
    assert run([plan_and_apply(1, 0, 60, 33, 10)], pool=one_pod()).started(1) == (0, 93)


def test_4_without_its_slot_it_looks_for_a_free_one() -> None:
    tasks = [plan_and_apply(1, 0, 60, 60, 10)]
    deletion = [{"kind": "pod_deletion", "at": 70, "target": "reserved"}]
    result = run(tasks, pool={"min_pods": 2, "max_pods": 2}, faults=deletion)
    assert result.started(1) == (0, 120)


def test_4_and_retries_from_its_confirmation_if_there_is_none() -> None:
    # Task 2 has slot 0 of the only other pod until 143; task 1 asks at 120, 130, 140, 150.
    tasks = [plan_and_apply(1, 0, 60, 60, 10), plan_and_apply(2, 1, 100, 22, 20)]
    deletion = [{"kind": "pod_deletion", "at": 70, "target": 0}]
    result = run(tasks, pool={"min_pods": 0, "max_pods": 2, "initial_pods": 2}, policy=Always(1), faults=deletion)
    assert result.tasks[2].apply_ended_at == 143
    assert result.started(1)[1] == 150


def test_6_a_reserved_slot_takes_no_other_task() -> None:
    tasks = [plan_and_apply(1, 0, 10, 100, 5), plan(2, 20, 1), plan(3, 20, 1), plan(4, 20, 1), plan(5, 20, 1)]
    result = run(tasks, pool=one_pod())
    assert [result.started(n)[0] for n in (2, 3, 4, 5)] == [20, 20, 30, 30]
    assert result.started(1)[1] == 110


def test_6_after_a_plan_its_slot_is_idle() -> None:
    assert run([plan(1, 0, 10), plan(2, 10, 5)], pool=one_pod(1)).started(2)[0] == 10


def test_6_a_reservation_lasts_as_long_as_its_time_to_live() -> None:
    tasks = [plan_and_apply(1, 0, 60, 200, 30), plan(2, 61, 500)]
    result = run(tasks, pool=one_pod(1, reservation_ttl=50))
    assert result.started(2)[0] == 111  # asks at 61, 71, ..., and at 111 the slot has been idle since 110
    assert result.tasks[1].apply_started_at == 620  # confirmed at 260 without a slot


def test_6_a_confirmation_in_the_instant_of_expiry_is_too_late() -> None:
    tasks = [plan_and_apply(1, 0, 60, 50, 30), plan(2, 100, 500)]
    result = run(tasks, pool=one_pod(1, reservation_ttl=50))
    assert result.started(1)[1] == 110  # finds the same slot as a free one: task 1 is listed first
    result = run(tasks[::-1], pool=one_pod(1, reservation_ttl=50))
    assert result.started(2)[0] == 110  # asks at 100 and 110, and is listed first now


def test_7_without_a_confirmation_the_slot_stays_reserved() -> None:
    tasks = [plan_and_apply(1, 0, 60, None, 30), plan(2, 61, 1)]
    result = run(tasks, pool=one_pod(1))
    assert result.tasks[1].state == "apply_pending"
    assert result.tasks[2].state == "pending"


def test_8_after_an_apply_its_slot_is_idle() -> None:
    tasks = [plan_and_apply(1, 0, 10, 0, 20), plan(2, 30, 5)]
    assert run(tasks, pool=one_pod(1)).started(2)[0] == 30


# dispatch: notify

NOTIFY = {"dispatch": "notify"}


def test_notify_a_slot_that_falls_free_is_taken_in_the_same_instant() -> None:
    tasks = [plan(1, 0, 12), plan(2, 1, 5)]
    assert run(tasks, pool=one_pod(1), control=NOTIFY).started(2)[0] == 12


def test_notify_the_queue_is_in_order_of_eligibility() -> None:
    tasks = [plan(3, 4.5, 5), plan(2, 1, 5), plan(1, 0, 12)]
    result = run(tasks, pool=one_pod(1), control=NOTIFY)
    assert [result.started(n)[0] for n in (1, 2, 3)] == [0, 12, 17]


def test_notify_the_first_that_fits_takes_the_slot() -> None:
    # Slot 1 falls free first: task 3, a plan_and_apply, came earlier but only slot 0 will do for it.
    tasks = [plan(1, 0, 50), plan(2, 0, 20), plan_and_apply(3, 1, 5, None, 0), plan(4, 2, 5)]
    result = run(tasks, pool=one_pod(2), control=NOTIFY)
    assert result.started(4)[0] == 20
    assert result.started(3)[0] == 50


def test_notify_who_waits_goes_before_who_arrives() -> None:
    tasks = [plan(0, 12, 5), plan(1, 0, 12), plan(2, 1, 5)]
    result = run(tasks, pool=one_pod(1), control=NOTIFY)
    assert (result.started(2)[0], result.started(0)[0]) == (12, 17)


def test_notify_a_task_without_its_slot_goes_when_one_is_usable() -> None:
    tasks = [plan_and_apply(1, 0, 60, 60, 10), plan_and_apply(2, 1, 100, 22, 20)]
    deletion = [{"kind": "pod_deletion", "at": 70, "target": 0}]
    pool = {"min_pods": 0, "max_pods": 2, "initial_pods": 2}
    result = run(tasks, pool=pool, policy=Always(1), faults=deletion, control=NOTIFY)
    assert result.started(1)[1] == 143


def test_notify_a_pod_that_becomes_ready_serves_the_queue() -> None:
    pool = {"min_pods": 1, "max_pods": 1, "initial_pods": 0, "pod_startup": 33}
    assert run([plan(1, 0, 5)], policy=Always(1), pool=pool, control=NOTIFY).started(1)[0] == 38
