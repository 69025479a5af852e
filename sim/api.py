"""The Python interface: run a scenario, look at the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.results.result import ExperimentResult
from sim.results.result_base import ResultBase
from sim.results.stored import StoredResult

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiment.engine_choice import Engine
    from sim.experiment.points import Method
    from sim.model import OwnProcess
    from sim.policies import Policy
    from sim.report.plot import Plot
    from sim.scenario import Scenario


class _Shown(ResultBase):
    """What a result shows of itself."""

    @property
    def plot(self) -> Plot:
        """Pictures of it: `plot.timeline()`, `.waits()`, `.pods()`, `.causes()`, `.frontier()`."""
        from sim.report.plot import Plot

        return Plot(self)

    def _repr_html_(self) -> str:
        from sim.report.html_table import comparison_table

        return comparison_table(self)

    def __repr__(self) -> str:
        from sim.report.answer import answer

        size = f"{self.replications} replication{'' if self.replications == 1 else 's'}"
        head = f"Result of {self.scenario.name} ({', '.join(self.labels)}; {size})"
        return "\n".join([head, *answer(self)])


class Result(_Shown, ExperimentResult):
    """The result of `sim.run`: frames with a row per task, pod and decision, and the summary of it all.

    In a notebook it shows itself as the comparison of the policies.
    """


class LoadedResult(_Shown, StoredResult):
    """A result that was read from the folder into which `sim run` wrote it."""


def load_result(folder: str | Path) -> LoadedResult:
    """The results that `sim run` wrote into *folder*, such as ``results/reserved-pod-deleted``.

    Raises:
        InputError: it is no such folder.
    """
    return LoadedResult(Path(folder))


def run(
    scenario: Scenario | str | Path,
    policies: Sequence[str | Policy | type[Any]] | None = None,
    replications: int | None = None,
    *,
    seed: int | None = None,
    confidence: float | None = None,
    jobs: int = 1,
    engine: Engine = "auto",
    processes: Sequence[OwnProcess] = (),
    allow_plugins: bool = False,
    answer_timeout: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Run every policy of a scenario side by side, on the same random worlds.

    Args:
        scenario: what to simulate: a scenario, or its file.
        policies: in place of the scenario's: names, labels of the scenario's, or policies of your own. A policy of
            your own is an object with a method ``desired_pods(view) -> int``, or a class of such objects.
        replications: in place of the scenario's: how many worlds; if it asks for a precision, how many at least.
        seed: in place of the scenario's.
        confidence: in place of the scenario's: the level of the intervals.
        jobs: how many processes to use. The results do not depend on it.
        engine: ``simpy`` runs the model as it is written down in `sim.model`, ``fast`` the engine, which gives the
            same records sooner, and ``auto`` takes the model where that needs a second or less.
        processes: further SimPy processes for every run, each a function of the environment and the platform that
            yields events. They run in the model only.
        allow_plugins: whether the scenario may name a policy as ``package.module:Class``, which runs that code.
        answer_timeout: how many seconds a policy of your own may take for an answer. Runs are then made in processes
            that can be ended. By default it may take as long as it likes.
        progress: called with the number of runs done and of all runs, after each.

    Raises:
        InputError: the scenario cannot be run, or a policy did what no policy may.
    """
    from sim.check.enough import until_decided
    from sim.experiment.engine_choice import ENGINES
    from sim.experiment.named_policies import named_policies
    from sim.experiment.run_experiment import NOTHING, Experiment, run_experiment
    from sim.scenario import InputError, Scenario
    from sim.scenario.errors import shown
    from sim.traces.load import load_scenario

    if engine not in ENGINES:
        raise InputError("", "engine", f"found {shown(engine)}, expected one of: {', '.join(ENGINES)}")
    if isinstance(scenario, str | Path):
        scenario = load_scenario(scenario)
    if not isinstance(scenario, Scenario):
        raise InputError("", "scenario", f"found {type(scenario).__name__}, expected a scenario or its file")
    changes = {"replications": replications, "seed": seed, "confidence": confidence}
    scenario = scenario.with_changes({name: value for name, value in changes.items() if value is not None})
    chosen = named_policies(scenario, policies, allow_plugins)
    enough = until_decided(scenario) if scenario.replications == "enough" else None
    experiment = Experiment(scenario, chosen, jobs, engine, tuple(processes), answer_timeout, enough)
    return Result(experiment, run_experiment(experiment, progress or NOTHING))


def sweep(
    scenario: Scenario,
    settings: Mapping[str, Any],
    policies: Sequence[str] | None = None,
    replications: int | None = None,
    *,
    sample: int | None = None,
    method: Method = "lhs",
    seed: int | None = None,
    jobs: int = 1,
    engine: Engine = "auto",
    allow_plugins: bool = False,
) -> pd.DataFrame:
    """Run a scenario with every combination of some settings, all in the same worlds.

    Args:
        scenario: what is the same at all points.
        settings: by path, such as ``{"pool.max_pods": range(5, 55, 5), "demand.keep": ["1m", "5m"]}``, or as the
            command line has them, such as ``"10s..30m:log8"``.
        policies: labels or names, in place of the scenario's.
        replications: in place of the scenario's.
        sample: so many points that fill the space of the settings, in place of all combinations.
        method: of the sample: a Latin hypercube, or the Sobol sequence.
        seed: in place of the scenario's.
        jobs: how many processes to use. The figures do not depend on it.
        engine: as for `run`.
        allow_plugins: as for `run`.

    Returns:
        A frame with a row per point, policy and metric, with the columns of `points.parquet`.

    Raises:
        InputError: a point cannot be run.
    """
    from sim.experiment.points import axes_of, grid
    from sim.experiment.points import sample as sampled
    from sim.experiment.sweep import Sweep, run_points
    from sim.results.study import frame_of, line_of

    changes = {"replications": replications, "seed": seed}
    scenario = scenario.with_changes({name: value for name, value in changes.items() if value is not None})
    axes = axes_of(settings)
    points = list(grid(axes)) if sample is None else sampled(axes, sample, method, scenario.seed)
    asked = Sweep(scenario, points, policies, jobs, engine, allow_plugins)
    lines = [line_of(number, found) for number, found in enumerate(run_points(asked, points))]
    return frame_of(lines, [axis.path for axis in axes])
