"""The shipped scenarios show what their descriptions say."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

import sim
from sim.scenario.schema import scenario_schema
from sim.traces.recording import recording_of

from support import Outcome, outcome

SCENARIOS = Path(__file__).parent.parent / "scenarios"
RECORDING = SCENARIOS / "../../shared/traces/gecko-3-b-linux.dat"


def load(name: str) -> sim.Scenario:
    return sim.load_scenario(SCENARIOS / f"{name}.yaml")


def both(name: str) -> tuple[Outcome, Outcome]:
    result = sim.run(load(name))
    return outcome(result, "old"), outcome(result, "fixed")


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_is_named_after_its_file_and_says_what_to_look_for(path: Path) -> None:
    if path.stem == "firefox-ci" and not RECORDING.exists():
        pytest.skip("the recording is not there")
    scenario = sim.load_scenario(path)
    assert scenario.name == path.stem
    assert "ook " in scenario.description


def test_reserved_pod_deleted() -> None:
    old, fixed = both("reserved-pod-deleted")
    assert (old.tasks[598].apply_wait, fixed.tasks[598].apply_wait) == (4930, 0)
    assert len(fixed.pods) == 6


def test_reserved_pod_deleted_none_left() -> None:
    old, fixed = both("reserved-pod-deleted-none-left")
    assert (old.tasks[1].apply_wait, fixed.tasks[1].apply_wait) == (2500, 2110)


def test_only_pod_deleted() -> None:
    for result in both("only-pod-deleted"):
        assert result.tasks[1].censored
        assert result.tasks[2].state == "pending"
        assert len(result.pods) > 100


def test_apply_slots_busy() -> None:
    old, fixed = both("apply-slots-busy")
    assert (old.tasks[1].apply_wait, fixed.tasks[1].apply_wait) == (3250, 1480)


def test_reservation_lost_while_thinking() -> None:
    old, fixed = both("reservation-lost-while-thinking")
    assert all(task.apply_wait == 0 for result in (old, fixed) for task in result.tasks.values())
    assert len(fixed.pods) - len(old.pods) == 7


def test_server_restarts() -> None:
    late = both("server-restart-late-reconciliation")
    instant = both("server-restart-instant-reconciliation")
    assert [max(result.tasks[n].apply_wait for n in (1, 2, 3)) for result in late] == [120, 120]
    assert [max(result.tasks[n].apply_wait for n in (1, 2, 3)) for result in instant] == [0, 0]


def test_reserved_pod_offline() -> None:
    for result in both("reserved-pod-offline"):
        assert result.tasks[1].apply_wait == 1440


def test_steady_day_is_planned_under_fixed_and_not_under_old() -> None:
    figures = sim.run(load("steady-day")).summary["policies"]
    assert figures["old"]["unplanned"]["value"] > 5 * figures["fixed"]["unplanned"]["value"]
    assert figures["old"]["censored"]["value"] > 0


@pytest.mark.skipif(not RECORDING.exists(), reason="the recording is not there")
def test_firefox_ci_has_the_recorded_arrivals() -> None:
    scenario = load("firefox-ci")
    recording = recording_of(scenario)
    assert recording is not None
    assert len(recording) == 36511
    assert recording.columns["arrive"][0] == 67.949


def test_a_recording_that_is_missing_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "firefox-ci.yaml"
    path.write_text((SCENARIOS / "firefox-ci.yaml").read_text())
    with pytest.raises(sim.InputError, match=r"firefox-ci\.yaml:15: workload\.trace: .*found no such trace file"):
        sim.load_scenario(path)


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_schema_for_editors_accepts_them(path: Path) -> None:
    document = YAML(typ="safe", pure=True).load(path.read_text())
    Draft202012Validator.check_schema(scenario_schema())
    assert [error.message for error in Draft202012Validator(scenario_schema()).iter_errors(document)] == []
    wrong = {**document, "horizon": "2x", "polices": []}
    assert len(list(Draft202012Validator(scenario_schema()).iter_errors(wrong))) == 2
