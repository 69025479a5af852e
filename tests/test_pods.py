"""Where tasks are put, and how pods go: placement, draining, single use, lost plans (model.md, 1 to 4), to the second."""

from __future__ import annotations

from typing import Any

import pytest

import sim
from sim.experiment.engine_choice import implementation_for

from support import Always, Script, outcome, plan, plan_and_apply, run, scenario


def on_model(tasks: list[dict[str, Any]], policy: Any, **parts: Any) -> Any:
    """Run with the SimPy model, which alone knows these rules."""
    return run(tasks, policy, engine="simpy", **parts)


# apply_placement and placement


def test_with_any_slot_every_slot_takes_a_plan_and_apply_but_a_pod_only_so_many() -> None:
    tasks = [plan(1, 0, 100), plan_and_apply(2, 1, 10, 20, 10), plan_and_apply(3, 2, 10, 20, 10), plan(4, 3, 100)]
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 4, "apply_slots": 1, "apply_placement": "any_slot"}
    found = run(tasks, Always(1), pool=pool, horizon=600)
    assert [found.tasks[n].plan_slot for n in (1, 2, 4)] == [0, 1, 2]
    # Slot 3 is idle, but task 2 runs and then is reserved: its apply ends at 41, and the next retry of task 3 is at 42.
    assert found.tasks[3].plan_started_at == 42


def test_with_any_slot_an_idle_apply_slot_is_a_plan_and_apply_that_the_pod_could_still_take() -> None:
    tasks = [plan_and_apply(1, 0, 100, None, 0), plan(2, 0, 100)]
    pool = {"min_pods": 1, "max_pods": 9, "slots_per_pod": 4, "apply_slots": 2, "apply_placement": "any_slot"}
    script = Script(2)
    run(tasks, script, pool=pool, horizon=12)
    first, second = script.views
    assert (first.idle_apply_ready, first.idle_ready) == (1, 2)
    assert (second.idle_apply_starting, second.idle_starting) == (2, 4)


def test_with_most_idle_the_pod_with_the_most_idle_slots_is_taken_and_of_those_the_oldest() -> None:
    tasks = [plan(n, n, 100) for n in range(4)]
    pool = {"min_pods": 2, "max_pods": 2, "slots_per_pod": 2, "placement": "most_idle"}
    found = on_model(tasks, Always(2), pool=pool, horizon=600)
    assert [(found.tasks[n].plan_pod, found.tasks[n].plan_slot) for n in range(4)] == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_most_idle_counts_all_idle_slots_of_pods_that_have_one_that_fits() -> None:
    # Pod 0 has two idle slots and pod 1 one, but only pod 1 has an idle slot that takes a plan_and_apply.
    tasks = [plan(1, 0, 100), plan_and_apply(2, 1, 100, None, 0), plan_and_apply(3, 2, 1, None, 0)]
    pool = {"min_pods": 2, "max_pods": 2, "slots_per_pod": 3, "apply_slots": 1, "placement": "most_idle"}
    found = on_model(tasks, Always(2), pool=pool, horizon=600)
    assert [found.tasks[n].plan_pod for n in (1, 2)] == [0, 1]
    assert found.tasks[3].plan_started_at == 102  # Both first slots are taken, whatever else is idle.


def test_with_random_placement_the_number_of_the_task_picks_among_the_pods_that_fit() -> None:
    tasks = [plan(n, n, 0.5) for n in range(200)]
    pool = {"min_pods": 4, "max_pods": 4, "slots_per_pod": 1, "placement": "random"}
    experiment = scenario(workload={"tasks": tasks}, pool=pool, seed=3)
    found = outcome(sim.run(experiment, [Always(4)]))
    pods = [int(found.tasks[n].plan_pod) for n in range(200)]
    assert {pod: pods.count(pod) > 25 for pod in range(4)} == dict.fromkeys(range(4), True)
    # The number belongs to the task: without the other tasks it is put on the same pod.
    alone = outcome(sim.run(scenario(workload={"tasks": tasks[7:8]}, pool=pool, seed=3), [Always(4)]))
    assert alone.tasks[7].plan_pod == pods[7]


# scale_down

TWO_BUSY = [plan(1, 0, 100), plan(2, 0, 60)]
DRAIN = {"min_pods": 0, "max_pods": 2, "initial_pods": 2, "slots_per_pod": 1}


def test_by_default_a_busy_pod_is_not_given_back() -> None:
    found = run(TWO_BUSY, Always(0), pool=DRAIN, horizon=600)
    assert [(pod.deleted_at, pod.deleted_by) for pod in found.pods.values()] == [
        (100, "autoscaler"),
        (60, "autoscaler"),
    ]


def test_with_drain_the_newest_busy_pods_go_as_soon_as_their_slots_are_idle() -> None:
    found = on_model(TWO_BUSY, Script(1), pool={**DRAIN, "scale_down": "drain"}, horizon=600)
    first, second = found.pods[0], found.pods[1]
    assert (second.draining_at, second.deleted_at, second.deleted_by) == (5, 60, "drain")
    assert first.deleted_at != first.deleted_at
    assert found.decisions == [(5, 2, 1)]


def test_idle_pods_go_before_any_drains() -> None:
    tasks = [plan(1, 0, 100), plan(2, 0, 60), plan(3, 0, 2)]
    pool = {**DRAIN, "max_pods": 3, "initial_pods": 3, "scale_down": "drain"}
    found = on_model(tasks, Script(2), pool=pool, horizon=600)
    assert (found.pods[2].deleted_at, found.pods[2].deleted_by) == (5, "autoscaler")
    assert found.pods[1].draining_at != found.pods[1].draining_at


def test_a_draining_pod_counts_nowhere_and_takes_no_task() -> None:
    script = Script(1, 1, 2)
    tasks = [*TWO_BUSY, plan(3, 12, 10)]
    found = on_model(tasks, script, pool={**DRAIN, "scale_down": "drain", "pod_startup": 1}, horizon=600)
    assert [(view.pods, view.slots, view.running, view.draining_pods) for view in script.views[:2]] == [
        (2, 2, 2, 0),
        (1, 1, 1, 1),
    ]
    assert found.pods[2].created_at == 15  # There may be two pods beside the draining one.
    assert (found.tasks[3].plan_pod, found.tasks[3].plan_started_at) == (2, 22)


def test_the_idle_slot_of_a_draining_pod_takes_no_task() -> None:
    tasks = [plan(1, 0, 100), plan(2, 0, 20), plan(3, 0, 60), plan(4, 6, 10)]
    pool = {**DRAIN, "slots_per_pod": 2, "scale_down": "drain"}
    found = on_model(tasks, Script(1), pool=pool, horizon=600)
    assert (found.tasks[3].plan_pod, found.pods[1].draining_at) == (1, 5)
    assert (found.tasks[4].plan_pod, found.tasks[4].plan_started_at) == (0, 26)


def test_a_draining_pod_takes_the_apply_that_is_reserved_on_it_and_goes_after_it() -> None:
    tasks = [plan_and_apply(1, 0, 3, 30, 20)]
    found = on_model(tasks, Always(0), pool={**DRAIN, "initial_pods": 1, "scale_down": "drain"}, horizon=600)
    assert (found.tasks[1].apply_started_at, found.tasks[1].apply_pod) == (33, 0)
    assert (found.pods[0].draining_at, found.pods[0].deleted_at) == (5, 53)


def test_a_restart_forgets_what_is_reserved_on_a_draining_pod_which_goes_unless_it_is_restored_at_once() -> None:
    tasks = [plan_and_apply(1, 0, 3, 100, 20)]
    for after, gone in ((0, 123), ("never", 50)):
        restart = [{"kind": "server_restart", "at": 50, "reconcile_after": after}]
        pool = {**DRAIN, "initial_pods": 1, "scale_down": "drain"}
        found = on_model(tasks, Always(0), pool=pool, faults=restart, horizon=600)
        assert (found.pods[0].draining_at, found.pods[0].deleted_at) == (5, gone)


def test_with_kill_the_newest_pods_drain_whatever_they_do_and_are_deleted_after_the_grace() -> None:
    pool = {**DRAIN, "scale_down": "kill", "termination_grace": 30}
    tasks = [plan(1, 0, 100), plan(2, 0, 60), plan(3, 6, 10)]
    found = on_model(tasks, Script(1), pool=pool, horizon=600)
    assert (found.pods[1].draining_at, found.pods[1].deleted_at, found.pods[1].deleted_by) == (5, 35, "kill")
    assert (found.tasks[2].state, found.tasks[2].ended_at) == ("failed", 35)


def test_kill_does_not_prefer_idle_pods() -> None:
    pool = {**DRAIN, "scale_down": "kill", "termination_grace": 30}
    found = on_model([plan(1, 0, 2), plan(2, 0, 60)], Script(1), pool=pool, horizon=600)
    assert found.pods[0].deleted_at != found.pods[0].deleted_at
    assert (found.pods[1].draining_at, found.pods[1].deleted_at) == (5, 35)


def test_what_ends_exactly_when_the_grace_is_over_has_ended() -> None:
    pool = {**DRAIN, "initial_pods": 1, "scale_down": "kill", "termination_grace": 30}
    found = on_model([plan(1, 0, 35)], Always(0), pool=pool, horizon=600)
    assert found.tasks[1].state == "planned"
    assert (found.pods[0].deleted_at, found.pods[0].deleted_by) == (35, "drain")


def test_what_is_reserved_on_a_killed_pod_has_no_slot_any_more() -> None:
    pool = {**DRAIN, "initial_pods": 1, "scale_down": "kill", "termination_grace": 10}
    found = on_model([plan_and_apply(1, 0, 3, 30, 20)], Script(0, 0, 0, 1), pool=pool, horizon=600)
    assert found.pods[0].deleted_at == 15
    assert found.reservations == [(0, 3, 15)]
    assert found.tasks[1].apply_started_at == 53  # Confirmed at 33; the pod made at 20 is ready at 50.


def test_a_draining_pod_is_paid_until_it_is_gone() -> None:
    experiment = scenario(workload={"tasks": TWO_BUSY}, pool={**DRAIN, "scale_down": "drain"}, horizon=600)
    figures = sim.run(experiment, [Always(0)]).summary["policies"]["Always"]
    assert figures["pod_seconds"]["value"] == 160
    assert figures["peak_pods"]["value"] == 2


# ephemeral

SINGLE = {"min_pods": 0, "max_pods": 5, "initial_pods": 1, "slots_per_pod": 1, "ephemeral": True}


def test_an_ephemeral_pod_goes_with_the_plan_that_ran_on_it() -> None:
    found = on_model([plan(1, 0, 30)], Always(1), pool=SINGLE, horizon=600)
    assert (found.pods[0].deleted_at, found.pods[0].deleted_by) == (30, "ephemeral")


def test_an_ephemeral_pod_stays_for_the_apply_and_goes_with_it() -> None:
    found = on_model([plan_and_apply(1, 0, 30, 20, 10)], Always(1), pool=SINGLE, horizon=600)
    assert found.pods[0].deleted_at == 60


def test_an_ephemeral_pod_goes_when_its_reservation_is_too_old_or_its_task_discarded() -> None:
    task = plan_and_apply(1, 0, 30, 100, 10)
    found = on_model([task], Always(1), pool={**SINGLE, "reservation_ttl": 25}, horizon=600)
    assert found.pods[0].deleted_at == 55
    found = on_model([{**task, "decision": "discard"}], Always(1), pool=SINGLE, horizon=600)
    assert found.pods[0].deleted_at == 130


def test_that_the_server_forgets_a_reservation_does_not_delete_an_ephemeral_pod() -> None:
    restart = [{"kind": "server_restart", "at": 40, "reconcile_after": "never"}]
    tasks = [plan_and_apply(1, 0, 30, 300, 10), plan(2, 50, 10)]
    found = on_model(tasks, Always(1), pool=SINGLE, faults=restart, horizon=200)
    assert found.tasks[2].plan_pod == 0
    assert found.pods[0].deleted_at == 60


def test_an_ephemeral_pod_with_several_slots_is_refused() -> None:
    with pytest.raises(ValueError, match="slots_per_pod: 1"):
        scenario(workload={"tasks": [plan(1, 0, 1)]}, pool={"ephemeral": True, "slots_per_pod": 2})


# on_pod_loss


def test_with_requeue_a_plan_whose_pod_is_lost_is_pending_again_and_gets_an_attempt_at_once() -> None:
    deletion = [{"kind": "pod_deletion", "at": 25, "target": 0}]
    pool = {"min_pods": 2, "max_pods": 2, "slots_per_pod": 1, "on_pod_loss": "requeue"}
    tasks = [plan(1, 0, 60), plan(2, 0, 40)]
    found = on_model(tasks, Always(2), pool=pool, faults=deletion, horizon=600)
    # Pod 1 is busy up to 40, and the retries of task 1 count from 25.
    assert (found.tasks[1].state, found.tasks[1].plan_started_at, found.tasks[1].ended_at) == ("planned", 45, 105)
    assert found.tasks[1].plan_wait == 20  # 0 before the first plan, and 20 before the second.


def test_with_requeue_an_apply_whose_pod_is_lost_fails_all_the_same() -> None:
    deletion = [{"kind": "pod_deletion", "at": 25, "target": 0}]
    pool = {"min_pods": 2, "max_pods": 2, "slots_per_pod": 1, "on_pod_loss": "requeue"}
    found = on_model([plan_and_apply(1, 0, 10, 5, 60)], Always(2), pool=pool, faults=deletion, horizon=600)
    assert (found.tasks[1].state, found.tasks[1].ended_at) == ("failed", 25)


# view_delay and queue_order


def test_with_a_view_delay_the_policy_sees_what_it_would_have_seen_at_the_latest_tick_so_long_ago() -> None:
    script = Script(1)
    tasks = [plan(n, n, 100) for n in (0, 6, 11)]
    pool = {"min_pods": 1, "max_pods": 1, "slots_per_pod": 4}
    on_model(tasks, script, pool=pool, control={"view_delay": 7}, horizon=26)
    assert [(view.time, view.running) for view in script.views] == [(5, 0), (10, 0), (15, 1), (20, 2), (25, 3)]


def test_before_the_first_tick_so_long_ago_it_sees_the_pool_at_time_0() -> None:
    script = Script(4)
    pool = {"min_pods": 2, "max_pods": 9}
    on_model([plan(1, 0, 100)], script, pool=pool, control={"view_delay": 60}, horizon=21)
    assert {(view.pods, view.pending, view.running) for view in script.views} == {(2, 0, 0)}
    assert [view.time for view in script.views] == [5, 10, 15, 20]


def test_with_applies_first_confirmed_tasks_stand_before_all_others() -> None:
    deletion = [{"kind": "pod_deletion", "at": 15, "target": "reserved"}]
    tasks = [plan_and_apply(1, 0, 10, 30, 10), plan(2, 0, 100), plan(3, 20, 10)]
    pool = {"min_pods": 1, "max_pods": 2, "initial_pods": 2, "slots_per_pod": 1}
    for order, first in (("eligible", 3), ("applies_first", 1)):
        control = {"dispatch": "notify", "queue_order": order}
        found = on_model(tasks, Always(1), pool=pool, faults=deletion, control=control, horizon=600)
        started = {1: found.tasks[1].apply_started_at, 3: found.tasks[3].plan_started_at}
        assert min(started, key=lambda task: started[task]) == first
        assert sorted(started.values()) == [100, 110]


def test_applies_first_needs_a_queue() -> None:
    with pytest.raises(ValueError, match="dispatch: notify"):
        scenario(workload={"tasks": [plan(1, 0, 1)]}, control={"queue_order": "applies_first"})


def test_the_engine_says_what_it_leaves_to_the_model() -> None:
    experiment = scenario(workload={"tasks": TWO_BUSY}, pool={**DRAIN, "scale_down": "drain"})
    with pytest.raises(sim.InputError, match="scale_down: drain runs in the SimPy model only"):
        sim.run(experiment, engine="fast")
    assert implementation_for("auto", experiment, policies=2) == "simpy"
