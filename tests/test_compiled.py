"""The model compiled (`make compiled`) is the same model: its records are those of the source."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings

import sim
from sim.scenario import Scenario

from support import scenarios

ROOT = Path(__file__).parents[1]
SHIPPED = sorted(path for path in (ROOT / "scenarios").glob("*.yaml") if "firefox" not in path.name)

CHILD = """
import json, sys
sys.path.append({tests!r})
from sim.model import clock
from sim.scenario import Scenario
from test_compiled import fingerprints
assert clock.__file__.endswith(".so"), clock.__file__
print(json.dumps(fingerprints(Scenario.model_validate_json(line) for line in sys.stdin)))
"""


def fingerprints(of: Iterable[Scenario]) -> list[str]:
    """For each scenario the same for the same records, and for no others."""
    found = []
    for scenario in of:
        result = sim.run(scenario)
        frames = (result.tasks, result.pods, result.decisions, result.reservations, result.incidents)
        found.append(hashlib.sha256("".join(frame.to_csv() for frame in frames).encode()).hexdigest())
    return found


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed with the model compiled, in a hurry."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here: it was not seen that the model can be compiled")
    source, wheels, there = (tmp_path_factory.mktemp(name) for name in ("source", "wheels", "there"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "sim", source / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, source]
    subprocess.run(build, env=os.environ | {"SIM_COMPILED": "0"}, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*pip, "install", "--no-deps", "--target", there, *wheels.iterdir()], check=True)
    return there


def test_the_compiled_model_gives_the_same_records(compiled: Path) -> None:
    tried = [sim.load_scenario(path) for path in SHIPPED]

    @settings(max_examples=60, database=None)
    @given(scenarios(guarded=True))
    def collect(scenario: Scenario) -> None:
        tried.append(scenario)

    collect()
    child = subprocess.run(
        [sys.executable, "-P", "-c", CHILD.format(tests=str(ROOT / "tests"))],
        input="\n".join(scenario.model_dump_json(by_alias=True) for scenario in tried),
        env=os.environ | {"PYTHONPATH": str(compiled)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert json.loads(child.stdout) == fingerprints(tried)
