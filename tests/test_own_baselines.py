"""The project checks itself: shipped scenarios against committed baselines, and the commands of the CI examples."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import sim
from sim.check.baseline import read_baseline
from sim.check.checks import check

ROOT = Path(__file__).parent.parent
BASELINES = ROOT / "results" / "baselines"
CHECKED = sorted(path for path in (ROOT / "scenarios").glob("*.yaml") if path.stem != "firefox-ci")


@pytest.mark.parametrize("path", CHECKED, ids=lambda path: path.stem)
def test_shipped_scenarios_meet_their_thresholds_and_are_no_worse_than_their_baselines(path: Path) -> None:
    scenario = sim.load_scenario(path)
    baseline = read_baseline(BASELINES / f"{scenario.name}.json")
    assert baseline is not None, "make it with: sim check scenarios/*.yaml --save-baseline"
    findings = check(scenario, sim.run(scenario).measured, baseline)
    assert [finding.message for finding in findings if finding.blocks] == []
    assert any(finding.kind == "threshold" for finding in findings)


def commands(node: object) -> list[str]:
    """Every text in a CI file that runs the simulator."""
    if isinstance(node, dict):
        return [command for value in node.values() for command in commands(value)]
    if isinstance(node, list):
        return [command for value in node for command in commands(value)]
    return [node] if isinstance(node, str) and node.startswith("sim ") else []


@pytest.mark.parametrize("name", ["github.yml", "gitlab.yml"])
def test_the_commands_of_the_ci_examples_work(name: str, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    shutil.copy(ROOT / "scenarios/reserved-pod-deleted.yaml", tmp_path / "scenarios")
    shutil.copytree(BASELINES, tmp_path / "results/baselines")
    found = commands(YAML(typ="safe", pure=True).load((ROOT / "docs/ci" / name).read_text()))
    assert found
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in found:
        done = subprocess.run(["bash", "-ec", command], cwd=tmp_path, env={**os.environ, "PATH": path}, check=False)
        assert done.returncode == 0
    assert (tmp_path / "junit.xml").exists()
