"""Policies by name: ours, those of installed packages, and what `sim policies` says of them."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.cli import main
from sim.policies import registry
from sim.testing import check_answers, check_declared_memory, check_determinism

from support import REMEMBERING, plan, scenario


@pytest.mark.parametrize("name", registry.BUILT_IN)
def test_every_policy_of_ours_keeps_to_the_rules(name: str) -> None:
    policy = registry.find(name)
    check_answers(policy)
    check_determinism(policy)
    check_declared_memory(policy)


@pytest.mark.parametrize("given", REMEMBERING, ids=lambda given: given["name"])
def test_what_a_policy_in_a_hurry_says_of_its_memory_is_so(given: dict[str, Any]) -> None:
    check_declared_memory(registry.find(given["name"])(**{key: given[key] for key in given if key != "name"}))


@pytest.mark.parametrize("name", registry.BUILT_IN)
def test_every_policy_of_ours_explains_itself(name: str) -> None:
    policy = registry.find(name)
    summary = registry.summary_of(policy)
    assert summary.endswith(".")
    assert len(summary) <= 120
    assert all(words != "value" and not words.startswith("value,") for words in registry.parameters_of(policy).values())


def test_parameters_in_words() -> None:
    assert registry.parameters_of(registry.find("demand")) == {
        "keep": "duration in seconds or with a unit (default 300.0)",
        "patience": "duration in seconds or with a unit (default 30.0)",
        "spare": "whole number (default 1)",
    }


def sim_policies(*words: str) -> int:
    sys.argv = ["sim", "policies", *words]
    with pytest.raises(SystemExit) as leaving:
        main()
    return int(leaving.value.code or 0)


def test_the_list_and_an_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    assert sim_policies() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == list(registry.BUILT_IN)
    assert sim_policies("demand") == 0
    out = capsys.readouterr().out
    assert "desired = pods + lack" in out
    assert "    keep: duration" in out
    assert sim_policies("dmeand") == 2
    assert capsys.readouterr().err.startswith("sim policies: found the policy 'dmeand', expected one of: old, fixed,")


class Seven:
    """Always seven pods."""

    def desired_pods(self, view: object) -> int:
        return 7


def test_a_policy_of_an_installed_package(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    points = [
        EntryPoint("seven", f"{__name__}:Seven", registry.GROUP),
        EntryPoint("old", f"{__name__}:Seven", registry.GROUP),  # ours, so this is none
        EntryPoint("broken", "no.such.module:Policy", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Seven.__module__])
    experiment = scenario(workload={"tasks": [plan(1, 0, 9)]}, pool={"max_pods": 9}, policies=["old", "seven"])
    assert sim.run(experiment).summary["policies"]["seven"]["peak_pods"]["value"] == 7
    assert sim.run(experiment).summary["policies"]["old"]["peak_pods"]["value"] == 1
    with pytest.raises(sim.InputError, match="found 'broken', which cannot be loaded"):
        sim.run(experiment, ["broken"])
    assert sim_policies() == 0
    assert "broken: cannot be loaded (ModuleNotFoundError: No module named 'no')" in capsys.readouterr().out
    assert sim_policies("broken") == 2
    assert capsys.readouterr().err.startswith("sim policies: found 'broken', which cannot be loaded (ModuleNotFound")
    assert sim_policies("seven") == 0
    assert capsys.readouterr().out.startswith("seven: Always seven pods.")


def test_an_installed_package_brings_a_policy(tmp_path: Path) -> None:
    """The real thing: metadata of a package on the path, and a command that knows nothing of it."""
    (tmp_path / "tens.py").write_text("class Ten:\n    'Ten.'\n    def desired_pods(self, view):\n        return 10\n")
    info = tmp_path / "tens-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tens\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sim.policies]\nten = tens:Ten\n")
    command = [sys.executable, "-m", "sim", "policies", "ten"]
    done = subprocess.run(command, capture_output=True, check=True, env={"PYTHONPATH": str(tmp_path)}, text=True)
    assert done.stdout == "ten: Ten.\n\nIt has no parameters.\n"
