"""An experiment: as many replications as it takes, all policies in each."""

from __future__ import annotations

from collections.abc import Sequence

from sim.experiment.contestants import Contestant
from sim.experiment.metrics import measure
from sim.experiment.names import METRICS
from sim.experiment.precision import FIRST, is_reached, next_look
from sim.experiment.runner import Progress, Run, Runs, Workers
from sim.experiment.summary import Measured
from sim.experiment.warmup import chosen_warmup
from sim.model.clock import SECOND
from sim.scenario import Scenario
from sim.scenario.errors import shown


def conduct(
    scenario: Scenario, contestants: Sequence[Contestant], jobs: int, literal: bool, progress: Progress
) -> tuple[list[Run], bool | None]:
    """All runs of an experiment, and whether the precision it asks for was reached (None if it asks for none).

    Raises:
        InputError: the precision is of a metric there is not, or a policy did what no policy may.
    """
    wanted, size = scenario.precision, len(contestants)
    if wanted is not None and wanted.metric not in METRICS:
        problem = f"found {shown(wanted.metric)}, expected one of: {', '.join(METRICS)}"
        raise scenario.mistake(("precision", "metric"), problem)
    runs: list[Run] = []
    most = scenario.replications if wanted is None else wanted.max_replications
    target = scenario.replications if wanted is None else min(max(scenario.replications, FIRST), most)
    jobs = min(jobs, most * size)
    with Workers(Runs(scenario, contestants, literal), jobs) as workers:
        while True:
            for run in workers.make(range(len(runs), target * size)):
                runs.append(run)
                progress(len(runs), target * size)
            if wanted is None:
                return runs, None
            if is_reached(wanted, measured(scenario, runs, warmup_of(scenario, runs)), scenario.confidence):
                return runs, True
            if target == most:
                return runs, False
            target = next_look(target, most)


def warmup_of(scenario: Scenario, runs: Sequence[Run]) -> int:
    """The warm-up in nanoseconds: the scenario's, or the one chosen from *runs*."""
    if scenario.warmup == "auto":
        return chosen_warmup(runs, round(scenario.horizon * SECOND))
    return round(scenario.warmup * SECOND)


def measured(scenario: Scenario, runs: Sequence[Run], warmup: int) -> Measured:
    """The metrics of *runs*, replication by replication, for each policy."""
    horizon = round(scenario.horizon * SECOND)
    labels = dict.fromkeys(run.label for run in runs)
    return {label: [measure(run, warmup, horizon) for run in runs if run.label == label] for label in labels}
