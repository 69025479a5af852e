"""Results as Chrome trace events: what is in them, and that viewers can make sense of any of them."""

from __future__ import annotations

import json
import math
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import sim
from sim.report.trace_events import trace_events, write_trace_events
from sim.results.store import reserved_place
from sim.results.stored import StoredResult
from sim.scenario import InputError, Scenario

from support import Always, plan, plan_and_apply, scenario, scenarios

S = 1_000_000
"""Microseconds in a second."""


def small() -> sim.Result:
    """Pod 0 is deleted under a plan and a reservation, the server is down when that task's human confirms."""
    tasks = [plan_and_apply(1, 0, 20, 60, 10), plan(2, 0, 100), plan_and_apply(3, 0, 20, 10.5, 100)]
    faults = [
        {"kind": "pod_deletion", "at": 70, "target": 0},
        {"kind": "pod_offline", "at": 75, "target": 1, "duration": 10},
        {"kind": "pod_offline", "at": 80, "target": 1, "duration": 10},
        {"kind": "server_restart", "at": 78, "downtime": 4, "running_tasks": "survive"},
    ]
    pool = {"min_pods": 2, "max_pods": 2, "pod_startup": 30, "slots_per_pod": 2}
    return sim.run(scenario(workload={"tasks": tasks}, faults=faults, horizon=120, pool=pool), [Always(2)])


def phase(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["ph"] == kind]


def names(events: list[dict[str, Any]]) -> dict[tuple[int, int], str]:
    """What each track is called: process and thread."""
    of: dict[str, dict[tuple[int, int], str]] = {"process_name": {}, "thread_name": {}}
    for event in phase(events, "M"):
        if event["name"] in of:
            of[event["name"]][event["pid"], event["tid"]] = event["args"]["name"]
    process = {pid: name for (pid, _), name in of["process_name"].items()}
    return {track: f"{process[track[0]]} / {name}" for track, name in of["thread_name"].items()}


def test_the_events_of_a_small_run() -> None:
    events = list(trace_events(small()))
    track = names(events)
    slices = [
        (track[e["pid"], e["tid"]].removeprefix("Always: "), e["name"], e["ts"] / S, (e["ts"] + e["dur"]) / S)
        for e in phase(events, "X")
    ]
    assert sorted(slices) == [
        ("pod 0 / pod", "ready", 0, 70),
        ("pod 0 / slot 0", "plan 1", 0, 20),
        ("pod 0 / slot 0", "reserved 1", 20, 70),
        ("pod 0 / slot 1", "plan 2 failed", 0, 70),
        ("pod 1 / agent", "offline", 75, 90),
        ("pod 1 / pod", "ready", 0, 120),
        ("pod 1 / slot 0", "apply 3", 30.5, 120),  # not over at the horizon
        ("pod 1 / slot 0", "plan 3", 0, 20),
        ("pod 1 / slot 0", "reserved 3", 20, 30.5),
        ("pod 2 / pod", "ready", 100, 120),
        ("pod 2 / pod", "starting", 70, 100),
        ("pod 2 / slot 0", "apply 1", 102, 112),  # asks again every 10 s from 82 s on
        ("server / server", "down", 78, 82),
    ]
    assert [(e["name"], e["ts"] / S, e["s"], track[e["pid"], e["tid"]], e["args"]) for e in phase(events, "i")] == [
        ("pod deletion", 70, "p", "Always: pod 0 / pod", {"lasts (s)": 0}),
        ("pod offline", 75, "p", "Always: pod 1 / pod", {"lasts (s)": 10}),
        ("server restart", 78, "p", "Always: server / server", {"lasts (s)": 4}),
        ("pod offline", 80, "p", "Always: pod 1 / pod", {"lasts (s)": 10}),
    ]
    waits = [event for event in events if event["ph"] in "be"]
    assert {track[e["pid"], e["tid"]] for e in waits} == {"Always: waiting / apply waits"}
    assert [(e["ph"], e["name"], e["id2"], e["ts"] / S) for e in waits] == [
        ("b", "apply wait", {"local": "0x0"}, 82),
        ("b", "wait 1", {"local": "0x0"}, 82),
        ("e", "wait 1", {"local": "0x0"}, 102),
        ("e", "apply wait", {"local": "0x0"}, 102),
    ]
    assert waits[1]["args"] == {
        "task": 1, "workspace": "ws-1", "state": "applied", "apply wait (s)": 20, "censored": False,
        "polling (s)": 2, "pod starting (s)": 18,
    }  # fmt: skip
    assert counters(events, "Always") == {
        "pods": [(0, {"total": 2}), (120, {"total": 2})],
        "slots": [
            (0, {"running": 3, "reserved": 0}),
            (20, {"running": 1, "reserved": 2}),
            (30.5, {"running": 2, "reserved": 1}),
            (70, {"running": 1, "reserved": 0}),
            (102, {"running": 2, "reserved": 0}),
            (112, {"running": 1, "reserved": 0}),
            (120, {"running": 1, "reserved": 0}),
        ],
        "pending tasks": [(0, {"total": 0}), (120, {"total": 0})],
        "confirmed, waiting": [(0, {"total": 0}), (82, {"total": 1}), (102, {"total": 0}), (120, {"total": 0})],
    }


def counters(events: list[dict[str, Any]], label: str) -> dict[str, list[tuple[float, dict[str, int]]]]:
    found: dict[str, list[tuple[float, dict[str, int]]]] = {}
    track = names(events)
    for event in phase(events, "C"):
        if track[event["pid"], event["tid"]] == f"{label}: server / server":
            found.setdefault(event["name"], []).append((event["ts"] / S, event["args"]))
    return found


def test_what_a_task_of_a_slice_is_like() -> None:
    named = {event["name"]: event["args"] for event in phase(list(trace_events(small())), "X")}
    assert named["apply 1"] == {"task": 1, "workspace": "ws-1", "state": "applied", "apply wait (s)": 20}
    assert named["plan 2 failed"] == {"task": 2, "workspace": "ws-2", "state": "failed"}
    assert named["reserved 3"] == {"task": 3}


def test_running_tasks_that_a_restart_cuts_off_end_when_the_server_is_up() -> None:
    faults = [{"kind": "server_restart", "at": 10, "downtime": 5, "running_tasks": "fail"}]
    experiment = scenario(workload={"tasks": [plan(1, 0, 60)]}, faults=faults, pool={"min_pods": 1})
    (run,) = [e for e in trace_events(sim.run(experiment, [Always(1)])) if e["name"] == "plan 1 failed"]
    assert (run["ts"], run["dur"]) == (0, 15 * S)


def test_a_censored_wait_lasts_to_the_horizon() -> None:
    faults = [{"kind": "pod_deletion", "at": 10, "target": 0}]
    tasks = [plan_and_apply(1, 0, 5, 20, 5)]
    pool = {"min_pods": 0, "max_pods": 1, "initial_pods": 1}
    experiment = scenario(workload={"tasks": tasks}, faults=faults, horizon=60, pool=pool)
    events = list(trace_events(sim.run(experiment, [Always(0)])))
    assert [(e["name"], e["ts"]) for e in phase(events, "e")] == [("wait 1", 60 * S), ("apply wait", 60 * S)]
    assert phase(events, "b")[0]["args"]["censored"] is True
    assert counters(events, "Always")["confirmed, waiting"][-1] == (60, {"total": 1})


def test_nanoseconds_are_not_lost() -> None:
    experiment = scenario(workload={"tasks": [plan(1, 0.1, 0.2000001), plan(2, 0.1, 7)]}, pool={"min_pods": 1})
    events = list(trace_events(sim.run(experiment, [Always(1)])))
    (run,) = [event for event in events if event["name"] == "plan 1"]
    assert (run["ts"], run["dur"]) == (100_000, 200_000.1)


def test_processes_stand_together_by_policy_and_pods_by_number() -> None:
    experiment = sim.load_scenario("scenarios/reserved-pod-deleted.yaml")
    events = list(trace_events(sim.run(experiment, ["old", "fixed"])))
    rank = {e["pid"]: e["args"]["sort_index"] for e in phase(events, "M") if e["name"] == "process_sort_index"}
    named = [(rank[e["pid"]], e["args"]["name"]) for e in phase(events, "M") if e["name"] == "process_name"]
    assert [name for _, name in sorted(named)] == [
        *("old: server", "old: waiting", "old: pod 0", "old: pod 1"),
        *("fixed: server", "fixed: waiting", *(f"fixed: pod {number}" for number in range(6))),
    ]  # fmt: skip


def test_only_the_replication_asked_for() -> None:
    arrivals = {
        "process": "poisson",
        "rate": "60/h",
        "plan_and_apply_share": 0.5,
        "plan": 60,
        "confirm": 60,
        "apply": 60,
    }
    experiment = scenario(workload={"arrivals": arrivals}, pool={"min_pods": 1})
    both = sim.run(experiment, [Always(1)], replications=2)
    assert list(trace_events(both)) == list(trace_events(sim.run(experiment, [Always(1)])))
    assert list(trace_events(both, 1)) != list(trace_events(both, 0))
    with pytest.raises(InputError, match="replication: found 2, expected a whole number of 0 to 1"):
        trace_events(both, 2)
    with pytest.raises(InputError, match="found -1"):
        trace_events(both, -1)


def nanoseconds(event: dict[str, Any]) -> tuple[int, int]:
    """When a slice begins and ends, as Perfetto reads it."""
    begin = round(event["ts"] * 1000)
    return begin, begin + round(event["dur"] * 1000)


@given(scenarios(guarded=True))
def test_viewers_can_make_sense_of_it(experiment: Scenario) -> None:
    result = sim.run(experiment)
    events = list(trace_events(result))
    assert events == list(trace_events(sim.run(experiment)))
    assert json.loads(json.dumps(events, allow_nan=False)) == events
    horizon = experiment.horizon * S
    tracks = names(events)
    numbers = [pid for pid, _ in tracks] + [tid for _, tid in tracks]
    assert len({tid for _, tid in tracks}) == len(tracks) == len(set(numbers)) - len({pid for pid, _ in tracks})
    threads: dict[int, list[tuple[int, int]]] = {}
    open_waits: dict[tuple[Any, ...], list[tuple[str, float]]] = {}
    for event in events:
        assert (event["pid"], event["tid"]) in tracks or event["name"].startswith("process_")
        if event["ph"] == "M":
            continue
        assert math.isfinite(event["ts"]) and 0 <= event["ts"] <= horizon
        if event["ph"] == "X":
            assert event["dur"] >= 0 and event["ts"] + event["dur"] <= horizon
            threads.setdefault(event["tid"], []).append(nanoseconds(event))
        elif event["ph"] == "b":
            key = (event["pid"], event["cat"], event["id2"]["local"])
            open_waits.setdefault(key, []).append((event["name"], event["ts"]))
        elif event["ph"] == "e":
            name, begin = open_waits[event["pid"], event["cat"], event["id2"]["local"]].pop()
            assert name == event["name"] and begin < event["ts"]
    assert not any(open_waits.values())
    for spans in threads.values():
        stack: list[int] = []
        for begin, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            while stack and stack[-1] <= begin:
                stack.pop()
            assert not stack or end <= stack[-1]
            stack.append(end)


@given(scenarios(guarded=True))
def test_counters_are_what_the_frames_say(experiment: Scenario) -> None:
    result = sim.run(experiment)
    events = list(trace_events(result))
    named = names(events).items()
    processes = {label: {pid for (pid, _), name in named if name.startswith(f"{label}: ")} for label in result.labels}
    for label in result.labels:
        tasks, pods, reservations = (
            frame[frame.policy == label] for frame in (result.tasks, result.pods, result.reservations)
        )
        runs = [e for e in phase(events, "X") if e["cat"] == "task" and e["pid"] in processes[label]]
        confirmed = tasks[tasks.confirmed_at.notna()]
        spans = {
            ("pods", "total"): list(zip(pods.created_at, pods.deleted_at, strict=True)),
            ("slots", "running"): [(e["ts"] / S, (e["ts"] + e["dur"]) / S) for e in runs],
            ("slots", "reserved"): list(zip(reservations.reserved_at, reservations.released_at, strict=True)),
            ("pending tasks", "total"): list(zip(tasks.arrived_at, tasks.plan_started_at, strict=True)),
            ("confirmed, waiting", "total"): list(zip(confirmed.confirmed_at, confirmed.apply_started_at, strict=True)),
        }
        for name, samples in counters(events, label).items():
            assert (samples[0][0], samples[-1][0]) == (0, experiment.horizon)
            assert all(one != other for (_, one), (_, other) in pairwise(samples[:-1]))
            for time, levels in samples:
                at = min(time, experiment.horizon - 1e-6)
                for series, level in levels.items():
                    assert level >= 0
                    assert level == sum(begin <= at and not end <= at for begin, end in spans[name, series])
        done = tasks[tasks.state.isin(["planned", "applied"])]
        assert len(runs) == tasks.plan_started_at.notna().sum() + tasks.apply_started_at.notna().sum() >= len(done)


def test_the_file(tmp_path: Path) -> None:
    experiment = sim.load_scenario("scenarios/reserved-pod-deleted.yaml")
    result = sim.run(experiment)
    with reserved_place(tmp_path, "one") as place:
        stored = StoredResult(place.write(result))
    file = tmp_path / "new" / "trace.json"
    write_trace_events(stored, file)
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found == {"displayTimeUnit": "ms", "traceEvents": list(trace_events(result))}
    file.write_text("old")
    write_trace_events(result, file)
    assert json.loads(file.read_text(encoding="utf-8")) == found
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    result = small()
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "trace.json"):
        with pytest.raises(InputError, match=r"cannot be written: .*, expected a file"):
            write_trace_events(result, path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(InputError, match="replication"):
        write_trace_events(result, tmp_path / "trace.json", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to(os.devnull)
    write_trace_events(small(), link)
    assert link.is_symlink()


def test_an_interrupted_export_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "trace.json"
    file.write_text("old")

    def interrupted(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    result = small()
    monkeypatch.setattr("sim.report.trace_events.json.dumps", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_trace_events(result, file)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
