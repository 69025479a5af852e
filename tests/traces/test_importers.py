"""`sim import`: what becomes of the records of each system, as its documentation shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import sim
from sim.cli.app import cli
from sim.scenario import InputError
from sim.traces.records import import_records

HCP_RUN = {
    "id": "run-1",
    "type": "runs",
    "attributes": {
        "status": "applied",
        "plan-only": False,
        "created-at": "2026-03-01T10:00:00.000Z",
        "status-timestamps": {
            "plan-queued-at": "2026-03-01T10:00:01+00:00",
            "planning-at": "2026-03-01T10:00:10+00:00",
            "planned-at": "2026-03-01T10:01:10+00:00",
            "confirmed-at": "2026-03-01T10:06:10+00:00",
            "apply-queued-at": "2026-03-01T10:06:11+00:00",
            "applying-at": "2026-03-01T10:06:30+00:00",
            "applied-at": "2026-03-01T10:08:30+00:00",
        },
    },
    "relationships": {"workspace": {"data": {"id": "ws-1", "type": "workspaces"}}},
}


def hcp(number: int, status: str, stamps: dict[str, str], **more: Any) -> dict[str, Any]:
    """A run with moments as minutes and seconds after 10:00."""
    moments = {name: f"2026-03-01T10:{at}+00:00" for name, at in stamps.items()}
    attributes = {"status": status, "created-at": "2026-03-01T10:00:00Z", "status-timestamps": moments, **more}
    workspace = {"workspace": {"data": {"id": f"ws-{number}"}}}
    return {"id": f"run-{number}", "attributes": attributes, "relationships": workspace}


def tasks_of(imported: Any) -> dict[str, dict[str, Any]]:
    """The tasks by id, without what is empty or as usual."""
    usual = {"execution_mode": "k8s", "plan_result": "changes", "decision": "confirm", "apply_result": "ok"}
    found = {}
    for row in imported.frame.to_dict("records"):
        found[row["id"]] = {
            name: value
            for name, value in row.items()
            if not (isinstance(value, float) and np.isnan(value))
            and usual.get(name) != value
            and not name.startswith("recorded_")
            and name != "id"
        }
    return found


def test_a_run_of_hcp_terraform(tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    path.write_text(json.dumps({"data": [HCP_RUN]}))
    imported = import_records(path)
    assert tasks_of(imported) == {
        "run-1": {"workspace": "ws-1", "type": "plan_and_apply", "arrive": 0, "plan": 60, "confirm": 300, "apply": 120}
    }
    row = imported.frame.iloc[0]
    assert [row[f"recorded_{name}"] for name in ("plan_started", "confirmed", "apply_started")] == [10, 370, 390]


def test_endings_of_hcp_terraform_and_pages_in_a_folder(tmp_path: Path) -> None:
    plan = {"planning": "00:10", "planned": "01:10"}
    runs = [
        hcp(2, "planned_and_finished", {"planning-at": "00:10", "planned-and-finished-at": "00:40"}),
        hcp(3, "discarded", {**plan, "discarded": "02:10"}),
        hcp(4, "errored", {"planning": "00:10", "errored": "00:30"}),
        hcp(5, "errored", {**plan, "confirmed": "01:20", "applying": "01:30", "errored": "01:50"}),
        hcp(6, "canceled", {"planning": "00:10", "canceled": "00:50"}),
        hcp(7, "planned", plan),
        hcp(8, "planned_and_finished", {"planning": "00:10", "planned-and-finished": "00:40"}, **{"plan-only": True}),
        hcp(9, "force_canceled", {"plan-queued": "00:10", "force-canceled": "00:20"}),
    ]
    (tmp_path / "1.json").write_text(json.dumps({"data": runs[:4]}))
    (tmp_path / "2.jsonl").write_text("\n".join(map(json.dumps, runs[4:])))
    imported = import_records(tmp_path)
    tasks = tasks_of(imported)
    of = {number: {k: v for k, v in tasks[f"run-{number}"].items() if k not in ("workspace", "arrive")}
          for number in range(2, 10)}  # fmt: skip
    assert of[2] == {"type": "plan_and_apply", "plan": 30, "plan_result": "no_changes"}
    assert of[3] == {"type": "plan_and_apply", "plan": 60, "confirm": 60, "decision": "discard"}
    assert of[4] == {"type": "plan_and_apply", "plan": 20, "plan_result": "error"}
    assert of[5] == {"type": "plan_and_apply", "plan": 60, "confirm": 10, "apply": 20, "apply_result": "error"}
    assert of[6] == {"type": "plan_and_apply", "plan": 60, "cancel": 50}  # a length of the others
    assert of[7] == {"type": "plan_and_apply", "plan": 60}
    assert of[8] == {"type": "plan", "plan": 30}
    assert of[9] == {"type": "plan_and_apply", "plan": 20, "cancel": 20}
    assert imported.account.read == imported.account.kept == 8
    assert imported.account.endings["ended with an error"] == 2


def test_jobs_of_gitlab_arrive_when_they_could_run(tmp_path: Path) -> None:
    job = {"id": 7, "status": "success", "stage": "test", "created_at": "2026-01-01T00:00:00.000Z",
           "started_at": "2026-01-01T01:00:00.000Z", "finished_at": "2026-01-01T01:00:50.500Z", "duration": 50.5,
           "queued_duration": 20.25, "tag_list": ["docker"]}  # fmt: skip
    skipped = {"id": 8, "status": "skipped", "created_at": "2026-01-01T00:00:00.000Z", "queued_duration": None}
    failed = {**job, "id": 9, "status": "failed", "started_at": "2026-01-01T02:00:00Z", "queued_duration": 0,
              "finished_at": "2026-01-01T02:00:10Z"}  # fmt: skip
    (tmp_path / "jobs.json").write_text(json.dumps([job, skipped, failed]))
    imported = import_records(tmp_path / "jobs.json")
    assert tasks_of(imported) == {
        "7": {"type": "plan", "pool": "docker", "arrive": 0, "plan": 50.5},
        "9": {"type": "plan", "pool": "docker", "arrive": 3620.25, "plan": 10, "plan_result": "error"},
    }
    assert imported.frame.recorded_plan_started.tolist() == [20.25, 3620.25]
    assert [(each.rows, each.reason) for each in imported.account.left_out] == [
        (1, "jobs that were skipped, or never asked for a runner")
    ]


def test_jobs_of_github(tmp_path: Path) -> None:
    job = {"id": 1, "run_id": 5, "status": "completed", "conclusion": "success", "created_at": "2026-01-01T00:00:00Z",
           "started_at": "2026-01-01T00:00:12Z", "completed_at": "2026-01-01T00:01:12Z",
           "runner_group_name": "GitHub Actions"}  # fmt: skip
    skipped = {**job, "id": 2, "conclusion": "skipped"}
    canceled = {**job, "id": 3, "conclusion": "cancelled"}
    (tmp_path / "jobs.json").write_text(json.dumps({"total_count": 3, "jobs": [job, skipped, canceled]}))
    imported = import_records(tmp_path / "jobs.json")
    assert tasks_of(imported) == {
        "1": {"type": "plan", "pool": "GitHub-Actions", "arrive": 0, "plan": 60},
        "3": {"type": "plan", "pool": "GitHub-Actions", "arrive": 0, "plan": 60, "cancel": 72},
    }
    assert "'GitHub Actions' is GitHub-Actions" in imported.account.notes[-1]


def test_a_block_step_of_buildkite_is_the_confirmation(tmp_path: Path) -> None:
    def job(name: str, kind: str, at: str, **more: Any) -> dict[str, Any]:
        moment = f"2026-01-01T{at}Z"
        return {"id": name, "type": kind, "state": "passed", "runnable_at": moment, **more}

    def script(name: str, at: str, started: str, finished: str) -> dict[str, Any]:
        return job(name, "script", at, started_at=f"2026-01-01T{started}Z", finished_at=f"2026-01-01T{finished}Z",
                   agent_query_rules=["queue=infra"])  # fmt: skip

    build = {
        "pipeline": {"slug": "network"},
        "jobs": [
            script("lint", "00:00:00", "00:00:05", "00:00:15"),
            {"type": "waiter"},
            script("plan", "00:00:15", "00:00:20", "00:01:20"),
            job("ask", "manual", "00:01:20", unblocked_at="2026-01-01T00:11:20Z"),
            script("apply", "00:11:20", "00:11:30", "00:12:00"),
        ],
    }
    waiting = {
        "pipeline": {"slug": "dns"},
        "jobs": [build["jobs"][2] | {"id": "plan-2"}, job("ask", "manual", "00:02:00")],
    }
    (tmp_path / "builds.json").write_text(json.dumps([build, waiting]))
    imported = import_records(tmp_path / "builds.json")
    assert tasks_of(imported) == {
        "lint": {"workspace": "network", "pool": "infra", "type": "plan", "arrive": 0, "plan": 10},
        "plan": {"workspace": "network", "pool": "infra", "type": "plan_and_apply", "arrive": 15, "plan": 60,
                 "confirm": 600, "apply": 30},
        "plan-2": {"workspace": "dns", "pool": "infra", "type": "plan_and_apply", "arrive": 15, "plan": 60},
    }  # fmt: skip
    account = imported.account
    assert account.read == 7 == account.kept + sum(each.rows for each in account.left_out)


def test_the_standard_workload_format(tmp_path: Path) -> None:
    lines = [
        "; UnixStartTime: 0",
        "1 100 5 60 4 -1 -1 4 100 -1 1 1 1 -1 1 -1 -1 -1",
        "2 130 0 30 1 -1 -1 1 100 -1 0 1 1 -1 2 -1 -1 -1",
    ]
    (tmp_path / "log.swf").write_text("\n".join(lines))
    imported = import_records(tmp_path / "log.swf")
    assert tasks_of(imported) == {
        "1": {"pool": "queue-1", "type": "plan", "arrive": 0, "plan": 60},
        "2": {"pool": "queue-2", "type": "plan", "arrive": 30, "plan": 30, "plan_result": "error"},
    }
    assert imported.frame.recorded_plan_started.tolist() == [5, 30]
    assert "up to 4 processors" in imported.account.notes[0]


def test_a_workload_of_batsim(tmp_path: Path) -> None:
    workload = {
        "nb_res": 4,
        "jobs": [
            {"id": 1, "subtime": 10, "walltime": 100, "res": 4, "profile": "delay"},
            {"id": 2, "subtime": 15.5, "walltime": 100, "res": 1, "profile": "work"},
            {"id": 3, "subtime": 16, "walltime": 30, "res": 1, "profile": "work"},
        ],
        "profiles": {"delay": {"type": "delay", "delay": 20.5}, "work": {"type": "parallel", "cpu": [4e10, 5e10]}},
    }
    (tmp_path / "w.json").write_text(json.dumps(workload))
    imported = import_records(tmp_path / "w.json")
    assert [(task["arrive"], task["plan"]) for task in tasks_of(imported).values()] == [(0, 20.5), (5.5, 50), (6, 30)]
    assert imported.frame.recorded_plan_started.isna().all()


TABLE = """run_id,workspace,status,created_at,plan_started_at,plan_finished_at,confirmed_at,apply_started_at,apply_finished_at
undecided,a,planned,2026-01-01T00:00:00Z,2026-01-01T00:00:10Z,2026-01-01T00:01:10Z,,,
later,a,applied,2026-01-01T02:00:00Z,2026-01-01T02:00:10Z,2026-01-01T02:01:10Z,2026-01-01T02:02:10Z,2026-01-01T02:02:20Z,2026-02-10T02:02:20Z
latest,a,applied,2026-01-01T03:00:00Z,2026-01-01T03:00:10Z,2026-01-01T03:01:10Z,2026-01-01T03:02:10Z,2026-01-01T03:02:20Z,2026-01-01T03:03:20Z
backwards,b,applied,2026-01-01T04:00:00Z,2026-01-01T04:00:10Z,2026-01-01T04:00:05Z,,,
,b,applied,,2026-01-01T04:00:10Z,2026-01-01T04:00:05Z,,,
latest,b,applied,2026-01-01T05:00:00Z,2026-01-01T05:00:10Z,2026-01-01T05:00:15Z,,,
open,c,planned,2026-01-01T06:00:00Z,2026-01-01T06:00:10Z,2026-01-01T06:01:10Z,,,
gone,c,canceled,2026-01-01T06:30:00Z,,,,,
strange,d,half-baked,2026-01-01T07:00:00Z,2026-01-01T07:00:10Z,2026-01-01T07:01:10Z,,,
"""


def test_what_the_lock_of_a_workspace_shows_and_an_account_that_adds_up(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    imported = import_records(tmp_path / "t.csv")
    tasks = tasks_of(imported)
    # A later run of its workspace began at 2:00:10, so it was discarded then, and locks its workspace no longer.
    assert tasks["undecided"]["confirm"] == 7200 + 10 - 70
    assert tasks["undecided"]["decision"] == "discard"
    # An apply of 40 days, while the next one of its workspace began: it is given the usual length.
    assert tasks["later"]["apply"] == 60
    assert "confirm" not in tasks["open"]
    account = imported.account
    assert [(each.rows, each.first) for each in account.left_out] == [
        (1, "row 4"), (1, "latest"), (1, "backwards"), (1, "gone"),
    ]  # fmt: skip
    assert account.read == 9 == account.kept + sum(each.rows for each in account.left_out)
    assert any(odd.what == "an apply of 40 days, overtaken by the next one" for odd in account.odd)
    assert any("half-baked" in note for note in account.notes)


def test_the_oddest_rows_are_named(tmp_path: Path) -> None:
    rows = ["id,created_at,started_at,finished_at"]
    rows += [f"{n},2026-01-01T00:{n:02}:00Z,2026-01-01T00:{n:02}:01Z,2026-01-01T00:{n:02}:31Z" for n in range(20)]
    rows += ["slow,2026-01-01T00:30:00Z,2026-01-01T00:30:01Z,2026-01-01T02:30:01Z"]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    odd = import_records(tmp_path / "t.csv").account.odd
    assert [(each.row, each.what) for each in odd] == [("slow", "a plan of 2 h")]


def test_the_command_writes_a_trace_and_a_scenario_that_runs_at_once(tmp_path: Path) -> None:
    (tmp_path / "runs.json").write_text(json.dumps({"data": [HCP_RUN]}))
    trace, path = tmp_path / "t.parquet", tmp_path / "month.yaml"
    made = CliRunner().invoke(cli, ["import", str(tmp_path / "runs.json"), "-o", str(trace), "--scenario", str(path)])
    assert made.exit_code == 0, made.output
    assert "1 rows read = 1 kept + 0 left out" in made.output
    scenario = sim.load_scenario(path)
    assert scenario.start == "2026-03-01T10:00:00+00:00"
    result = sim.run(scenario)
    assert result.tasks.state.unique().tolist() == ["applied"]


def test_other_names_are_the_same_for_the_same_name_and_cannot_be_undone(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    trace = tmp_path / "t.parquet"
    made = CliRunner().invoke(cli, ["import", str(tmp_path / "t.csv"), "-o", str(trace), "--anonymise"])
    assert made.exit_code == 0, made.output
    frame = pd.read_parquet(trace)
    assert not set(frame.id) & {"undecided", "later", "latest"}
    assert frame.workspace.nunique() == 3
    assert "undecided" not in made.output


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        (
            "t.json",
            '{"data": [{"id": 1}]}',
            "hcp-terraform",
            "run 0: attributes: found nothing, expected the attributes",
        ),
        ("t.json", '[{"id": 1, "started_at": "soon", "queued_duration": 1}]', None, "job 0: started_at: found 'soon'"),
        ("t.json", '[{"id": 1}', None, "t.json:1: found text that is no JSON"),
        ("t.json", "[{}]", "buildkite", "build 0: jobs: found nothing, expected the jobs of a build"),
        ("t.csv", "a,b\n1,2\n", None, "found only the columns 'a, b', expected one that says when a task arrived"),
        ("t.csv", "created_at\n\n,\n", None, "found 2 cells, expected 1"),
        ("t.csv", "id,created_at\nx,\n", None, "found no task that can be used (1 no time of arrival)"),
        ("t.swf", "1 x 0 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n", None, "t.swf:1: submit: found 'x', expected a number"),
    ],
)
def test_records_that_cannot_be_read_are_told_in_one_line(
    tmp_path: Path, name: str, content: str, kind: Any, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        import_records(tmp_path / name, kind)
    assert "\n" not in str(caught.value)
    assert message in str(caught.value)
