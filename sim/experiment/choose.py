"""The cheapest point of a sweep that keeps within limits: replications go where they decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from sim.experiment.engine_choice import implementation_for
from sim.experiment.executors import in_this_process, worker_processes
from sim.experiment.named_policies import NamedPolicy
from sim.experiment.points import Point
from sim.experiment.run_experiment import is_measured, metric_settings
from sim.experiment.spec import Implementation, RunSpec
from sim.experiment.sweep import Sweep
from sim.runs.time import SECOND
from sim.scenario import InputError, Scenario
from sim.scenario.errors import shown
from sim.statistics.metric_names import known_metrics
from sim.statistics.metrics import MetricSettings, measure
from sim.statistics.selection import FIRST, Limit, Selection, State
from sim.statistics.waits import Estimate
from sim.traces.recording import recording_of


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a metric may be at most on average over the worlds."""

    metric: str
    at_most: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy at a point, and what was found of it: means over the worlds in which it was observed."""

    point: Point
    policy: str
    state: State
    feasible: bool
    replications: int
    figure: float
    limited: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The outcome of a search.

    `chosen` is the number of the best candidate; None if none keeps within the limits, or if `decided` is false: then
    more replications would be needed to tell those apart that are still open.
    """

    candidates: tuple[Candidate, ...]
    chosen: int | None
    decided: bool
    runs: int


def choose(
    sweep: Sweep,
    minimize: str,
    constraints: Sequence[Constraint],
    indifference: float | None,
    most: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Choice:
    """The candidate with the smallest *minimize* of those that keep within the constraints.

    Args:
        sweep: the points and policies.
        minimize: a metric.
        constraints: what other metrics may be at most.
        indifference: a difference of *minimize* that does not matter; by default 1 % of its mean in the first worlds.
        most: in how many worlds a candidate is observed at most.
        progress: called with the number of runs so far, and how many there would be without ruling out.

    Raises:
        InputError: there is no such metric, or a point cannot be run.
    """
    systems: list[_System] = []
    for point in sweep.points:
        scenario, policies = sweep.at(point)
        for metric in (minimize, *(each.metric for each in constraints)):
            if metric not in known_metrics(tuple(scenario.all_pools)) or not is_measured(scenario, metric):
                raise InputError("", "metric", f"found {shown(metric)}, expected a metric that the scenario has")
        if scenario.warmup == "auto":
            raise InputError("", "warmup", "found auto, expected a time for a search")
        settings = metric_settings(scenario, round(scenario.warmup * SECOND))
        recording = recording_of(scenario)
        sha256 = None if recording is None else recording.sha256
        kind = implementation_for(sweep.engine, scenario, len(policies), ())
        systems += [_System(point, scenario, policy, settings, kind, sha256) for policy in policies]
    names = (minimize, *(each.metric for each in constraints))
    observed: list[list[tuple[float, ...]]] = [[] for _ in systems]
    selection: Selection | None = None
    runs, done = 0, 0
    with nullcontext(in_this_process) if sweep.jobs == 1 else worker_processes(sweep.jobs) as execute:
        while True:
            left = list(range(len(systems))) if selection is None else selection.open_systems()
            worlds = range(FIRST) if selection is None else range(done, selection.next_worlds(done))
            specs = [(number, _spec(systems[number], world)) for world in worlds for number in left]
            for (number, _), run in zip(specs, execute([spec for _, spec in specs]), strict=True):
                figures = measure(run.record, systems[number].settings)
                row = tuple(_value(figures.get(name)) for name in names)
                observed[number].append(row)
                if selection is not None:
                    selection.add(number, row[0], row[1:])
                runs += 1
                progress(runs, most * len(systems))
            done += len(worlds)
            if selection is None:
                selection = _started(observed, constraints, indifference, sweep.scenario.confidence, most)
            selection.rule_out()
            if selection.is_decided() or done >= most:
                return _choice(selection, [(system.point, system.policy.label) for system in systems], observed, runs)


@dataclass(frozen=True, slots=True)
class _System:
    """A policy at a point, and how it is run and measured."""

    point: Point
    scenario: Scenario
    policy: NamedPolicy
    settings: MetricSettings
    implementation: Implementation
    trace_sha256: str | None


def _spec(system: _System, world: int) -> RunSpec:
    return RunSpec(system.scenario, world, system.policy, system.implementation, (), None, system.trace_sha256)


def _started(
    observed: Sequence[Sequence[tuple[float, ...]]],
    constraints: Sequence[Constraint],
    indifference: float | None,
    confidence: float,
    most: int,
) -> Selection:
    """A selection that knows the first worlds."""
    figures = [row[0] for rows in observed for row in rows]
    matter = indifference if indifference is not None else max(0.01 * abs(sum(figures) / len(figures)), 1e-9)
    limits = [Limit(each.at_most, each.tolerance) for each in constraints]
    selection = Selection(len(observed), limits, matter, confidence, most)
    for number, rows in enumerate(observed):
        for row in rows:
            selection.add(number, row[0], row[1:])
    return selection


def _choice(
    selection: Selection,
    systems: Sequence[tuple[Point, str]],
    observed: Sequence[Sequence[tuple[float, ...]]],
    runs: int,
) -> Choice:
    candidates = []
    for number, (point, label) in enumerate(systems):
        rows = observed[number]
        means = tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))
        candidates.append(
            Candidate(
                point, label, selection.states[number], selection.feasible[number], len(rows), means[0], means[1:]
            )
        )
    left = selection.open_systems()
    decided = selection.is_decided()
    return Choice(tuple(candidates), left[0] if decided and left else None, decided, runs)


def _value(estimate: Estimate | None) -> float:
    """A figure of one run; 0 where nobody waited."""
    return 0.0 if estimate is None or estimate.value is None else float(estimate.value)
