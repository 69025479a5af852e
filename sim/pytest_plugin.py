"""A pytest plugin: scenario files with thresholds are tests.

`pytest scenarios/` collects every YAML file that is a scenario with thresholds or with a baseline beside it
(`results/baselines/<name>.json`, or where `--sim-baselines` says), with one test per threshold and per metric of the
baseline. A scenario is run once, when its first test is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sim.check.checks import Finding


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's option."""
    group = parser.getgroup("sim", "scenarios of the autoscaling simulator")
    group.addoption("--sim-baselines", metavar="DIR", default="results/baselines", help="where the baselines are")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the file if it looks like a scenario to be checked; whether it is a sound one its tests will say."""
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    try:
        text = file_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    starts = {line.split(":")[0]: line for line in text.splitlines()}
    if not {"name", "horizon", "workload"} <= set(starts):
        return None
    name = starts["name"].partition(":")[2].split("#")[0].strip().strip("'\"")
    if "thresholds" not in starts and not (_baselines(parent.config) / f"{name}.json").is_file():
        return None
    collector: pytest.Collector = ScenarioFile.from_parent(parent, path=file_path)
    return collector


def _baselines(config: pytest.Config) -> Path:
    """Where the baselines are."""
    folder = Path(config.getoption("--sim-baselines"))
    return folder if folder.is_absolute() else config.rootpath / folder


class ScenarioFile(pytest.File):
    """A scenario file; its tests are its thresholds and the metrics of its baseline."""

    def collect(self) -> Iterator[pytest.Item]:
        from sim.scenario import InputError
        from sim.traces.load import load_scenario

        try:
            scenario = load_scenario(self.path)
            baseline = self._baseline(scenario.name)
        except InputError as error:
            raise self.CollectError(str(error)) from None
        for text in scenario.thresholds:
            yield ScenarioCheck.from_parent(self, name=text)
        if baseline is not None:
            yield ScenarioCheck.from_parent(self, name="baseline")

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """What the check of the scenario found; it is run for this."""
        import sim
        from sim.check.checks import check_result

        scenario = sim.load_scenario(self.path)
        return check_result(sim.run(scenario), self._baseline(scenario.name))

    def _baseline(self, name: str) -> dict[str, Any] | None:
        from sim.check.baseline import read_baseline

        return read_baseline(_baselines(self.config) / f"{name}.json")


class ScenarioCheck(pytest.Item):
    """One threshold, or all of the baseline."""

    def runtest(self) -> None:
        assert isinstance(self.parent, ScenarioFile)
        mine = [
            finding
            for finding in self.parent.findings
            if (finding.kind == "baseline" if self.name == "baseline" else finding.name == self.name)
        ]
        missed = [f"{finding.name}: {finding.message}" for finding in mine if finding.blocks]
        if missed:
            raise MissedError("\n".join(missed))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from sim.scenario import InputError

        if isinstance(excinfo.value, MissedError | InputError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.name}: {self.name}"


class MissedError(Exception):
    """A threshold or a baseline was missed; the text says which and by how much."""
