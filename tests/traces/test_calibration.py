"""Recorded against simulated waits: a recording made by the simulator gives its own settings back."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import sim
from sim.check.calibration import calibrate, distance_of
from sim.check.calibration_words import calibration_lines
from sim.cli.app import cli
from sim.results.as_trace import as_trace
from sim.scenario import InputError
from sim.traces.fit import fit
from sim.traces.importing import write_frame
from sim.traces.recording import read_recording

TRUE = """
name: platform
horizon: 8h
seed: 3
pool: {min_pods: 0, max_pods: 6, pod_startup: 47s, slots_per_pod: 2}
control: {dispatch_retry: 12s}
workload:
  arrivals: {process: poisson, rate: 30/h, workspaces: 20, plan_and_apply_share: 0.5, plan: {dist: lognormal, mean: 90s, cv: 0.7},
    confirm: {dist: exponential, mean: 6m}, apply: {dist: exponential, mean: 2m}}
policies: [demand]
"""


@pytest.fixture(scope="module")
def guessed(tmp_path_factory: pytest.TempPathFactory) -> sim.Scenario:
    """The recording of a run of TRUE, in a scenario whose settings are other ones."""
    folder = tmp_path_factory.mktemp("calibration")
    (folder / "true.yaml").write_text(TRUE)
    write_frame(as_trace(sim.run(sim.load_scenario(folder / "true.yaml"))), folder / "t.parquet")
    text = TRUE.replace("47s", "30s").replace("12s", "10s")
    (folder / "guess.yaml").write_text(text[: text.index("  arrivals")] + "  trace: t.parquet\npolicies: [demand]\n")
    return sim.load_scenario(folder / "guess.yaml")


def test_a_recording_of_the_simulator_gives_its_own_settings_back(guessed: sim.Scenario) -> None:
    found = calibrate(guessed, fit=["pod_startup", "dispatch_retry"], explain=False)
    assert found.distance > 1
    assert found.fitted == {"pod_startup": 47.0, "dispatch_retry": 12.0}
    assert found.distance_fitted == pytest.approx(0, abs=1e-6)
    right = guessed.with_changes(found.changes)
    waits = calibrate(right, explain=False).waits
    assert (waits.recorded - waits.simulated).abs().max() < 1e-6


def test_what_one_setting_alone_would_explain(guessed: sim.Scenario) -> None:
    found = calibrate(guessed.with_changes({"control.dispatch_retry": 12}))
    best = found.explained[0]
    assert (best.setting, best.best) == ("pod_startup", 45.0)  # of the values that are tried first
    assert best.distance < found.distance
    text = "\n".join(calibration_lines(found))
    assert "to plan, from the arrival" in text
    assert "The 10 waits that differ most" in text


def test_a_number_of_slots_is_found_too(guessed: sim.Scenario) -> None:
    other = guessed.with_changes({"pool.slots_per_pod": 3, "pool.pod_startup": 47, "control.dispatch_retry": 12})
    found = calibrate(other, fit=["slots_per_pod"], explain=False)
    assert found.fitted == {"slots_per_pod": 2}


def test_the_distance_is_the_mean_difference_of_equally_ranked_waits() -> None:
    waits = pd.DataFrame({"kind": ["plan", "plan", "apply"], "recorded": [1.0, 5.0, 0.0], "simulated": [7.0, 1.0, 3.0]})
    assert distance_of(waits) == (0 + 2 + 3) / 3


def test_a_wait_that_does_not_end_counts_as_long_as_it_was(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": ["a", "b"], "type": "plan", "arrive": [0.0, 10.0], "plan": [1000.0, 5.0],
         "recorded_plan_started": [0.0, 20.0]}
    )  # fmt: skip
    scenario = sim.Scenario.model_validate(
        {
            "name": "x", "horizon": 100, "pool": {"max_pods": 1, "slots_per_pod": 1, "apply_slots": 0},
            "workload": {"trace": "none"}, "policies": ["static"],
        }
    ).with_trace(frame)  # fmt: skip
    found = calibrate(scenario, explain=False)
    assert found.unstarted == 1
    assert found.waits.simulated.tolist() == [0, 90]


def test_waits_of_which_many_are_equally_long_are_named() -> None:
    from sim.check.calibration import Calibration

    waits = pd.DataFrame(
        {"kind": "apply", "task_id": range(100), "pool": "a", "asked_at": 0.0,
         "recorded": [600.0] * 10 + [1.0] * 90, "simulated": 0.0}
    )  # fmt: skip
    text = "\n".join(calibration_lines(Calibration("landed", waits, 0, distance_of(waits), ())))
    assert "10 of the recorded waits to apply are 600 s long, and 0 of the simulated ones" in text
    assert "Do not take simulated waits for those of your platform yet" in text


def test_the_command_prints_it_and_what_cannot_be_calibrated_is_told(tmp_path: Path) -> None:
    (tmp_path / "true.yaml").write_text(TRUE.replace("8h", "1h"))
    trace = as_trace(sim.run(sim.load_scenario(tmp_path / "true.yaml")))
    write_frame(trace, tmp_path / "t.parquet")
    path = tmp_path / "s.yaml"
    path.write_text(TRUE[: TRUE.index("workload")] + "workload: {trace: t.parquet}\npolicies: [demand]\n")
    done = CliRunner().invoke(cli, ["calibrate", str(path), "--no-explain", "--json", "--fit", "dispatch_retry"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["fitted"] == {"dispatch_retry": 12.0}
    done = CliRunner().invoke(cli, ["calibrate", str(path), "--fit", "speed"])
    assert "fit: found 'speed', expected some of: pod_startup, dispatch_retry" in str(done.exception)
    write_frame(trace[[name for name in trace if not name.startswith("recorded")]], tmp_path / "t.parquet")
    done = CliRunner().invoke(cli, ["calibrate", str(path)])
    assert "found a trace that does not say when tasks began" in str(done.exception)
    with pytest.raises(InputError, match="found no trace, expected one"):
        calibrate(sim.load_scenario(tmp_path / "true.yaml"))


def test_a_fit_to_a_generated_trace_finds_what_it_was_generated_with(tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text(
        """
name: g
horizon: 60d
workload:
  arrivals: {process: profile, start: "mon 00:00", rates: {"00:00": 1/h, "08:00": 10/h, "18:00": 2/h}, weekdays: {sat: 0.2, sun: 0.2},
    workspaces: {count: 30, skew: 1.0}, plan_and_apply_share: 0.6, plan: {dist: lognormal, median: 60s, sigma: 0.7},
    confirm: {dist: exponential, mean: 10m}, apply: {dist: gamma, shape: 3, scale: 20s}, no_changes_probability: 0.2,
    discard_probability: 0.15, plan_error_probability: 0.05, apply_error_probability: 0.1}
policies: [static]
"""
    )
    trace = as_trace(sim.run(sim.load_scenario(tmp_path / "g.yaml")))
    write_frame(trace.drop(columns="pool"), tmp_path / "t.parquet")
    found = fit(read_recording(tmp_path / "t.parquet"))
    (block,) = found.blocks
    assert block["process"] == "profile"
    rate = {hour: float(text.removesuffix("/h")) for hour, text in block["rates"].items()}
    weekday = block["weekdays"]
    assert rate["10:00"] * weekday["tue"] == pytest.approx(10, rel=0.15)
    assert rate["03:00"] * weekday["sun"] == pytest.approx(0.2, rel=0.5)
    assert block["workspaces"]["count"] == 30
    assert block["workspaces"]["skew"] == pytest.approx(1, abs=0.1)
    assert block["plan"]["dist"] == "lognormal"
    assert block["plan"]["median"] == pytest.approx(60, rel=0.05)
    assert block["apply"]["dist"] == "gamma"
    assert block["apply"]["shape"] == pytest.approx(3, rel=0.1)
    assert block["confirm"]["dist"] in ("exponential", "gamma", "weibull")
    for name, value in (("plan_and_apply_share", 0.6), ("no_changes_probability", 0.19), ("discard_probability", 0.15),
                        ("plan_error_probability", 0.05), ("apply_error_probability", 0.1)):  # fmt: skip
        assert block[name] == pytest.approx(value, abs=0.03), name
    assert all(each.distance < 0.05 for each in found.likeness)


def test_the_block_that_is_printed_can_be_read_and_its_scenario_runs(tmp_path: Path) -> None:
    (tmp_path / "true.yaml").write_text(TRUE)
    write_frame(as_trace(sim.run(sim.load_scenario(tmp_path / "true.yaml"))), tmp_path / "t.parquet")
    path, picture = tmp_path / "fitted.yaml", tmp_path / "p.png"
    done = CliRunner().invoke(
        cli, ["fit", str(tmp_path / "t.parquet"), "--scenario", str(path), "--picture", str(picture), "--empirical"]
    )
    assert done.exit_code == 0, done.output
    assert picture.stat().st_size > 10_000
    (tmp_path / "block.yaml").write_text("name: block\nhorizon: 1h\npools: {default: {}}\nworkload:\n" + "".join(
        f"  {line}\n" for line in done.stdout.splitlines()
    ))  # fmt: skip
    assert sim.load_scenario(tmp_path / "block.yaml").workload.blocks[0].process == "poisson"
    scenario = sim.load_scenario(path)
    assert scenario.replications == 20
    sim.run(scenario, ["demand"], 1)


def test_some_workspaces_may_be_busier() -> None:
    scenario = sim.Scenario.model_validate(
        {
            "name": "x", "horizon": "100h", "policies": ["static"],
            "workload": {"arrivals": {"process": "deterministic", "rate": "100/h", "plan": 1,
                                      "workspaces": {"count": 3, "skew": 1.0}}},
        }
    )  # fmt: skip
    result = sim.run(scenario)
    assert result.varies
    counts = result.tasks.workspace.value_counts(normalize=True)
    # 1, 1/2 and 1/3 of 11/6.
    assert counts.to_dict() == pytest.approx({"ws-1": 6 / 11, "ws-2": 3 / 11, "ws-3": 2 / 11}, abs=0.02)
