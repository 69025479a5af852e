"""`sim sweep`: many settings in the same worlds, and a study that survives being killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import sim
from sim.cli.app import cli
from sim.experiment.points import axis_of, grid, sample
from sim.experiment.sweep import Sweep, run_points
from sim.results.study import Study, asked
from sim.scenario import InputError

TEXT = """
name: small
horizon: 2h
replications: 5
pool: {min_pods: 1, max_pods: 4}
workload:
  arrivals: {process: poisson, rate: 60/h, plan_and_apply_share: 0.5, plan: {dist: exponential, mean: 90s}, confirm: 1m, apply: 60s}
policies: [fixed, demand]
"""


def small(folder: Path, more: str = "") -> Path:
    path = folder / "small.yaml"
    path.write_text(TEXT + more)
    return path


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5..20:5", (5, 10, 15, 20)),
        ("5..8", (5, 6, 7, 8)),
        ("1m,5m, 15m", ("1m", "5m", "15m")),
        ("10s..40s:10s", ("10s", "20s", "30s", "40s")),
        ("30s..2m:30s", ("30s", "60s", "90s", "120s")),
        ("1..1000:log4", (1, 10, 100, 1000)),
        ("0.1..0.3:0.1", (0.1, 0.2, 0.3)),
        ("first_slots,any_slot", ("first_slots", "any_slot")),
        ("true,null", (True, None)),
        ("{dist: exponential, mean: 3},5", ({"dist": "exponential", "mean": 3}, 5)),
        (range(2, 9, 3), (2, 5, 8)),
        (7, (7,)),
    ],
)
def test_values_are_lists_and_ranges(text: Any, values: tuple[Any, ...]) -> None:
    assert axis_of("pool.max_pods", text).values == values


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("20..5", "the lower end first"),
        ("5..20:0", "a step above 0"),
        ("0..5:log", "a lower end above 0"),
        ("1..5:log1", "a number of values of at least 2"),
        ("1m..5", "the same unit at both ends"),
        ("a..b", "a range of numbers"),
        ((), "expected a list or a range"),
    ],
)
def test_values_that_are_none_are_refused(text: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        axis_of("pool.max_pods", text)


@given(st.integers(1, 40), st.sampled_from(["lhs", "sobol"]), st.integers(0, 5))
def test_a_sample_fills_the_ranges_and_stays_within_them(count: int, method: Any, seed: int) -> None:
    axes = [axis_of("a", "5..50"), axis_of("b", "10s..30m:log"), axis_of("c", "x,y")]
    points = sample(axes, count, method, seed)
    assert 1 <= len(points) <= count
    assert points == sample(axes, count, method, seed)
    for point in points:
        assert isinstance(point["a"], int)
        assert 5 <= point["a"] <= 50
        assert 10 <= float(str(point["b"]).removesuffix("s")) <= 1800
        assert point["c"] in ("x", "y")


def test_a_latin_hypercube_has_a_point_in_each_part_of_a_range() -> None:
    points = sample([axis_of("a", "0.0..1.0")], 20, "lhs", 1)
    assert sorted(int(float(str(point["a"])) * 20) for point in points) == list(range(20))


def test_a_grid_is_every_combination_and_its_size_is_limited() -> None:
    assert list(grid([axis_of("a", "1,2"), axis_of("b", "3,4")])) == [
        {"a": 1, "b": 3}, {"a": 1, "b": 4}, {"a": 2, "b": 3}, {"a": 2, "b": 4},
    ]  # fmt: skip
    with pytest.raises(InputError, match="expected at most 1,000,000: --sample"):
        list(grid([axis_of("a", "1..100000"), axis_of("b", "1..100")]))


def test_every_point_has_the_figures_of_a_run_with_those_settings(tmp_path: Path) -> None:
    scenario = sim.load_scenario(small(tmp_path))
    sweep = Sweep(scenario, [{"pool.max_pods": 2, "demand.keep": 60}, {"pool.max_pods": 4, "demand.keep": 60}])
    for found in run_points(sweep, sweep.points):
        alone = sim.run(scenario.with_changes(found.point))
        for label in ("fixed", "demand"):
            entry = alone.summary["policies"][label]["plan_wait"]["p95"]
            figure = found.figures[label]["plan_wait.p95"]
            assert (figure.value, figure.ci_low, figure.ci_high) == (entry["value"], entry["ci_low"], entry["ci_high"])


def swept(folder: Path, *more: str) -> pd.DataFrame:
    done = CliRunner().invoke(
        cli, ["sweep", str(folder / "small.yaml"), "--set", "pool.max_pods=2..4", "-q", "-j", "1", "-o", str(folder / "out"), *more]
    )  # fmt: skip
    assert done.exit_code == 0, (done.output, done.exception)
    return pd.read_parquet(folder / "out/small-sweep/points.parquet")


def test_the_command_writes_points_and_a_question(tmp_path: Path) -> None:
    small(tmp_path)
    picture = tmp_path / "p.png"
    frame = swept(tmp_path, "--picture", str(picture))
    assert list(frame.columns) == [
        "point", "policy", "metric", "value", "ci_low", "ci_high", "lower_bound", "replications", "pool.max_pods",
    ]  # fmt: skip
    assert frame["pool.max_pods"].unique().tolist() == [2, 3, 4]
    assert frame.policy.unique().tolist() == ["fixed", "demand"]
    assert picture.stat().st_size > 5000
    question = json.loads((tmp_path / "out/small-sweep/study.json").read_text())
    assert question["points"] == [{"pool.max_pods": number} for number in (2, 3, 4)]


def test_a_point_that_is_there_is_not_run_again_and_jobs_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(tmp_path)
    first = swept(tmp_path)
    monkeypatch.setattr("sim.experiment.sweep._run_point", lambda *args: pytest.fail("A point was run again."))
    pd.testing.assert_frame_equal(swept(tmp_path), first)
    monkeypatch.undo()
    (tmp_path / "other").mkdir()
    small(tmp_path / "other")
    pd.testing.assert_frame_equal(swept(tmp_path / "other", "-j", "2"), first)


def test_a_line_that_a_kill_cut_off_is_run_again(tmp_path: Path) -> None:
    small(tmp_path)
    first = swept(tmp_path)
    journal = tmp_path / "out/small-sweep/points.jsonl"
    data = journal.read_bytes()
    for cut in (0, 10, len(data) // 2, len(data) - 1):
        journal.write_bytes(data[:cut])
        (tmp_path / "out/small-sweep/points.parquet").unlink()
        pd.testing.assert_frame_equal(swept(tmp_path), first)
    assert journal.read_bytes() == data


def test_a_sweep_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    path = small(tmp_path, "")
    command = [sys.executable, "-m", "sim", "sweep", str(path), "--set", "pool.max_pods=2..4", "--set",
               "demand.keep=10s..60s:10s", "-j", "1", "-q", "-o"]  # fmt: skip
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    journal = tmp_path / "killed/small-sweep/points.jsonl"
    for points in (1, 6):
        process = subprocess.Popen([*command, str(tmp_path / "killed")])
        while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < points):
            os.sched_yield()
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([*command, str(tmp_path / "killed")], check=True)
    whole, killed = ((tmp_path / name / "small-sweep/points.parquet").read_bytes() for name in ("whole", "killed"))
    assert whole == killed


def test_a_sweep_from_python_gives_the_points_as_a_frame(tmp_path: Path) -> None:
    scenario = sim.load_scenario(small(tmp_path))
    frame = sim.sweep(scenario, {"pool.max_pods": range(2, 5)})
    pd.testing.assert_frame_equal(frame, swept(tmp_path))
    some = sim.sweep(scenario, {"pool.max_pods": "2..9", "demand.keep": "10s..5m"}, ["demand"], 2, sample=3)
    assert some.point.nunique() == 3
    assert some.policy.unique().tolist() == ["demand"]


def test_another_question_or_another_process_is_refused(tmp_path: Path) -> None:
    scenario = sim.load_scenario(small(tmp_path))
    sweep = Sweep(scenario, [{"pool.max_pods": 2}])
    study = Study(tmp_path / "study", asked(sweep))
    with study.opened() as done:
        assert done == set()
        with (
            pytest.raises(InputError, match="found another process at this study"),
            Study(tmp_path / "study", asked(sweep)).opened(),
        ):
            pass
    other = asked(Sweep(scenario, [{"pool.max_pods": 3}]))
    with (
        pytest.raises(InputError, match=r"asked for something else \(points\)"),
        Study(tmp_path / "study", other).opened(),
    ):
        pass
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("all of it")
    with pytest.raises(InputError, match="holds no study"), Study(tmp_path / "mine", other).opened():
        pass


def test_a_scenario_may_say_what_to_sweep(tmp_path: Path) -> None:
    small(tmp_path, "sweep: {set: {demand.keep: [1m, 2m], pool.max_pods: 2..3}}\n")
    done = CliRunner().invoke(cli, ["sweep", str(tmp_path / "small.yaml"), "-j", "1", "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, (done.output, done.exception)
    assert len(done.stdout.splitlines()) == 4 * 2 + 5
    frame = pd.read_parquet(tmp_path / "out/small-sweep/points.parquet")
    assert frame["demand.keep"].unique().tolist() == ["1m", "2m"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (["pool.max_pods"], "expected PATH=VALUES"),
        ([], "found no setting, expected one at least"),
        (["pool.max_pods=0..2"], "min_pods: found 1, expected at most max_pods"),
        (["nothing.max_pods=1"], "found 'nothing', expected it to begin with one of"),
        (["demand.kep=1m,2m"], "found a parameter demand does not have"),
    ],
)
def test_a_mistake_in_any_point_stops_it_before_the_first_is_run(
    tmp_path: Path, settings: list[str], problem: str
) -> None:
    small(tmp_path)
    done = CliRunner().invoke(
        cli,
        ["sweep", str(tmp_path / "small.yaml"), "-o", str(tmp_path / "out"), *(f"--set={each}" for each in settings)],
    )
    assert problem in str(done.exception)
    assert not (tmp_path / "out").exists()
