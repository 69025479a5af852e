"""What `sim.run` gives back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.experiment.draw import names_of
from sim.experiment.metrics import measure
from sim.experiment.runner import Run
from sim.experiment.summary import Summary, summarize
from sim.model.clock import SECOND
from sim.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd


class Result:
    """The outcome of an experiment: frames with a row per task, pod and decision, and the summary of it all.

    Args:
        scenario: what was simulated, as it was run.
        runs: every policy in every replication, policy by policy in each replication.
    """

    def __init__(self, scenario: Scenario, runs: Sequence[Run]) -> None:
        self.scenario = scenario
        self.labels = tuple(dict.fromkeys(run.label for run in runs))
        """The policies, in order; the first is what the others are compared with."""
        self.runs = tuple(sorted(runs, key=lambda run: (self.labels.index(run.label), run.replication)))

    @property
    def replications(self) -> int:
        """How many worlds every policy was run in."""
        return len(self.runs) // len(self.labels)

    @cached_property
    def summary(self) -> Summary:
        """The metrics of each policy and their differences from the first, as in `summary.json`."""
        warmup, horizon = (round(time * SECOND) for time in (self.scenario.warmup, self.scenario.horizon))
        by_label = {label: [run for run in self.runs if run.label == label] for label in self.labels}
        return summarize({label: measure(runs, warmup, horizon) for label, runs in by_label.items()})

    @cached_property
    def tables(self) -> dict[str, Any]:
        """The rows as Arrow tables: `tasks`, `pods` and `decisions`."""
        from sim.results.tables import decisions_table, pods_table, tasks_table

        horizon = round(self.scenario.horizon * SECOND)
        return {
            "tasks": tasks_table(self.runs, names_of(self.scenario), horizon),
            "pods": pods_table(self.runs),
            "decisions": decisions_table(self.runs),
        }

    @cached_property
    def tasks(self) -> pd.DataFrame:
        """One row per policy, replication and task."""
        return self._frame("tasks")

    @cached_property
    def pods(self) -> pd.DataFrame:
        """One row per policy, replication and pod."""
        return self._frame("pods")

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """One row each time an autoscaler changed the number of pods."""
        return self._frame("decisions")

    def _frame(self, name: str) -> pd.DataFrame:
        frame: pd.DataFrame = self.tables[name].to_pandas()
        return frame
