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
        first = {}
        for task in alive:
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
        record = simulate(settings_of(scenario), World(scenario, 0).inputs(), named.policy)
    finally:
        EngineTasks.arrive = arrive  # type: ignore[method-assign]
        for kind, init in originals.items():
            kind.__init__ = init  # type: ignore[misc]
    states = {task.index: task.state for task in arrived}
    assert dict(zip(record.tasks["index"].tolist(), record.tasks["state"].tolist(), strict=True)) == states
