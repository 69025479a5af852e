"""The model compiled (`make compiled`) is the same model: its records are those of the source."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings

import sim
from sim.compiled import instead_of
from sim.scenario import Scenario

from support import scenario, scenarios

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
    for each in of:
        result = sim.run(each)
        frames = (result.tasks, result.pods, result.decisions, result.reservations, result.incidents)
        found.append(hashlib.sha256("".join(frame.to_csv() for frame in frames).encode()).hexdigest())
    return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which this source is compiled: ours, if it is, or else a copy of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIM_COMPILED", "1")
        if instead_of("sim.model", str(ROOT / "sim" / "model")):
            return ROOT
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here: it was not seen that the model can be compiled")
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "sim", copy / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps"]
    install = [*pip, "--no-build-isolation", "--target", copy / ".compiled", copy]
    subprocess.run(install, env=os.environ | {"SIM_COMPILED": "1"}, check=True, stdout=subprocess.DEVNULL)
    return copy


def test_the_compiled_model_gives_the_same_records(checkout: Path) -> None:
    tried = [sim.load_scenario(path) for path in SHIPPED]
    # Beyond 104 days floats cannot tell nanoseconds apart, and what is due at a tick depends on how they are rounded.
    tried.append(
        scenario(
            horizon="200d",
            pool={"min_pods": 0, "max_pods": 9, "initial_pods": 2},
            control={"autoscaler_interval": "10m"},
            workload={"arrivals": {"process": "poisson", "rate": "3/h", "plan": {"dist": "exponential", "mean": 5000}}},
            faults=[{"kind": "server_restart", "every": {"dist": "exponential", "mean": "7d"}}],
            policies=[{"name": "hpa", "interval": "30m"}, {"name": "demand", "keep": "1h"}],
        )
    )

    @settings(max_examples=60, database=None)
    @given(scenarios(guarded=True))
    def collect(drawn: Scenario) -> None:
        tried.append(drawn)

    collect()
    child = subprocess.run(
        [sys.executable, "-P", "-c", CHILD.format(tests=str(ROOT / "tests"))],
        input="\n".join(scenario.model_dump_json(by_alias=True) for scenario in tried),
        env=os.environ | {"PYTHONPATH": str(checkout), "SIM_COMPILED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert json.loads(child.stdout) == fingerprints(tried)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a package of which something has been compiled, unless the environment says no."""
    monkeypatch.delenv("SIM_COMPILED")
    monkeypatch.setattr("sim.compiled._PLACE", tmp_path / ".compiled")
    for folder in ("package", ".compiled/some/package"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.py").write_text("a = 1\n", encoding="utf-8")
    (tmp_path / ".compiled/some/package/a.so").touch()
    return tmp_path / "package"


def test_what_was_compiled_of_these_very_files_is_used_in_their_place(package: Path, tmp_path: Path) -> None:
    assert instead_of("some.package", str(package)) == [str(tmp_path / ".compiled/some/package")]


def test_what_was_compiled_of_other_files_is_not_used(package: Path) -> None:
    (package / "a.py").write_text("a = 2\n", encoding="utf-8")
    assert instead_of("some.package", str(package)) == []


@pytest.mark.parametrize("change", [lambda file: file.rename(file.with_name("b.py")), lambda file: file.unlink()])
def test_nor_is_it_if_there_are_other_files(package: Path, change: Callable[[Path], None]) -> None:
    change(package / "a.py")
    assert instead_of("some.package", str(package)) == []


def test_nor_if_it_cannot_be_read(package: Path) -> None:
    (package / "a.py").unlink()
    (package / "a.py").mkdir()
    assert instead_of("some.package", str(package)) == []


def test_nor_if_the_environment_says_no_or_nothing_is_compiled(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert instead_of("another.package", str(package)) == []
    monkeypatch.setenv("SIM_COMPILED", "0")
    assert instead_of("some.package", str(package)) == []
