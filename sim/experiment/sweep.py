"""Every point of a sweep in the same worlds: policies, settings, and the figures they bring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from sim.experiment.engine_choice import Engine, implementation_for
from sim.experiment.executors import Executor, in_this_process, worker_processes
from sim.experiment.named_policies import NamedPolicy, named_policies
from sim.experiment.points import Point
from sim.experiment.run_experiment import is_measured, measured, warmup_of
from sim.experiment.spec import RunSpec
from sim.scenario import InputError, Scenario
from sim.scenario.randomness import is_random
from sim.statistics.columns import Worlds, column
from sim.statistics.intervals import Figure, figure
from sim.statistics.metric_names import known_metrics
from sim.traces.recording import recording_of


@dataclass(frozen=True, slots=True)
class PointFigures:
    """The figures of one point: by the label of the policy and by metric."""

    point: Point
    figures: dict[str, dict[str, Figure]]
    replications: int


@dataclass(frozen=True)
class Sweep:
    """What to run: a scenario at several points.

    Args:
        scenario: with what is the same at all points.
        points: the settings that differ.
        policies: labels or names; by default the scenario's.
        jobs: how many processes to use. The figures do not depend on it.
        engine: which implementation of the rules is wanted.
        allow_plugins: whether a policy may be named as ``package.module:Class``.
    """

    scenario: Scenario
    points: Sequence[Point]
    policies: Sequence[str] | None = None
    jobs: int = 1
    engine: Engine = "auto"
    allow_plugins: bool = False

    def at(self, point: Point) -> tuple[Scenario, tuple[NamedPolicy, ...]]:
        """The scenario and the policies at one point.

        Raises:
            InputError: the settings do not fit, or there is no such policy.
        """
        scenario = self.scenario.with_changes(point)
        return scenario, named_policies(scenario, self.policies, self.allow_plugins)


def run_points(sweep: Sweep, points: Sequence[Point]) -> Iterator[PointFigures]:
    """Run some points of a sweep, one after another, all in the same worker processes.

    Raises:
        InputError: a point cannot be run, or a policy did what no policy may.
    """
    jobs = sweep.jobs
    with nullcontext(in_this_process) if jobs == 1 else worker_processes(jobs) as execute:
        for point in points:
            yield _run_point(sweep, point, execute)


def _run_point(sweep: Sweep, point: Point, execute: Executor) -> PointFigures:
    scenario, policies = sweep.at(point)
    if scenario.replications == "enough" or scenario.precision is not None:
        raise InputError("", "replications", "found no fixed number, expected one for a sweep: -r 50")
    recording = recording_of(scenario)
    sha256 = None if recording is None else recording.sha256
    random = is_random(scenario)
    count = scenario.replications if random else 1
    implementation = implementation_for(sweep.engine, scenario, len(policies), ())
    specs = [
        RunSpec(scenario, n, policy, implementation, (), None, sha256) for n in range(count) for policy in policies
    ]
    runs = list(execute(specs))
    found = measured(scenario, runs, warmup_of(scenario, runs).length)
    worlds = Worlds(random, scenario.end)
    names = [name for name in known_metrics(tuple(scenario.all_pools)) if is_measured(scenario, name)]
    figures = {
        policy.label: {name: figure(column(found, policy.label, name, worlds), scenario.confidence) for name in names}
        for policy in policies
    }
    return PointFigures(point, figures, count)
