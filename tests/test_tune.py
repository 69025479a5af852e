"""`sim tune`: a search for settings that survives being killed and does not praise luck."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import sim
from sim.cli.app import cli
from sim.experiment.choose import Constraint
from sim.experiment.points import axes_of
from sim.experiment.sweep import Sweep
from sim.experiment.tune import Tuned, tune
from sim.scenario import InputError

QUEUE = """
name: queue
horizon: 6h
replications: 3
warmup: 1h
pool: {min_pods: 7, max_pods: 20, initial_pods: 7, slots_per_pod: 1, apply_slots: 0, pod_startup: 0s}
control: {dispatch: notify}
workload: {arrivals: {process: poisson, rate: 120/h, plan: {dist: exponential, mean: 3m}}}
policies: [{name: static, pods: 20}]
"""


def search(folder: Path, trials: int, values: str = "7..20") -> Tuned:
    (folder / "queue.yaml").write_text(QUEUE)
    sweep = Sweep(sim.load_scenario(folder / "queue.yaml"), (), ["static"])
    axes = axes_of({"static.pods": values})
    return tune(sweep, axes, "pod_seconds", [Constraint("plan_wait.mean", 7.0, 0.1)], trials, folder / "trials.log")


def test_the_smallest_number_of_servers_within_a_limit_is_found(tmp_path: Path) -> None:
    # Erlang C: mean waits of 11.8 s with 9 servers, 4.6 s with 10.
    found = search(tmp_path, 20)
    assert found.tried[0].point == {"static.pods": 10}
    assert found.tried[0].feasible
    assert found.given.point == {}
    for tried, pods in ((found.given, 20), (found.given_fresh, 20), (found.fresh, 10)):
        assert tried.figure == pytest.approx(pods * 6 * 3600, rel=0.001)  # the pods are made at the first tick


def test_a_search_that_goes_on_is_the_same_as_one_in_one_go(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    search(tmp_path / "a", 4)
    in_parts, in_one_go = search(tmp_path / "a", 9), search(tmp_path / "b", 9)
    assert in_parts == in_one_go


def test_half_a_line_that_a_kill_left_does_no_harm(tmp_path: Path) -> None:
    whole = search(tmp_path, 5)
    journal = tmp_path / "trials.log"
    journal.write_bytes(journal.read_bytes()[:-20])
    assert search(tmp_path, 5) == whole


def test_a_search_that_is_killed_goes_on(tmp_path: Path) -> None:
    (tmp_path / "queue.yaml").write_text(QUEUE)
    command = [sys.executable, "-m", "sim", "tune", str(tmp_path / "queue.yaml"), "--set", "static.pods=7..20",
               "--minimize", "pod_seconds", "--subject-to", "plan_wait.mean <= 7s", "--trials", "8", "-j", "1", "-o"]  # fmt: skip
    whole = subprocess.run([*command, str(tmp_path / "one")], check=True, capture_output=True, text=True).stdout
    process = subprocess.Popen([*command, str(tmp_path / "two")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = tmp_path / "two/queue-tune/trials.log"
    while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < 12):
        os.sched_yield()
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = subprocess.run([*command, str(tmp_path / "two")], check=True, capture_output=True, text=True).stdout
    assert again.replace("/two/", "/one/") == whole


def test_nothing_within_the_limits_is_said_and_the_nearest_is_named(tmp_path: Path) -> None:
    found = search(tmp_path, 6, "7..8")
    assert not any(each.feasible for each in found.tried)
    assert found.tried[0].limited[0] == min(each.limited[0] for each in found.tried)


def test_the_command_says_by_how_much_the_search_flattered(tmp_path: Path) -> None:
    (tmp_path / "queue.yaml").write_text(QUEUE)
    command = ["tune", str(tmp_path / "queue.yaml"), "-o", str(tmp_path / "out"), "-j", "1"]
    done = CliRunner().invoke(
        cli, [*command, "--set", "static.pods=8..12", "--minimize", "pod_seconds", "--trials", "5",
              "--subject-to", "plan_wait.mean <= 20s"],
    )  # fmt: skip
    assert done.exit_code == 0, (done.output, done.exception)
    assert "Against the scenario's settings it saves" in done.stdout
    assert "sim run SCENARIO --set static.pods=" in done.stdout
    assert json.loads((tmp_path / "out/queue-tune/study.json").read_text())["kind"] == "tune"
    wrong = CliRunner().invoke(cli, [*command, "--set", "static.pod=8..12", "--minimize", "pod_seconds"])
    assert isinstance(wrong.exception, InputError)
    assert "found a parameter static does not have" in str(wrong.exception)


def test_without_optuna_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install 'slotpool-sim\[tune\]'"):
        search(tmp_path, 1)
