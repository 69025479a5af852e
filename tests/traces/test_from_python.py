"""Traces from Python: frames in place of files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import sim

ROWS = pd.DataFrame(
    {
        "run": ["a", "b"],
        "created": pd.to_datetime(["2026-03-02T09:00:00Z", "2026-03-02T09:00:30Z"]),
        "began": pd.to_datetime(["2026-03-02T09:00:10Z", "2026-03-02T09:00:40Z"]),
        "ended": pd.to_datetime(["2026-03-02T09:01:10Z", "2026-03-02T09:02:10Z"]),
    }
)
COLUMNS = {"id": "run", "arrive": "created", "plan": ["began", "ended"]}
SCENARIO = {"name": "x", "horizon": "1h", "policies": ["demand"], "workload": {}}


def test_a_trace_is_read_from_a_frame() -> None:
    frame = sim.read_trace(ROWS, columns=COLUMNS)
    assert frame.id.tolist() == ["a", "b"]
    assert frame.arrive.tolist() == [0, 30]
    assert frame.plan.tolist() == [60, 90]
    assert frame.attrs["zero"] == 1772442000
    guessed = sim.read_trace(ROWS)
    assert guessed.recorded_plan_started.tolist() == [10, 40]
    assert "arrival = created" in guessed.attrs["notes"][0]


@pytest.mark.parametrize("trace", ["as it is", "with a share"])
def test_a_frame_may_stand_where_a_scenario_names_a_file(trace: str) -> None:
    frame = sim.read_trace(ROWS, columns=COLUMNS).drop(columns=["type", "confirm"])
    if trace == "as it is":
        given: object = frame.assign(type="plan")
    else:
        given = {"file": frame, "plan_and_apply_share": 1, "confirm": "5s"}
        frame["apply"] = 1.0
    scenario = sim.Scenario.from_dict({**SCENARIO, "workload": {"trace": given}})
    result = sim.run(scenario)
    assert result.tasks.task_id.tolist() == ["a", "b"]
    assert result.tasks.arrived_at.tolist() == [0, 30]
    assert (result.tasks.state == ("planned" if trace == "as it is" else "applied")).all()
    changed = sim.run(scenario.with_changes({"pool.max_pods": 3}), seed=5)
    assert changed.tasks.arrived_at.tolist() == [0, 30]


def test_a_frame_reaches_other_processes(tmp_path: Path) -> None:
    frame = sim.read_trace(ROWS, columns=COLUMNS)
    scenario = sim.Scenario.from_dict(
        {**SCENARIO, "workload": {"trace": frame}, "pool": {"pod_startup": {"dist": "exponential", "mean": 9}}}
    )
    alone, two = sim.run(scenario, replications=4), sim.run(scenario, replications=4, jobs=2)
    pd.testing.assert_frame_equal(alone.tasks, two.tasks)


def test_mistakes_are_told_by_their_path() -> None:
    with pytest.raises(
        sim.InputError, match=r"workload\.trace\.timezone: found 'Mars', expected the name of a time zone"
    ):
        sim.Scenario.from_dict({**SCENARIO, "workload": {"trace": {"file": ROWS, "timezone": "Mars"}}})
    with pytest.raises(sim.InputError, match="columns: found a mapping, expected arrive among them"):
        sim.read_trace(ROWS, columns={"plan": "began"})
    with pytest.raises(sim.InputError, match=r"pool\.max_pods: found -1"):
        sim.Scenario.from_dict({**SCENARIO, "pool": {"max_pods": -1}})


def test_a_fit_stands_in_a_scenario_as_it_is() -> None:
    many = pd.concat([ROWS.assign(created=ROWS.created + pd.Timedelta(minutes=n)) for n in range(200)])
    frame = sim.read_trace(many, columns={"arrive": "created", "plan": ["began", "ended"]})
    fitted = sim.fit_arrivals(frame)
    scenario = sim.Scenario.from_dict({**SCENARIO, "workload": {"arrivals": list(fitted.blocks)}})
    assert len(sim.run(scenario, replications=2).tasks) > 100
