"""What holds in every run, whatever the scenario."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import given

import sim
from sim.engine.entities import IDLE, RESERVED, RUNNING, EngineTask
from sim.engine.pool import EnginePool
from sim.engine.run import simulate
from sim.engine.tasks import EngineTasks
from sim.experiment.named_policies import named_policies
from sim.runs.codes import APPLIED, APPLY_PENDING, APPLYING, FAILED, PENDING, PLANNED, PLANNING
from sim.runs.time import NEVER
from sim.scenario import Scenario
from sim.world.platform import settings_of
from sim.world.world import World

from support import assert_same_records, scenarios


@given(scenarios())
def test_things_happen_in_their_order(scenario: Scenario) -> None:
    tasks = sim.run(scenario).tasks
    times = [
        f"{what}_at" for what in ("arrived", "plan_started", "plan_ended", "confirmed", "apply_started", "apply_ended")
    ]
    for earlier, later in pairwise(times):
        assert (tasks[earlier].fillna(np.inf) <= tasks[later].fillna(np.inf)).all()
    assert not (tasks[times] >= scenario.horizon).any(axis=None)
    assert (tasks.apply_started_at.isna() | (tasks.apply_started_at >= tasks.confirmed_at)).all()


@given(scenarios())
def test_every_task_that_arrived_is_there_once_and_in_a_state_that_fits_its_times(scenario: Scenario) -> None:
    tasks = sim.run(scenario).tasks
    assert not tasks.duplicated(["policy", "replication", "task_id"]).any()
    final = tasks.state.isin(["planned", "applied", "failed"])
    in_flight = tasks.state.isin(["pending", "planning", "apply_pending", "applying"])
    assert (final ^ in_flight).all()
    assert ((tasks.state == "pending") == tasks.plan_started_at.isna()).all()
    assert (tasks[tasks.state == "applied"].apply_ended_at.notna()).all()
    assert (tasks[tasks.type == "plan"].confirmed_at.isna()).all()


@given(scenarios(guarded=True))
def test_waits_are_those_of_the_times(scenario: Scenario) -> None:
    tasks = sim.run(scenario).tasks
    expected = tasks.apply_started_at.fillna(scenario.horizon) - tasks.confirmed_at
    pd.testing.assert_series_equal(tasks.apply_wait, expected, check_names=False, check_exact=True)
    assert (tasks.censored == (tasks.confirmed_at.notna() & tasks.apply_started_at.isna())).all()


@given(scenarios())
def test_pod_seconds_are_the_sum_of_the_pods_lives_and_decisions_explain_their_number(scenario: Scenario) -> None:
    result = sim.run(scenario)
    for label in result.labels:
        pods = result.pods[result.pods.policy == label]
        figures = result.summary["policies"][label]
        lives = pods.deleted_at.fillna(scenario.horizon) - pods.created_at
        assert figures["pod_seconds"]["value"] == lives.sum()
        assert (lives >= 0).all()
        assert pods.pod.tolist() == list(range(len(pods)))
        decisions = result.decisions[result.decisions.policy == label]
        made = (decisions.pods_after - decisions.pods_before).clip(lower=0).sum()
        gone = (decisions.pods_before - decisions.pods_after).clip(lower=0).sum()
        assert made == len(pods) - scenario.pool.pods_at_start
        assert gone == (pods.deleted_by == "autoscaler").sum()
        assert figures["peak_pods"]["value"] <= scenario.pool.max_pods


@given(scenarios(guarded=True))
def test_what_happens_under_a_policy_does_not_depend_on_which_others_run(scenario: Scenario) -> None:
    together = sim.run(scenario)
    for label in together.labels:
        alone = sim.run(scenario, [label])
        for name in ("tasks", "pods", "decisions"):
            rows = getattr(together, name)
            rows = rows[rows.policy == label].reset_index(drop=True)
            pd.testing.assert_frame_equal(rows, getattr(alone, name), check_exact=True)


@given(scenarios(guarded=True))
def test_the_same_scenario_twice_gives_the_same_records(scenario: Scenario) -> None:
    assert_same_records(sim.run(scenario), sim.run(scenario))


@given(scenarios(guarded=True))
def test_slots_and_tasks_agree_and_counters_are_what_one_would_count(scenario: Scenario) -> None:
    """Looks at every tick, and inside: no slot holds two tasks, no task is in two slots, no counter is off."""

    class Auditor:
        def desired_pods(self, view: sim.PoolView) -> int:
            audit(view)
            return 1 + int(view.time) % scenario.pool.max_pods

    parts: dict[type, object] = {}
    arrived: list[EngineTask] = []
    originals = {kind: kind.__init__ for kind in (EnginePool, EngineTasks)}
    arrive = EngineTasks.arrive

    def arriving(self: EngineTasks, task: EngineTask, now: int) -> bool:
        arrived.append(task)
        return arrive(self, task, now)

    def audit(view: sim.PoolView) -> None:
        pool, tasks = parts[EnginePool], parts[EngineTasks]
        assert isinstance(pool, EnginePool)
        assert isinstance(tasks, EngineTasks)
        slots = [slot for pod in pool.pods.values() for slot in pod.slots]
        by_state = defaultdict(list)
        for slot in slots:
            by_state[slot.state].append(slot)
            assert (slot.task is None) == (slot.state == IDLE)
            assert bool(slot.pod.idle & slot.bit) == (slot.state == IDLE)
            if slot.task is not None:
                assert slot.task.slot is slot
                assert slot.task.state in ((PLANNING, APPLYING) if slot.state == RUNNING else (APPLY_PENDING,))
                assert slot.takes_apply or not slot.task.applies
        alive = [task for task in arrived if task.state not in (PLANNED, APPLIED, FAILED)]
        assert pool.in_use == sum(any(slot.state != IDLE for slot in pod.slots) for pod in pool.pods.values())
        assert sum(task.slot is not None for task in alive) == len(by_state[RUNNING]) + len(by_state[RESERVED])
        slotless = [task for task in alive if task.state == APPLY_PENDING and task.slot is None]
        ready = [slot for slot in by_state[IDLE] if slot.pod.is_ready]
        starting = [slot for slot in by_state[IDLE] if not slot.pod.is_ready]
        pending = [task for task in alive if task.state == PENDING]
        first: dict[int, EngineTask] = {}
        oldest: dict[int, EngineTask] = {}
        for task in alive:
            oldest.setdefault(task.workspace, task)
            if task.applies:
                first.setdefault(task.workspace, task)
        assert view == sim.PoolView(
            time=view.time, min_pods=view.min_pods, max_pods=view.max_pods, initial_pods=view.initial_pods,
            dispatch_retry=view.dispatch_retry,
            slots_per_pod=view.slots_per_pod, apply_slots=view.apply_slots, pods=len(pool.pods),
            starting_pods=sum(not pod.is_ready for pod in pool.pods.values()), slots=len(slots),
            running=len(by_state[RUNNING]), reserved=len(by_state[RESERVED]), idle=len(by_state[IDLE]),
            idle_ready=len(ready), idle_starting=len(starting),
            idle_apply_ready=sum(slot.takes_apply for slot in ready),
            idle_apply_starting=sum(slot.takes_apply for slot in starting),
            pending=len(pending), eligible_plan=sum(not task.applies for task in pending),
            eligible_plan_and_apply=sum(first.get(task.workspace) is task for task in pending),
            slotless=len(slotless), slotless_confirmed=sum(task.confirmed_at != NEVER for task in slotless),
            running_pods=sum(any(s.state == RUNNING for s in pod.slots) for pod in pool.pods.values()),
            occupied_pods=pool.in_use, draining_pods=0,
            unblocked=sum(oldest.get(task.workspace) is task for task in pending),
            unblocked_plan_and_apply=sum(oldest.get(task.workspace) is task for task in pending if task.applies),
            apply_pending=sum(task.state == APPLY_PENDING for task in alive), apply_pending_elsewhere=0,
        )  # fmt: skip

    def watch(kind: type) -> None:
        def init(self: object, *args: object, **kwargs: object) -> None:
            parts[kind] = self
            originals[kind](self, *args, **kwargs)

        kind.__init__ = init  # type: ignore[misc]

    for kind in originals:
        watch(kind)
    EngineTasks.arrive = arriving  # type: ignore[method-assign]
    try:
        named = named_policies(scenario, [Auditor])[0]
        record = simulate(settings_of(scenario), World(scenario, 0).inputs(), [named.policy])
    finally:
        EngineTasks.arrive = arrive  # type: ignore[method-assign]
        for kind, init in originals.items():
            kind.__init__ = init  # type: ignore[misc]
    states = {task.index: task.state for task in arrived}
    assert dict(zip(record.tasks["index"].tolist(), record.tasks["state"].tolist(), strict=True)) == states


# With all rules on, from the records alone.


@given(scenarios(guarded=True, every=True))
def test_every_task_that_arrived_is_final_or_in_flight_by_type_and_pool(scenario: Scenario) -> None:
    result = sim.run(scenario)
    assert scenario.workload.tasks is not None
    kinds = {str(task.id): (task.type, task.pool) for task in scenario.workload.tasks}
    for _, tasks in result.tasks.groupby("policy"):
        assert not tasks.task_id.duplicated().any()
        assert [kinds[str(task.task_id)] for task in tasks.itertuples()] == list(
            zip(tasks.type, tasks.pool, strict=True)
        )
        assert (tasks.ended_at.notna() == tasks.state.isin(ENDED)).all()
        assert tasks.state.isin(ENDED | IN_FLIGHT).all()
        assert (tasks.type[tasks.state.isin(["applied", "discarded", "planned_and_finished"])] != "plan").all()


@given(scenarios(guarded=True, every=True))
def test_there_are_never_more_pods_than_the_quota_and_never_more_that_count_than_max_pods(scenario: Scenario) -> None:
    result = sim.run(scenario)
    for _, pods in result.pods.groupby("policy"):
        assert _most_at_once(pods.created_at, pods.deleted_at) <= (scenario.quota or np.inf)
        for name, mine in pods.groupby("pool"):
            counted_until = mine.draining_at.fillna(mine.deleted_at)
            assert _most_at_once(mine.created_at, counted_until) <= scenario.all_pools[name].max_pods


@given(scenarios(guarded=True, every=True))
def test_tasks_run_on_pods_of_their_pool_one_at_a_time_and_on_draining_ones_only_reserved_applies(
    scenario: Scenario,
) -> None:
    result = sim.run(scenario)
    for label in result.labels:
        pods = {(pod.pool, pod.pod): pod for pod in result.pods[result.pods.policy == label].itertuples()}
        held = result.reservations[result.reservations.policy == label]
        slots = defaultdict(list)
        for task in result.tasks[result.tasks.policy == label].itertuples():
            for phase in ("plan", "apply"):
                began, slot = getattr(task, f"{phase}_started_at"), getattr(task, f"{phase}_slot")
                if task.execution_mode != "k8s" or np.isnan(began):
                    continue
                pod = pods[task.pool, getattr(task, f"{phase}_pod")]
                ended = np.fmin(getattr(task, f"{phase}_ended_at"), task.ended_at)
                assert pod.ready_at <= began
                assert not ended > pod.deleted_at
                slots[task.pool, pod.pod, slot].append((began, ended))
                if began > pod.draining_at:
                    own = held[(held.task_id == task.task_id) & (held.pod == pod.pod) & (held.slot == slot)]
                    assert phase == "apply"
                    assert (own.released_at == began).any()
        for reservation in held.itertuples():
            key = reservation.pool, reservation.pod, reservation.slot
            slots[key].append((reservation.reserved_at, reservation.released_at))
        for used in slots.values():
            # What has not ended (NaN) sorts last among spans that began in the same instant.
            spans = sorted((began, np.inf if np.isnan(ended) else ended) for began, ended in used)
            for (_, ended), (began, _) in pairwise(spans):
                assert ended <= began


@given(scenarios(guarded=True, every=True))
def test_with_all_rules_on_the_same_scenario_gives_the_same_records(scenario: Scenario) -> None:
    assert_same_records(sim.run(scenario), sim.run(scenario))


ENDED = {"planned", "applied", "failed", "planned_and_finished", "errored", "discarded", "canceled"}
IN_FLIGHT = {"pending", "planning", "apply_pending", "applying"}


def _most_at_once(begins: pd.Series, ends: pd.Series) -> int:
    """How many spans there are at once; where one ends as another begins, that made room."""
    steps = sorted([*((at, 1) for at in begins), *((at, -1) for at in ends.dropna())])
    return max(np.cumsum([step for _, step in steps]), default=0)
