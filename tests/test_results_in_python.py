"""Results in Python: read again, as tidy figures, and as text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import sim
from sim.cli.app import cli

SCENARIO = "scenarios/reserved-pod-deleted.yaml"


def test_a_result_that_was_written_is_the_same_when_it_is_read(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["run", SCENARIO, "-q", "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    loaded, made = sim.load_result(tmp_path / "reserved-pod-deleted"), sim.run(SCENARIO)
    pd.testing.assert_frame_equal(loaded.tasks, made.tasks)
    pd.testing.assert_frame_equal(loaded.metrics, made.metrics)
    assert repr(loaded) == repr(made)
    assert loaded.plot is not None
    with pytest.raises(sim.InputError, match="expected a folder that sim run has written"):
        sim.load_result(tmp_path)


def test_figures_are_a_row_for_each_policy_and_metric() -> None:
    metrics = sim.run(SCENARIO, ["old", "fixed"]).metrics
    longest = metrics[metrics.metric == "apply_wait.max"].set_index("policy").value
    assert longest.to_dict() == {"old": 4930.0, "fixed": 0.0}
    assert not metrics.duplicated(["policy", "metric"]).any()


def test_a_result_shows_its_answer() -> None:
    text = repr(sim.run(SCENARIO, ["old", "fixed"]))
    assert text.startswith("Result of reserved-pod-deleted (old, fixed; 1 replication)\n")
    assert "another run gives the same" in text


def test_what_is_no_scenario_is_told() -> None:
    with pytest.raises(sim.InputError, match="found int, expected a scenario or its file"):
        sim.run(5)  # type: ignore[arg-type]
