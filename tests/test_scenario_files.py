"""Bad input gets one clear line: file, line, field, what was found, what was expected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim.experiment.named_policies import named_policies
from sim.scenario import InputError, Scenario
from sim.traces.load import load_scenario
from sim.traces.recording import recording_of

GOOD = """\
name: good
horizon: 2h
pool: {min_pods: 1, max_pods: 5}
workload:
  tasks:
    - {id: 1, type: plan_and_apply, workspace: ws-a, arrive: 0s, plan: 60s, confirm: 10m, apply: 120s}
    - {id: 2, type: plan, workspace: ws-b, arrive: 1.5, plan: {dist: exponential, mean: 1m}}
faults:
  - {kind: pod_deletion, at: 5m, target: 0}
policies: [old, {name: static, pods: 3, label: three}]
"""

GENERATED = """\
name: generated
horizon: 2h
workload:
  arrivals: {process: poisson, rate: 20/h, plan: 90s, plan_and_apply_share: 0.5, confirm: 5m, apply: 2m}
"""


def mistake(folder: Path, text: str | bytes) -> str:
    """The message about the file, without the name of its folder."""
    path = folder / "bad.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        named_policies(load_scenario(path))
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    scenario = load_scenario(tmp_path / "good.yaml")
    assert scenario.horizon == 7200
    assert scenario.workload.tasks is not None
    assert scenario.workload.tasks[0].confirm == 600
    assert scenario.workload.tasks[1].arrive == 1.5
    assert [named.label for named in named_policies(scenario)] == ["old", "three"]


def test_what_is_not_given_is_as_documented() -> None:
    scenario = Scenario.model_validate(
        {"name": "x", "horizon": 1, "workload": {"arrivals": {"process": "poisson", "rate": "1/h", "plan": 1}}}
    )
    assert scenario.pool.model_dump() == {
        "min_pods": 1, "max_pods": 5, "initial_pods": None, "slots_per_pod": 3, "apply_slots": 1,
        "apply_placement": "first_slots", "pod_startup": 30, "heartbeat_timeout": 120, "reservation_ttl": 86400,
        "placement": "first_fit", "scale_down": "idle", "termination_grace": 30, "ephemeral": False,
        "on_pod_loss": "fail",
    }  # fmt: skip
    assert scenario.pool.pods_at_start == 1
    assert scenario.control.model_dump() == {
        "autoscaler_interval": 5, "dispatch": "poll", "dispatch_retry": 10, "queue_order": "eligible",
        "workspace_lock": "applies", "task_timeout": None, "view_delay": 0,
    }  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("1.5h", 5400), ("2d", 172800), ("7", None), ("90 s", 90)])
def test_durations(text: str, seconds: float | None) -> None:
    document = {
        "name": "x",
        "horizon": text,
        "workload": {"arrivals": {"process": "poisson", "rate": "1/h", "plan": 1}},
    }
    if seconds is None:
        with pytest.raises(ValueError, match="a duration"):
            Scenario.model_validate(document)
    else:
        assert Scenario.model_validate(document).horizon == seconds


DURATION = "expected a duration of at least 0, such as 90 (seconds), 30s, 10m, 2h or 1d"


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("horizon: 2h", "horizon: 2x", f"bad.yaml:2: horizon: found '2x', {DURATION}"),
        ("horizon: 2h", "horizon: -3", f"bad.yaml:2: horizon: found -3, {DURATION}"),
        ("horizon: 2h", "horizon: yes", f"bad.yaml:2: horizon: found 'yes', {DURATION}"),
        ("horizon: 2h", "horizon: true", f"bad.yaml:2: horizon: found True, {DURATION}"),
        ("horizon: 2h", "horizon: .inf", f"bad.yaml:2: horizon: found inf, {DURATION}"),
        ("horizon: 2h", "horizon: 1:30", f"bad.yaml:2: horizon: found '1:30', {DURATION}"),
        ("horizon: 2h", "horizon: 0s", "bad.yaml:2: horizon: found '0s', expected a duration of at least 0.001 s"),
        ("horizon: 2h", "horizon:", f"bad.yaml:2: horizon: found nothing, {DURATION}"),
        ("horizon: 2h", "warmup: 2h", "bad.yaml:1: horizon: found nothing, expected a value, as the field is required"),
        ("horizon: 2h", "horizon: 2h\nwarmup: 3h", "bad.yaml:3: warmup: found '3h', expected less than horizon (7200 s)"),
        ("name: good", "name: a/b", "bad.yaml:1: name: found 'a/b', expected letters, digits"),
        ("name: good", "name: 7", "bad.yaml:1: name: found 7, expected text"),
        ("name: good", "nmae: good", "bad.yaml:1: nmae: found the unknown key 'nmae', expected one of: name, descr"),
        ("name: good", "name: good\nseed: 1.5", "bad.yaml:2: seed: found 1.5, expected a whole number"),
        ("name: good", "name: good\nseed: -1", "bad.yaml:2: seed: found -1, expected a number of at least 0"),
        ("name: good", "name: good\nreplications: 0", "bad.yaml:2: replications: found 0, expected a number of at least"),
        ("min_pods: 1", "min_pods: 7", "bad.yaml:3: pool.min_pods: found 7, expected at most max_pods (5)"),
        ("max_pods: 5", "max_pods: five", "bad.yaml:3: pool.max_pods: found 'five', expected a whole number"),
        ("max_pods: 5", "max_pods: 5, initial_pods: 6", "pool.initial_pods: found 6, expected at most max_pods (5)"),
        ("max_pods: 5", "max_pods: 5, apply_slots: 4", "pool.apply_slots: found 4, expected at most slots_per_pod (3)"),
        ("max_pods: 5", "max_pods: 5, placement: best", "found 'best', expected 'first_fit', 'spare_apply_slots'"),
        ("max_pods: 5", "max_pod: 5", "bad.yaml:3: pool.max_pod: found the unknown key 'max_pod', expected one of: min"),
        ("{min_pods: 1, max_pods: 5}", "[1, 5]", "bad.yaml:3: pool: found a list, expected a mapping"),
        ("arrive: 0s", "arrive: 0x", f"bad.yaml:6: workload.tasks[0].arrive: found '0x', {DURATION}"),
        ("plan: 60s, ", "", "bad.yaml:6: workload.tasks[0].plan: found nothing, expected a value"),
        ("apply: 120s", "aply: 120s", "bad.yaml:6: workload.tasks[0].aply: found the unknown key 'aply'"),
        ("confirm: 10m, apply: 120s", "confirm: 10m", "tasks[0].apply: found nothing, expected a duration, as the task"),
        ("type: plan,", "type: plan, apply: 5s,", "bad.yaml:7: workload.tasks[1].apply: found '5s', expected no apply"),
        ("type: plan,", "type: plna,", "bad.yaml:7: workload.tasks[1].type: found 'plna', expected 'plan' or 'plan_and"),
        ("id: 2", "id: 1", "bad.yaml:7: workload.tasks[1].id: found 1, expected an id of its own: tasks[0] has the same"),
        ("id: 2", "id: '1'", "bad.yaml:7: workload.tasks[1].id: found '1', expected an id of its own"),
        ("id: 2", "id: [2]", "bad.yaml:7: workload.tasks[1].id: found a list, expected"),
        ("exponential", "expo", "bad.yaml:7: workload.tasks[1].plan.dist: found 'expo', expected one of 'constant', 'exp"),
        ("dist: exponential, ", "", "tasks[1].plan: found a mapping without it, expected a mapping with the key 'dist'"),
        ("mean: 1m", "mean: 0s", "bad.yaml:7: workload.tasks[1].plan.mean: found '0s', expected a duration of at least"),
        ("mean: 1m", "mean: 1m, cv: 2", "workload.tasks[1].plan.cv: found the unknown key 'cv', expected one of: dist,"),
        ("{dist: exponential, mean: 1m}", "{dist: lognormal, mean: 1m}", "exactly mean and cv, or median and sigma"),
        ("{dist: exponential, mean: 1m}", "{dist: uniform, low: 2, high: 1}", "plan.high: found 1, expected a duration of"),
        ("{dist: exponential, mean: 1m}", "{dist: empirical, values: []}", "plan.values: found an empty list, expected a"),
        ("at: 5m, ", "", "bad.yaml:9: faults[0].kind: found 'pod_deletion', expected exactly one of at and every; given: n"),
        ("at: 5m", "at: 5m, every: 1h", "bad.yaml:9: faults[0].kind: found 'pod_deletion', expected exactly one of at and"),
        ("at: 5m", "every: 0s", "bad.yaml:9: faults[0].every: found '0s', expected a duration of at least 0.001 s"),
        ("target: 0", "target: best", "faults[0].target: found 'best', expected 'any', 'reserved', 'running', 'idle' or"),
        ("target: 0", "target: -1", "bad.yaml:9: faults[0].target: found -1, expected a number of at least 0"),
        ("pod_deletion", "pod_loss", "faults[0].kind: found 'pod_loss', expected one of 'pod_deletion', 'pod_offline', 's"),
        ("kind: pod_deletion, at: 5m, target: 0", "kind: server_restart, at: 5m, target: 0", "faults[0].target: found the un"),
        ("[old, {name: static, pods: 3, label: three}]", "[]", "bad.yaml:10: policies: found an empty list, expected a"),
        ("[old,", "[odl,", "bad.yaml:10: policies[0]: found the policy 'odl', expected one of: old, fixed, landed, demand, static, hpa"),
        ("[old,", "[old, old,", "bad.yaml:10: policies[1]: found 'old', expected a label of its own: policies[0] has the"),
        ("pods: 3", "pods: many", "bad.yaml:10: policies[1].pods: found 'many', expected a whole number"),
        ("pods: 3", "podz: 3", "bad.yaml:10: policies[1].podz: found a parameter static does not have, expected one of: pods"),
        ("[old,", "[os:system,", "bad.yaml:10: policies[0]: found 'os:system', expected --allow-plugins on the command line"),
        ("name: good", "name: good\nname: better", "bad.yaml:2: found the key 'name' twice, expected it once"),
        ("name: good", "name: good\n\tseed: 1", "bad.yaml:2: found character '\\t' that cannot start any token while scanning"),
        ("name: good", "name: !!python/name:os.system x", "bad.yaml:1: name: found 'x' as 'python/name:os.system', expected a"),
        ("name: good", "name: good\n1: 2", "bad.yaml:2: [1]: found the unknown key 1, expected one of"),
        ("name: good", "name: good\ndescription: &a [*a]", "found an alias inside its own anchor, expected plain values"),
        ("workload:", "workloads:", "bad.yaml:4: workloads: found the unknown key 'workloads', expected one of: name,"),
    ],
)  # fmt: skip
def test_every_mistake_is_told_in_one_line(tmp_path: Path, good: str, bad: str, message: str) -> None:
    assert good in GOOD
    assert message in mistake(tmp_path, GOOD.replace(good, bad, 1))


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (
            "20/h",
            "20",
            "workload.arrivals.rate: found 20, expected a rate above 0: a number per s, m, h or d, such as 20/h",
        ),
        ("20/h", "0/h", "workload.arrivals.rate: found '0/h', expected a rate above 0"),
        ("20/h", "20/y", "workload.arrivals.rate: found '20/y', expected a rate above 0"),
        (
            "20/h",
            "1e9/s",
            "bad.yaml:4: workload.arrivals.rate: found about 7.2e+12 arrivals up to the horizon, expected at",
        ),
        ("poisson", "posson", "workload.arrivals.process: found 'posson', expected one of 'poisson', 'deterministic'"),
        ("0.5", "1.5", "workload.arrivals.plan_and_apply_share: found 1.5, expected a share from 0 to 1"),
        ("plan_and_apply_share: 0.5, ", "", "plan_and_apply_share: found nothing, expected a share from 0 to 1"),
        (", apply: 2m", "", "workload.arrivals.apply: found nothing, expected a duration or a distribution"),
        (
            ", confirm: 5m",
            ", confirm_probability: 0.5",
            "confirm_probability: found 0.5, expected no confirm_probability",
        ),
        (
            "arrivals: {",
            "tasks: []\n  arrivals: {",
            "bad.yaml:4: workload.tasks: found an empty list, expected at least one",
        ),
    ],
)
def test_mistakes_in_generated_workloads(tmp_path: Path, good: str, bad: str, message: str) -> None:
    assert good in GENERATED
    path = tmp_path / "bad.yaml"
    path.write_text(GENERATED.replace(good, bad, 1))
    with pytest.raises(InputError) as caught:
        sim.run(load_scenario(path))
    assert message in str(caught.value)


def test_two_workloads_are_one_too_many(tmp_path: Path) -> None:
    text = GENERATED + "  tasks:\n    - {id: 1, type: plan, workspace: a, arrive: 0, plan: 1}\n"
    assert "workload.arrivals: found a mapping, expected exactly one of" in mistake(tmp_path, text)


def test_files_that_are_no_scenarios(tmp_path: Path) -> None:
    assert mistake(tmp_path, "") == "bad.yaml: found nothing, expected a scenario"
    assert mistake(tmp_path, "- 1") == "bad.yaml:1: found a list, expected a mapping"
    assert mistake(tmp_path, "a: 1\n---\nb: 2").startswith("bad.yaml:2: found")
    assert mistake(tmp_path, b"name: x\nhorizon: \xff") == "bad.yaml:2: found the byte 0xff, expected UTF-8"
    assert "nested too deeply" in mistake(tmp_path, "[" * 5000)
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read: No such file"):
        load_scenario(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        load_scenario(tmp_path)


def test_a_yaml_bomb_does_not_go_off(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "found aliases that add" in mistake(tmp_path, "\n".join(lines))


def test_an_anchor_may_be_used_again(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(
        GOOD.replace("{dist: exponential, mean: 1m}", "&p {dist: exponential, mean: 1m}").replace(
            "plan: 60s", "plan: 60s"
        )
    )
    assert load_scenario(tmp_path / "good.yaml").name == "good"


def test_a_scenario_as_resolved_can_be_loaded_again(tmp_path: Path) -> None:
    for number, text in enumerate((GOOD, GENERATED)):
        (tmp_path / f"{number}.yaml").write_text(text)
        scenario = load_scenario(tmp_path / f"{number}.yaml")
        (tmp_path / "again.yaml").write_text(scenario.model_dump_json(exclude_none=True))
        assert load_scenario(tmp_path / "again.yaml").model_dump() == scenario.model_dump()


# Traces

TRACE = "id,type,workspace,arrive,plan,confirm,apply\n7,plan,a,0,5,,\n8,plan_and_apply,b,1.5,5,10,20\n9,plan_and_apply,b,2,5,,\n"
FROM_TRACE = "name: recorded\nhorizon: 1h\nworkload:\n  trace: {trace}\n"


def from_trace(folder: Path, content: str, trace: str = "tasks.csv") -> Scenario:
    (folder / "tasks.csv").write_text(content)
    path = folder / "recorded.yaml"
    path.write_text(FROM_TRACE.replace("{trace}", trace))
    return load_scenario(path)


def test_a_csv_trace(tmp_path: Path) -> None:
    tasks = sim.run(from_trace(tmp_path, TRACE), ["static"]).tasks.set_index("task_id")
    assert tasks.arrived_at.to_dict() == {7: 0, 8: 1.5, 9: 2}
    assert tasks.state.to_dict() == {7: "planned", 8: "applied", 9: "apply_pending"}
    assert tasks.confirmed_at[8] == 26.5  # asks at 1.5 and 11.5, when slot 0 is free
    assert tasks.workspace.to_dict() == {7: "a", 8: "b", 9: "b"}


def test_a_parquet_trace_is_the_same(tmp_path: Path) -> None:
    csv = sim.run(from_trace(tmp_path, TRACE), ["static"])
    pd.read_csv(tmp_path / "tasks.csv").to_parquet(tmp_path / "tasks.parquet")
    parquet = sim.run(from_trace(tmp_path, TRACE, "tasks.parquet"), ["static"])
    pd.testing.assert_frame_equal(csv.tasks, parquet.tasks)


def test_a_dat_trace_and_what_it_lacks_from_distributions(tmp_path: Path) -> None:
    np.array([[0, 2500], [1250, 4000], [9000, 1000]], dtype=">u4").tofile(tmp_path / "load.dat")
    trace = "{file: load.dat, plan_and_apply_share: 1, workspaces: 1, confirm: 1s, apply: 2s}"
    tasks = sim.run(from_trace(tmp_path, TRACE, trace), ["static"]).tasks
    assert tasks.arrived_at.tolist() == [0, 1.25, 9]
    assert tasks.plan_started_at.tolist() == [0, 5.5, 12.5]  # one workspace: one after the other
    assert (tasks.plan_ended_at - tasks.plan_started_at).tolist() == [2.5, 4, 1]


def test_a_trace_out_of_order_is_sorted_and_its_owner_told(tmp_path: Path) -> None:
    scenario = from_trace(tmp_path, "id,type,arrive,plan,user\n1,plan,5,1,x\n2,plan,3,1,y\n3,plan,3,1,z\n")
    assert [note.replace(f"{tmp_path}/", "") for note in recording_of(scenario).notes] == [
        "tasks.csv: columns not used: 'user'",
        "tasks.csv: arrivals were not in order (first at line 3): sorted by arrival",
    ]
    assert sim.run(scenario, ["static"]).tasks.task_id.tolist() == [2, 3, 1]


@pytest.mark.parametrize(
    ("content", "trace", "message"),
    [
        (TRACE, "none.csv", "recorded.yaml:4: workload.trace: DIR/none.csv: found no such trace file"),
        (TRACE, "tasks.txt", "found a trace file that ends in '.txt', expected one of .csv, .tsv, .json, .jsonl,"),
        (
            TRACE.replace(",5,10,", ",-5,10,"),
            "tasks.csv",
            "DIR/tasks.csv:3: plan: found '-5', expected seconds: a number",
        ),
        (TRACE.replace(",5,10,", ",five,10,"), "tasks.csv", "DIR/tasks.csv:3: plan: found 'five', expected seconds"),
        (TRACE.replace(",5,10,", ",,10,"), "tasks.csv", "DIR/tasks.csv:3: plan: found '', expected seconds"),
        (TRACE.replace(",5,10,", ",inf,10,"), "tasks.csv", "DIR/tasks.csv:3: plan: found 'inf', expected seconds"),
        (
            TRACE.replace(",10,20", ",10,"),
            "tasks.csv",
            "DIR/tasks.csv:3: apply: found '', expected seconds, as the task",
        ),
        (TRACE.replace("arrive", "arrives"), "tasks.csv", "DIR/tasks.csv:1: arrive: found only the columns 'id, type,"),
        (
            TRACE.replace("plan,", "paln,", 1),
            "tasks.csv",
            "workload.trace.plan: found nothing, expected it here, as the",
        ),
        (
            TRACE.replace("8,plan_and", "7,plan_and"),
            "tasks.csv",
            "DIR/tasks.csv:3: id: found '7', expected an id of its",
        ),
        (
            TRACE.replace("7,plan", "7,plann"),
            "tasks.csv",
            "DIR/tasks.csv:2: type: found 'plann', expected plan or plan_",
        ),
        (TRACE.replace("confirm", "plan"), "tasks.csv", "DIR/tasks.csv:1: plan: found the column twice"),
        (TRACE.splitlines()[0] + "\n", "tasks.csv", "DIR/tasks.csv: found no rows, expected at least one task"),
        ("", "tasks.csv", "DIR/tasks.csv:1: found an empty file"),
        (
            TRACE,
            "{file: tasks.csv, plan: 5s}",
            "workload.trace.plan: found a plan, expected none, as the trace has the",
        ),
        ("arrive,plan\n1,1\n", "tasks.csv", "workload.trace.plan_and_apply_share: found nothing, expected it here, as"),
    ],
)
def test_every_mistake_in_a_trace_is_told_in_one_line(tmp_path: Path, content: str, trace: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        from_trace(tmp_path, content, trace)
    text = str(caught.value)
    assert "\n" not in text
    assert message.replace("DIR", str(tmp_path)) in text
