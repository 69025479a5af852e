"""A run as a trace, and a recording as many worlds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import sim
from sim.cli.app import cli
from sim.results.as_trace import as_trace
from sim.scenario import InputError
from sim.traces.importing import write_frame
from sim.world.resampling import DAY, resampled
from sim.world.streams import For, Stream

GENERATED = """
name: generated
horizon: 6h
seed: 7
pool: {min_pods: 1, max_pods: 4, pod_startup: {dist: exponential, mean: 40s}}
workload: WORKLOAD
faults:
  - {kind: pod_deletion, every: {dist: exponential, mean: 1h}, target: random}
policies: [old, demand]
"""
ARRIVALS = """
  arrivals: {process: poisson, rate: 40/h, workspaces: 12, plan_and_apply_share: 0.6, plan: {dist: lognormal, mean: 90s, cv: 1},
    confirm: {dist: exponential, mean: 5m}, confirm_probability: 0.9, apply: {dist: exponential, mean: 2m},
    no_changes_probability: 0.1, plan_error_probability: 0.05, discard_probability: 0.1, apply_error_probability: 0.1,
    cancel: {dist: exponential, mean: 1h}, cancel_probability: 0.1}
"""


def test_a_run_written_as_a_trace_is_the_same_run_again(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GENERATED.replace("WORKLOAD", ARRIVALS))
    done = CliRunner().invoke(cli, ["run", str(tmp_path / "a.yaml"), "-q", "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    trace = str(tmp_path / "t.parquet")
    done = CliRunner().invoke(cli, ["export", str(tmp_path / "out/generated"), "--trace", trace, "-p", "demand"])
    assert done.exit_code == 0, done.output
    (tmp_path / "b.yaml").write_text(GENERATED.replace("WORKLOAD", "{trace: t.parquet}"))
    first, again = (sim.run(sim.load_scenario(tmp_path / name)) for name in ("a.yaml", "b.yaml"))
    as_they_were = first.tasks.drop(columns=["workspace"])
    pd.testing.assert_frame_equal(as_they_were, again.tasks.drop(columns=["workspace"]))
    assert (first.tasks.workspace.astype(str) == again.tasks.workspace).all()
    pd.testing.assert_frame_equal(first.pods, again.pods)
    mine = first.tasks[first.tasks.policy == "demand"].reset_index(drop=True)
    written = pd.read_parquet(trace)
    np.testing.assert_array_equal(written.recorded_apply_started, mine.apply_started_at)
    # And as a trace of the results that came of the trace, which is read from where it was.
    sim_again = CliRunner().invoke(cli, ["run", str(tmp_path / "b.yaml"), "-q", "-o", str(tmp_path / "out2")])
    assert sim_again.exit_code == 0, sim_again.output
    second = str(tmp_path / "t2.parquet")
    done = CliRunner().invoke(cli, ["export", str(tmp_path / "out2/generated"), "--trace", second, "-p", "demand"])
    assert done.exit_code == 0, done.output
    pd.testing.assert_frame_equal(pd.read_parquet(second), written)


def test_a_run_that_there_is_not_is_no_trace() -> None:
    scenario = sim.Scenario.model_validate(
        {
            "name": "x",
            "horizon": 60,
            "workload": {"tasks": [{"id": 1, "type": "plan", "workspace": "a", "arrive": 0, "plan": 1}]},
        }
    )
    result = sim.run(scenario)
    with pytest.raises(InputError, match="expected one of: old, fixed"):
        as_trace(result, "demand")
    with pytest.raises(InputError, match="found 3, expected a number below 1"):
        as_trace(result, None, 3)


@given(
    arrive=st.lists(st.integers(0, 40 * 86400), min_size=1, max_size=50).map(sorted),
    block=st.sampled_from([3600.0, DAY, 2 * DAY, 7 * DAY, 5000.5]),
    horizon=st.integers(1, 30 * 86400),
    seed=st.integers(0, 1000),
)
def test_a_resampled_world_is_made_of_blocks_of_the_recording(
    arrive: list[int], block: float, horizon: int, seed: int
) -> None:
    times = np.array([*map(float, arrive), 41 * DAY])
    number = np.arange(len(times))
    columns = {"arrive": times, "number": number, "id": number}
    found = resampled(columns, block, horizon, Stream(seed, 0, For.RESAMPLE))
    assert "id" not in found
    moved = found["arrive"] - times[found["number"]]
    assert (np.diff(found["arrive"]) >= 0).all()
    assert (found["arrive"] < horizon).all()
    for place in np.unique(found["arrive"] // block):
        assert len(set(moved[found["arrive"] // block == place].round(5))) == 1  # One shift for all of a block.
    if block % DAY == 0:
        assert (moved % DAY == 0).all()
    if block % (7 * DAY) == 0:
        assert (moved % (7 * DAY) == 0).all()


def recording(folder: Path, resample: str = "resample: 1d", horizon: str = "4d") -> sim.Scenario:
    """Ten days with a task of its own workspace each day at 8:00; on odd days it is discarded."""
    rows = ["id,workspace,type,arrive,plan,confirm,apply,decision"]
    rows += [
        f"{day},ws-{day},plan_and_apply,{day * 86400 + 28800},60,60,60,{'discard' if day % 2 else 'confirm'}"
        for day in range(10)
    ]
    (folder / "t.csv").write_text("\n".join(rows))
    path = folder / "s.yaml"
    path.write_text(
        f"name: s\nhorizon: {horizon}\nreplications: 20\nworkload: {{trace: {{file: t.csv, {resample}}}}}\npolicies: [demand]\n"
    )
    return sim.load_scenario(path)


def test_each_replication_is_another_world_and_workspaces_and_endings_stay_together(tmp_path: Path) -> None:
    result = sim.run(recording(tmp_path))
    assert result.varies
    tasks = result.tasks
    assert tasks.groupby("replication").size().tolist() == [4] * 20
    assert (tasks.arrived_at % 86400 == 28800).all()
    days = tasks.workspace.str.removeprefix("ws-").astype(int)
    assert ((days % 2 == 1) == (tasks.state == "discarded")).all()
    assert len({tuple(part.workspace) for _, part in tasks.groupby("replication")}) > 10
    again = sim.run(recording(tmp_path))
    pd.testing.assert_frame_equal(tasks, again.tasks)


def test_a_block_longer_than_the_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="resample: found 864000 s, expected at most the time up to the last arrival"):
        recording(tmp_path, "resample: 10d")


def test_a_trace_is_written_beside_its_place_first(tmp_path: Path) -> None:
    frame = pd.DataFrame({"arrive": [0.0]})
    with pytest.raises(InputError, match="cannot be written"):
        write_frame(frame, tmp_path / "none" / "t.parquet")
    with pytest.raises(InputError, match=r"expected a file that ends in \.parquet"):
        write_frame(frame, tmp_path / "t.csv")
    write_frame(frame, tmp_path / "t.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]
