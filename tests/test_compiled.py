"""The engine compiled (`make compiled`) is the same engine: its records are those of the source."""

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
from sim.engine import supports
from sim.machine_code import DIGEST, FOLDER, digest_of, usable
from sim.scenario import Scenario
from sim.world.platform import settings_of

from support import scenario, scenarios

ROOT = Path(__file__).parents[1]
SHIPPED = sorted(path for path in (ROOT / "scenarios").glob("*.yaml") if "firefox" not in path.name)

CHILD = """
import json, sys
sys.path.append({tests!r})
from sim.engine import clock
from sim.scenario import Scenario
from test_compiled import fingerprints
assert clock.__file__.endswith(".so"), clock.__file__
print(json.dumps(fingerprints(Scenario.model_validate_json(line) for line in sys.stdin)))
"""


def fingerprints(of: Iterable[Scenario]) -> list[str]:
    """For each scenario the same for the same records, and for no others."""
    found = []
    for each in of:
        result = sim.run(each, engine="fast")
        frames = (result.tasks, result.pods, result.decisions, result.reservations, result.incidents)
        found.append(hashlib.sha256("".join(frame.to_csv() for frame in frames).encode()).hexdigest())
    return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which this source is compiled: ours, if it is, or else a copy of it."""
    engine = ROOT / "sim" / "engine"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIM_COMPILED", "1")
        if (engine / FOLDER).is_dir() and (engine / FOLDER / DIGEST).read_text().strip() == digest_of(engine):
            return ROOT
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here: it was not seen that the engine can be compiled")
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "sim", copy / "sim", ignore=shutil.ignore_patterns("__pycache__", FOLDER))
    build = [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", "build"]
    environment = os.environ | {"SIM_COMPILED": "1"}
    subprocess.run(build, cwd=copy, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.move(copy / "build/sim/engine" / FOLDER, copy / "sim/engine")
    return copy


def test_the_compiled_engine_gives_the_same_records(checkout: Path) -> None:
    tried = [each for each in map(sim.load_scenario, SHIPPED) if supports(settings_of(each), ())]
    assert len(tried) >= len(SHIPPED) / 2
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
    @given(scenarios(guarded=True) | scenarios(guarded=True, varied=True))
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
    """The folder of a package of which machine code has been made, unless the environment says no."""
    monkeypatch.delenv("SIM_COMPILED")
    folder = tmp_path / "package"
    (folder / FOLDER).mkdir(parents=True)
    (folder / "a.py").write_text("a = 1\n", encoding="utf-8")
    (folder / FOLDER / "a.so").touch()
    (folder / FOLDER / DIGEST).write_text(digest_of(folder) + "\n", encoding="ascii")
    return folder


def test_machine_code_of_this_very_source_is_used(package: Path) -> None:
    assert usable(str(package)) == str(package / FOLDER)


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_text("a = 2\n"),
        lambda file: file.rename(file.with_name("b.py")),
        lambda file: file.unlink(),
        lambda file: file.with_name("c.py").touch(),
    ],
)
def test_machine_code_of_other_source_is_not_used_and_a_warning_says_so(
    package: Path, change: Callable[[Path], object]
) -> None:
    change(package / "a.py")
    with pytest.warns(RuntimeWarning, match=r"machine code in .* was made of other source .* 'make compiled'"):
        assert usable(str(package)) is None


def test_machine_code_that_does_not_say_of_what_it_was_made_is_not_used(package: Path) -> None:
    (package / FOLDER / DIGEST).unlink()
    with pytest.warns(RuntimeWarning, match=r"machine code in .* cannot be used"):
        assert usable(str(package)) is None


def test_nor_is_it_if_the_environment_says_no_or_there_is_none(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIM_COMPILED", "0")
    assert usable(str(package)) is None
    monkeypatch.delenv("SIM_COMPILED")
    shutil.rmtree(package / FOLDER)
    assert usable(str(package)) is None
