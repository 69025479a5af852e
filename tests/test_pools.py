"""Several pools: own settings, own policies, one quota, one server (model.md, 1, 3 and 4), to the second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sim
from sim.check.threshold_verdict import judge
from sim.check.thresholds import thresholds_of
from sim.world.world import World

from support import Always, Script, outcome, plan, plan_and_apply, run, scenario

SMALL = {"min_pods": 1, "max_pods": 3, "slots_per_pod": 1, "apply_slots": 1, "pod_startup": 4}


class Counting:
    """Wants one pod more at each tick; each pool has a copy of its own."""

    def __init__(self) -> None:
        self.ticks = 0

    def desired_pods(self, view: object) -> int:
        self.ticks += 1
        return self.ticks


def test_a_task_runs_on_the_pods_of_its_pool_alone() -> None:
    tasks = [
        {**plan(1, 0, 100), "pool": "apps"},
        {**plan(2, 1, 10), "pool": "apps"},
        {**plan(3, 1, 10), "pool": "infra"},
    ]
    found = run(tasks, Always(1), pools={"apps": SMALL, "infra": SMALL}, horizon=600)
    assert [found.tasks[n].plan_started_at for n in (1, 2, 3)] == [0, 101, 1]
    assert found.tasks[3].pool == "infra"


def test_the_first_pool_is_that_of_tasks_and_faults_that_name_none() -> None:
    deletion = [{"kind": "pod_deletion", "at": 3, "target": "any"}]
    tasks = [plan(1, 0, 100), {**plan(2, 0, 100), "pool": "infra"}]
    found = run(tasks, Always(1), pools={"apps": SMALL, "infra": SMALL}, faults=deletion, horizon=50)
    assert (found.tasks[1].pool, found.tasks[1].state, found.tasks[2].state) == ("apps", "failed", "planning")


def test_a_fault_strikes_in_the_pool_that_it_names() -> None:
    deletion = [{"kind": "pod_deletion", "at": 3, "target": "any", "pool": "infra"}]
    tasks = [plan(1, 0, 100), {**plan(2, 0, 100), "pool": "infra"}]
    found = run(tasks, Always(1), pools={"apps": SMALL, "infra": SMALL}, faults=deletion, horizon=50)
    assert (found.tasks[1].state, found.tasks[2].state) == ("planning", "failed")


def test_each_pool_has_its_own_settings_numbers_of_pods_and_copy_of_the_policy() -> None:
    pools = {"apps": SMALL, "infra": {**SMALL, "max_pods": 2, "slots_per_pod": 2, "pod_startup": 1}}
    experiment = scenario(workload={"tasks": [plan(1, 0, 100)]}, pools=pools, horizon=16)
    for engine in ("simpy", "fast"):
        pods = sim.run(experiment, [Counting()], engine=engine).pods
        rows = pods[["pool", "pod", "created_at", "ready_at"]].fillna(-1).to_numpy().tolist()
        assert rows == [
            ["apps", 0, 0, 0],
            ["apps", 1, 10, 14],
            ["apps", 2, 15, -1],
            ["infra", 0, 0, 0],
            ["infra", 1, 10, 11],
        ]


def test_pods_beyond_the_quota_are_not_made_and_pools_come_in_the_order_of_the_file() -> None:
    experiment = scenario(workload={"tasks": [plan(1, 0, 100)]}, pools={"b": SMALL, "a": SMALL}, quota=4, horizon=21)
    for engine in ("simpy", "fast"):
        pods = sim.run(experiment, [Counting()], engine=engine).pods
        assert pods[["pool", "created_at"]].to_numpy().tolist() == [["b", 0], ["b", 10], ["a", 0], ["a", 10]]


def test_draining_pods_count_for_the_quota() -> None:
    pool = {**SMALL, "min_pods": 0, "initial_pods": 1, "scale_down": "drain"}
    found = run([plan(1, 0, 22)], Script(0, 1), pool=pool, quota=1, horizon=60, engine="simpy")
    assert [(pod.created_at, pod.draining_at) for pod in list(found.pods.values())[:1]] == [(0, 5)]
    assert found.pods[1].created_at == 25


def test_a_workspace_is_locked_across_pools() -> None:
    tasks = [plan_and_apply(1, 0, 10, 10, 10, "a"), {**plan_and_apply(2, 1, 10, 10, 10, "a"), "pool": "infra"}]
    found = run(tasks, Always(1), pools={"apps": SMALL, "infra": SMALL}, horizon=600)
    assert found.tasks[2].plan_started_at == 30


def test_what_a_policy_sees_is_its_own_pool() -> None:
    script = Script(1)
    tasks = [plan(1, 0, 100), plan(2, 0, 100), {**plan_and_apply(3, 0, 100, None, 0), "pool": "infra"}]
    experiment = scenario(workload={"tasks": tasks}, pools={"apps": SMALL, "infra": SMALL}, horizon=8)
    sim.run(experiment, [script], engine="simpy")
    assert [(view.running, view.pending) for view in script.views[-2:]] == [(1, 1), (1, 0)]


def test_figures_thresholds_and_the_summary_are_there_for_each_pool() -> None:
    tasks = [plan(1, 0, 100), plan(2, 0, 10), {**plan(3, 0, 10), "pool": "infra"}]
    experiment = scenario(
        workload={"tasks": tasks}, pools={"apps": SMALL, "infra": SMALL}, policies=["static"], horizon=600,
        thresholds=["static: pools.infra.plan_wait.max <= 0s", "static: pools.apps.plan_wait.max <= 0s"],
    )  # fmt: skip
    result = sim.run(experiment)
    figures = result.summary["policies"]["static"]
    assert figures["tasks"]["value"] == 3
    assert {name: each["tasks"]["value"] for name, each in figures["pools"].items()} == {"apps": 2, "infra": 1}
    assert figures["pod_seconds"]["value"] == 1200
    assert figures["pools"]["infra"]["pod_seconds"]["value"] == 600
    assert figures["pools"]["apps"]["plan_wait"]["max"]["value"] == 100
    thresholds = thresholds_of(experiment, result.labels)
    verdicts = [judge(each, result.measured, 0.95, result.worlds).verdict for each in thresholds]
    assert verdicts == ["passed", "failed"]


def test_a_single_pool_is_a_pool_called_default() -> None:
    tasks = {"tasks": [plan(1, 0, 100)]}
    one = sim.run(scenario(workload=tasks, pool={**SMALL, "pod_startup": {"dist": "exponential", "mean": 9}}))
    two = sim.run(
        scenario(workload=tasks, pools={"default": {**SMALL, "pod_startup": {"dist": "exponential", "mean": 9}}})
    )
    assert one.pods.equals(two.pods)
    assert set(one.tasks.pool) == {"default"}
    assert "pools" not in two.summary["policies"]["static"]


def test_a_single_pool_with_a_name_has_figures_of_its_own() -> None:
    result = sim.run(scenario(pools={"infra": {}}, policies=["old"], workload={"tasks": [plan(1, 0, 1)]}, horizon=60))
    assert result.summary["policies"]["old"]["pools"]["infra"]["tasks"]["value"] == 1


def test_a_pool_more_changes_nothing_random_of_the_others() -> None:
    startup = {"dist": "exponential", "mean": 60}
    block = {
        "process": "poisson", "rate": "60/h", "plan_and_apply_share": 0.5, "plan": {"dist": "exponential", "mean": 60},
        "workspaces": 5, "confirm": 60, "apply": 60,
    }  # fmt: skip
    one = scenario(workload={"arrivals": block}, pools={"apps": {**SMALL, "pod_startup": startup}})
    two = scenario(
        workload={"arrivals": [block, {**block, "pool": "infra"}]},
        pools={"apps": {**SMALL, "pod_startup": startup}, "infra": SMALL},
    )
    alone, both = World(one, 0), World(two, 0)
    mine = both.tasks.pool == 0
    for column in ("arrive", "plan", "applies", "workspace"):
        assert (getattr(both.tasks, column)[mine] == getattr(alone.tasks, column)).all()
    assert not set(both.tasks.workspace[mine]) & set(both.tasks.workspace[~mine])
    startups = [[world.inputs().pods[0].startup(n) for n in range(9)] for world in (alone, both)]
    assert startups[0] == startups[1]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"pools": {"a": {}}, "pool": {"max_pods": 3}}, "a pool or pools, and not both"),
        ({"pools": {}}, "at least one"),
        ({"pools": {"a.b": {}}}, "names of letters"),
        ({"pools": {"a": {"initial_pods": 2}, "b": {}}, "quota": 2}, r"at least the pods .* at the start \(3\)"),
        ({"pools": {"a": {}}, "faults": [{"kind": "pod_deletion", "at": 1, "target": 0, "pool": "b"}]}, "the pools: a"),
        ({"workload": {"tasks": [{**plan(1, 0, 1), "pool": "x"}]}}, "one of the pools: default"),
    ],
)
def test_what_does_not_fit_is_refused(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scenario(**{"workload": {"tasks": [plan(1, 0, 1)]}, **parts})


# Faults from a recording

RECORDED = "at,kind,pod,target,pool,duration\n40,pod_deletion,0,,b,\n30s,pod_offline,,any,,20\n10,server_restart,,,,5\n"


def recorded(folder: Path, text: str = RECORDED, more: str = "") -> sim.Scenario:
    (folder / "incidents.csv").write_text(text)
    (folder / "x.yaml").write_text(
        f"name: x\nhorizon: 1h\npools: {{a: {{}}, b: {{}}}}\nfaults:\n  - {{file: incidents.csv{more}}}\n"
        "workload:\n  tasks: [{id: 1, type: plan, workspace: w, arrive: 0, plan: 1}]\npolicies: [static]\n"
    )
    return sim.load_scenario(folder / "x.yaml")


def test_faults_from_a_recording_strike_when_it_says(tmp_path: Path) -> None:
    found = sim.run(recorded(tmp_path)).incidents
    rows = found[["time", "until", "kind", "pool", "pod"]].astype(object).where(found.notna(), None)
    assert rows.to_numpy().tolist() == [
        [10, 15, "server_restart", None, None],
        [30, 50, "pod_offline", "a", 0],
        [40, 40, "pod_deletion", "b", 0],
    ]


def test_what_a_row_does_not_say_is_as_the_scenario_says(tmp_path: Path) -> None:
    found = sim.run(recorded(tmp_path, "at\n10\n20\n", ", kind: pod_deletion, target: any, pool: b")).incidents
    assert found[["time", "kind", "pool"]].to_numpy().tolist() == [[10, "pod_deletion", "b"]] * 1 + [
        [20, "pod_deletion", "b"]
    ] * (len(found) - 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("at,kind\n5,pod_delete\n", "incidents.csv:2: kind: found 'pod_delete', expected one of pod_deletion"),
        ("at,kind\nx,server_restart\n", "incidents.csv:2: at: found 'x', expected seconds"),
        (
            "at,kind\n5,pod_deletion\n",
            "incidents.csv:2: target: found nothing, said beside the file, expected what pod",
        ),
        ("at,kind,pod\n5,pod_deletion,abc\n", "incidents.csv:2: pod: found 'abc', expected the number of a pod"),
        (
            "at,kind,pod,target\n5,pod_deletion,0,any\n",
            "incidents.csv:2: target: found 'any', expected none, as the row",
        ),
        ("", "incidents.csv: found no rows, expected a fault in each row"),
        (
            "kind\nserver_restart\n",
            "incidents.csv: found the columns 'kind', expected a fault in each row, with a column at",
        ),
        ("at,at,kind\n5,6,server_restart\n", "incidents.csv:1: at: found the column twice, expected it once"),
        ("at,kind,who\n5,server_restart,me\n", "incidents.csv:2: who: found the unknown column 'who'"),
        ("at,kind,target,pool\n5,pod_deletion,any,c\n", "expected one of the pools: a, b"),
        ("at,kind\n5\n", "incidents.csv:2: found 1 cells, expected 2"),
    ],
)
def test_a_mistake_in_a_recording_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(sim.InputError) as caught:
        recorded(tmp_path, text)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/x.yaml:5: faults[0].file")


def test_outcome_keeps_the_pods_of_pools_apart() -> None:
    tasks = [plan(1, 0, 10), {**plan(2, 0, 10), "pool": "infra"}]
    result = sim.run(scenario(workload={"tasks": tasks}, pools={"apps": SMALL, "infra": SMALL}), [Always(1)])
    assert [outcome(result).tasks[n].plan_pod for n in (1, 2)] == [0, 0]
    assert result.pods.pool.tolist() == ["apps", "infra"]


def test_strikes_cannot_be_written_into_a_file_where_they_would_hide_it(tmp_path: Path) -> None:
    with pytest.raises(sim.InputError, match=r"faults\[0\].strikes: found the unknown key 'strikes'"):
        recorded(tmp_path, more=", strikes: []")


def test_results_with_faults_from_a_recording_can_be_read_without_it(tmp_path: Path) -> None:
    result = sim.run(recorded(tmp_path))
    again = sim.Scenario.model_validate(result.scenario.model_dump(mode="json"))
    assert sim.run(again).incidents.equals(result.incidents)
