"""SimPy processes of one's own, added to the model: new kinds of faults and of traffic, and probes."""

from __future__ import annotations

from typing import Any

import pytest
from simpy.events import ProcessGenerator

import sim
from sim.model import SECOND, OwnProcess, Platform, PlatformEnvironment, delete_pod, silence_pod, target
from sim.runs.errors import IllegalMoveError

from support import Always, outcome, plan, plan_and_apply, scenario

POOL = {"min_pods": 2, "max_pods": 2}


def eviction(env: PlatformEnvironment, platform: Platform) -> ProcessGenerator:
    """Every 20 s the oldest pod that holds a reservation is evicted."""
    while True:
        yield env.timeout(20 * SECOND)
        pod = target(platform, "reserved", 0.0)
        if pod is not None:
            delete_pod(platform, pod)


def test_a_new_kind_of_fault() -> None:
    experiment = scenario(workload={"tasks": [plan_and_apply(1, 0, 15, 30, 5)]}, pool=POOL, horizon=100)
    result = sim.run(experiment, [Always(2)], processes=[eviction])
    assert result.implementation == "simpy"
    found = outcome(result)
    assert (found.pods[0].deleted_at, found.pods[0].deleted_by) == (20, "pod_deletion")
    assert found.started(1) == (0, 45)
    assert outcome(sim.run(experiment, [Always(2)])).pods[0].deleted_at != 20


def test_it_meets_every_policy_in_every_replication() -> None:
    experiment = scenario(workload={"tasks": [plan_and_apply(1, 0, 15, 30, 5)]}, pool=POOL, replications=2)
    pods = sim.run(experiment, ["old", "fixed"], processes=[eviction]).pods
    assert pods[pods.deleted_by == "pod_deletion"].groupby(["policy", "replication"]).size().tolist() == [1] * 4


def rush(env: PlatformEnvironment, platform: Platform) -> ProcessGenerator:
    """At 50 s three plans and one plan_and_apply arrive at once."""
    yield env.timeout(50 * SECOND)
    for _ in range(3):
        platform.submit(plan=10 * SECOND)
    platform.submit(plan=10 * SECOND, confirm=20 * SECOND, apply=5 * SECOND)


@pytest.mark.parametrize(
    ("ids", "expected"), [((7,), [7, 8, 9, 10, 11]), (("a",), ["a", *(f"submitted-{n}" for n in (1, 2, 3, 4))])]
)
def test_a_new_kind_of_traffic(ids: tuple[int | str, ...], expected: list[int | str]) -> None:
    listed = [{**plan(1, 0, 5), "id": each} for each in ids]
    result = sim.run(scenario(workload={"tasks": listed}, pool=POOL), [Always(2)], processes=[rush])
    assert result.tasks.task_id.tolist() == expected
    assert result.tasks.workspace.tolist() == ["ws-1", *(f"submitted-{n}" for n in (1, 2, 3, 4))]
    assert result.tasks.plan_started_at.tolist() == [0, 50, 50, 50, 50]
    assert result.tasks.apply_started_at.iloc[4] == 80


def test_a_new_kind_of_traffic_beside_generated_tasks() -> None:
    arrivals = {"process": "deterministic", "rate": "1/m", "plan": 5}
    tasks = sim.run(scenario(workload={"arrivals": arrivals}, horizon="3m"), ["static"], processes=[rush]).tasks
    assert tasks.task_id.tolist() == [0, 1, 2, 3, 4, 5]
    assert tasks.arrived_at.tolist() == [60, 120, 50, 50, 50, 50]


def test_a_probe_changes_nothing_and_sees_what_there_is() -> None:
    seen = []

    def probe(env: PlatformEnvironment, platform: Platform) -> ProcessGenerator:
        while True:
            yield env.timeout(10 * SECOND)
            seen.append((env.now // SECOND, platform.pool.count("running"), platform.pool.count("reserved")))

    experiment = scenario(workload={"tasks": [plan_and_apply(1, 0, 15, 12, 5)]}, pool=POOL, horizon=41)
    result = sim.run(experiment, [Always(2)], processes=[probe])
    assert seen == [(10, 1, 0), (20, 0, 1), (30, 1, 0), (40, 0, 0)]
    assert result.tasks.equals(sim.run(experiment, [Always(2)]).tasks)


def test_a_silent_pod_and_a_restart_of_ones_own() -> None:
    def trouble(env: PlatformEnvironment, platform: Platform) -> ProcessGenerator:
        yield env.timeout(20 * SECOND)
        silence_pod(platform, platform.pool.pods[0], 30 * SECOND)
        yield env.timeout(60 * SECOND)
        env.process(platform.server.restart(10 * SECOND, 0, "survive"))

    tasks = [plan_and_apply(1, 0, 15, 10, 5), plan(2, 85, 5)]
    found = outcome(sim.run(scenario(workload={"tasks": tasks}, pool=POOL), [Always(2)], processes=[trouble]))
    assert found.started(1) == (0, 55)  # confirmed at 25, when its pod is silent: it asks at 35, 45 and 55
    assert found.started(2)[0] == 90


def test_its_random_numbers_are_the_same_for_every_policy_and_others_in_every_replication() -> None:
    drawn: list[float] = []

    def gambler(env: PlatformEnvironment, platform: Platform) -> ProcessGenerator:
        drawn.append(platform.numbers_for("gambler").random())
        drawn.append(platform.numbers_for("another").random())
        yield env.timeout(0)

    sim.run(scenario(workload={"tasks": [plan(1, 0, 5)]}, replications=2), ["old", "fixed"], processes=[gambler])
    assert drawn[:2] == drawn[2:4]
    assert drawn[4:6] == drawn[6:8]
    assert len(set(drawn)) == 4


def test_the_engine_cannot_run_it_and_says_so() -> None:
    with pytest.raises(sim.InputError, match="engine: found 'fast', expected 'auto' or 'simpy'"):
        sim.run(scenario(workload={"tasks": [plan(1, 0, 5)]}), processes=[rush], engine="fast")


def test_in_worker_processes_it_gives_the_same() -> None:
    experiment = scenario(workload={"tasks": [plan_and_apply(1, 0, 15, 30, 5)]}, pool=POOL, replications=3)
    one, two = (sim.run(experiment, ["old"], processes=[eviction], jobs=jobs) for jobs in (1, 2))
    assert one.pods.equals(two.pods)


def misuse(what: str) -> OwnProcess:
    def process(env: PlatformEnvironment, platform: Platform) -> ProcessGenerator:
        pod = platform.pool.pods[0]
        yield env.timeout(SECOND)
        if what == "twice":
            delete_pod(platform, pod)
            delete_pod(platform, pod)
        elif what == "silent":
            delete_pod(platform, pod)
            silence_pod(platform, pod, SECOND)
        elif what == "confirm":
            platform.submit(plan=5 * SECOND, confirm=5 * SECOND)
        elif what == "text":
            platform.submit(plan="5")  # type: ignore[arg-type]
        else:
            yield env.process(platform.server.restart(0, 0, what))  # type: ignore[arg-type]

    return process


def no_generator(env: PlatformEnvironment, platform: Platform) -> None:
    pass


@pytest.mark.parametrize(
    ("process", "error", "found"),
    [
        (misuse("twice"), IllegalMoveError, "nothing can happen to pod 0, which is gone"),
        (misuse("silent"), IllegalMoveError, "nothing can happen to pod 0, which is gone"),
        (misuse("confirm"), ValueError, "is not confirmed: give it an apply"),
        (misuse("text"), TypeError, "str"),
        (misuse("FAIL"), ValueError, "running_tasks is 'FAIL', expected 'survive' or 'fail'"),
        (no_generator, TypeError, "the process no_generator is no generator"),
    ],
)
def test_what_makes_no_sense_is_an_error_that_says_so(process: Any, error: type[Exception], found: str) -> None:
    with pytest.raises(error, match=found):
        sim.run(scenario(workload={"tasks": [plan(1, 0, 5)]}), processes=[process])
