"""What `sim.run` gives back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from sim.experiment.conduct import measured, warmup_of
from sim.experiment.draw import names_of
from sim.experiment.runner import Run
from sim.experiment.summary import Measured, Summary, summarize
from sim.model.clock import SECOND
from sim.results.outcome import Outcome
from sim.scenario import Scenario


class Result(Outcome):
    """The outcome of an experiment that was just run.

    Args:
        scenario: what was simulated, as it was run.
        runs: every policy in every replication, policy by policy in each replication.
        precision_reached: see the attribute.
    """

    def __init__(self, scenario: Scenario, runs: Sequence[Run], precision_reached: bool | None = None) -> None:
        self.scenario = scenario
        self.precision_reached = precision_reached
        self.labels = tuple(dict.fromkeys(run.label for run in runs))
        self.runs = tuple(sorted(runs, key=lambda run: (self.labels.index(run.label), run.replication)))
        self.replications = len(self.runs) // len(self.labels)

    @cached_property
    def warmup(self) -> float:  # type: ignore[override]
        return warmup_of(self.scenario, self.runs) / SECOND

    @cached_property
    def summary(self) -> Summary:  # type: ignore[override]
        return summarize(self.measured, self.scenario.confidence)

    @cached_property
    def measured(self) -> Measured:
        """The metrics by policy and replication."""
        return measured(self.scenario, self.runs, round(self.warmup * SECOND))

    @cached_property
    def tables(self) -> dict[str, Any]:
        """The rows as Arrow tables: `tasks`, `pods`, `decisions`, `reservations` and `incidents`."""
        from sim.results import tables

        horizon, names = round(self.scenario.horizon * SECOND), names_of(self.scenario)
        return {
            "tasks": tables.tasks_table(self.runs, names, horizon),
            "pods": tables.pods_table(self.runs),
            "decisions": tables.decisions_table(self.runs),
            "reservations": tables.reservations_table(self.runs, names),
            "incidents": tables.incidents_table(self.runs),
        }

    def _table(self, name: str) -> Any:
        return self.tables[name]
