"""An experiment: as many replications as it takes, all policies in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, TypeAlias

from sim.experiment.engine_choice import Engine, implementation_for
from sim.experiment.executors import Executor, in_this_process, worker_processes
from sim.experiment.named_policies import NamedPolicy
from sim.experiment.precision import first_replications, is_reached, most_replications, next_look
from sim.experiment.spec import Implementation, Run, RunSpec
from sim.model import OwnProcess
from sim.runs.record import Record
from sim.runs.time import SECOND
from sim.scenario import Scenario
from sim.scenario.errors import shown
from sim.scenario.randomness import is_random
from sim.statistics.columns import Worlds
from sim.statistics.metric_names import MONEY_METRICS, SLO_METRICS, bare, known_metrics
from sim.statistics.metrics import Measured, MetricSettings, measure
from sim.statistics.warmup import Warmup, chosen_warmup
from sim.traces.recording import recording_of
from sim.world.names import Names, names_of

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many runs are done, and of how many as far as is known."""


@dataclass(frozen=True)
class Experiment:
    """What to run, and how.

    Args:
        scenario: the scenario.
        policies: those to run side by side; the first is what the others are compared with.
        jobs: how many processes to use. The results do not depend on it.
        engine: which implementation of the rules is wanted.
        processes: further SimPy processes for every run.
        answer_timeout: seconds that a policy of one's own may take for an answer. Then runs are always made in
            processes that can be ended.
        enough: with `replications: enough`, whether the figures so far decide the thresholds.
    """

    scenario: Scenario
    policies: Sequence[NamedPolicy]
    jobs: int = 1
    engine: Engine = "auto"
    processes: tuple[OwnProcess, ...] = ()
    answer_timeout: float | None = None
    enough: Callable[[Measured, Worlds], bool] | None = None


@dataclass(frozen=True)
class Findings:
    """What an experiment brought.

    `runs` are replication by replication, policy by policy in each. `precision_reached` is None if the scenario asks
    for no precision. `trace_sha256` is the checksum of the trace that was used, if there is one.
    `worlds` is what the replications have in common.
    """

    runs: Sequence[Run]
    precision_reached: bool | None
    implementation: Implementation
    names: Names
    trace_sha256: str | None
    worlds: Worlds


NOTHING: Final[Progress] = lambda done, of: None  # noqa: E731


def run_experiment(experiment: Experiment, progress: Progress = NOTHING) -> Findings:
    """Make all runs of an experiment.

    Raises:
        InputError: the precision is of a metric that there is not, or a policy did what no policy may.
    """
    scenario, policies, wanted = experiment.scenario, experiment.policies, experiment.scenario.precision
    if wanted is not None and wanted.metric not in known_metrics(tuple(scenario.all_pools)):
        problem = f"found {shown(wanted.metric)}, expected a metric such as apply_wait.mean or plan_wait.p95"
        raise scenario.mistake(("precision", "metric"), problem)
    if wanted is not None and not is_measured(scenario, wanted.metric):
        problem = f"found {shown(wanted.metric)}, expected the slo or the cost that it needs in the scenario"
        raise scenario.mistake(("precision", "metric"), problem)
    recording = recording_of(scenario)
    sha256 = None if recording is None else recording.sha256
    names = names_of(scenario)  # Now, as the trace may be another one when all runs are made.
    worlds = Worlds(is_random(scenario) or bool(experiment.processes), scenario.end)
    implementation = implementation_for(experiment.engine, scenario, len(policies), experiment.processes)

    def specs(first: int, last: int) -> list[RunSpec]:
        extras = (implementation, experiment.processes, experiment.answer_timeout, sha256)
        return [RunSpec(scenario, n, policy, *extras) for n in range(first, last) for policy in policies]

    runs: list[Run] = []
    done, most, target = 0, most_replications(scenario), first_replications(scenario)
    reached = None
    with _executor(experiment, most) as execute:
        while True:
            for run in execute(specs(done, target)):
                runs.append(run)
                progress(len(runs), target * len(policies))
            done = target
            figures = measured(scenario, runs, warmup_of(scenario, runs).length) if done < most or wanted else {}
            if wanted is not None:
                reached = is_reached(wanted, figures, scenario.confidence, worlds, done_all=done == most)
            if done == most or reached or (experiment.enough is not None and experiment.enough(figures, worlds)):
                return Findings(runs, reached, implementation, names, sha256, worlds)
            target = next_look(done, most) if wanted is not None else next_look(done, most, by=2)


def _executor(experiment: Experiment, replications: int) -> AbstractContextManager[Executor]:
    jobs = min(experiment.jobs, replications * len(experiment.policies))
    is_limited = experiment.answer_timeout is not None and not all(p.is_built_in for p in experiment.policies)
    if jobs == 1 and not is_limited:
        return nullcontext(in_this_process)
    return worker_processes(jobs)


def warmup_of(scenario: Scenario, runs: Sequence[Run]) -> Warmup:
    """The warm-up: the scenario's, or the one chosen from *runs*."""
    if scenario.warmup == "auto":
        return chosen_warmup(list(_records(runs).values()), round(scenario.horizon * SECOND))
    return Warmup(round(scenario.warmup * SECOND))


def measured(scenario: Scenario, runs: Sequence[Run], warmup: int) -> Measured:
    """The metrics of *runs*, replication by replication, for each policy."""
    settings = metric_settings(scenario, warmup)
    return {label: [measure(record, settings) for record in records] for label, records in _records(runs).items()}


def is_measured(scenario: Scenario, metric: str) -> bool:
    """Whether the scenario gives what *metric* needs: a limit, or prices."""
    metric = bare(metric)
    if metric in SLO_METRICS:
        return metric.partition(".")[0] in scenario.slo.limits
    return metric not in MONEY_METRICS or scenario.cost is not None


def metric_settings(scenario: Scenario, warmup: int) -> MetricSettings:
    """What is measured of a scenario, with a *warmup* in nanoseconds."""
    cost = scenario.cost
    return MetricSettings(
        warmup,
        round(scenario.horizon * SECOND),
        round(scenario.drain * SECOND),
        tuple((name, pool.slots_per_pod) for name, pool in scenario.all_pools.items()),
        scenario.slo.limits,
        None if cost is None else cost.pod_hour,
        None if cost is None else cost.waiting_hour,
    )


def _records(runs: Sequence[Run]) -> Mapping[str, Sequence[Record]]:
    """The records by the label of their policy."""
    found: dict[str, list[Record]] = {}
    for run in runs:
        found.setdefault(run.label, []).append(run.record)
    return found
