"""What `sim.run` gives back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.experiment.conduct import measured, warmup_of
from sim.experiment.draw import names_of
from sim.experiment.metrics import METRICS
from sim.experiment.runner import Run
from sim.experiment.summary import Measured, Summary, entry, summarize
from sim.model.clock import SECOND
from sim.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd


class Result:
    """The outcome of an experiment: frames with a row per task, pod and decision, and the summary of it all.

    Args:
        scenario: what was simulated, as it was run.
        runs: every policy in every replication, policy by policy in each replication.
        precision_reached: see the attribute.
    """

    def __init__(self, scenario: Scenario, runs: Sequence[Run], precision_reached: bool | None = None) -> None:
        self.scenario = scenario
        self.precision_reached = precision_reached
        """Whether the precision that the scenario asks for was reached; None if it asks for none."""
        self.labels = tuple(dict.fromkeys(run.label for run in runs))
        """The policies, in order; the first is what the others are compared with."""
        self.runs = tuple(sorted(runs, key=lambda run: (self.labels.index(run.label), run.replication)))

    @property
    def replications(self) -> int:
        """How many worlds every policy was run in."""
        return len(self.runs) // len(self.labels)

    @cached_property
    def warmup(self) -> float:
        """The warm-up in seconds: the scenario's, or the one that was chosen."""
        return warmup_of(self.scenario, self.runs) / SECOND

    @cached_property
    def summary(self) -> Summary:
        """The metrics of each policy and their differences from the first, as in `summary.json`."""
        return summarize(self.measured, self.scenario.confidence)

    @cached_property
    def measured(self) -> Measured:
        """The metrics by policy and replication."""
        return measured(self.scenario, self.runs, round(self.warmup * SECOND))

    def compare(self) -> pd.DataFrame:
        """The differences from the first policy: one row per other policy and metric.

        Columns: `policy metric value reference difference ci_low ci_high verdict pairing_gain bound`. `bound` is
        "lower" or "upper" where the difference is at least, or at most, the given one. Intervals and what follows from
        them are missing with fewer than two replications.
        """
        import pandas as pd

        rows = []
        for label in self.labels[1:]:
            for metric in METRICS:
                found = entry(self.summary["comparisons"][label], metric)
                rows.append(
                    {
                        "policy": label,
                        "metric": metric,
                        "value": entry(self.summary["policies"][label], metric)["value"],
                        "reference": entry(self.summary["policies"][self.labels[0]], metric)["value"],
                        "difference": found["value"],
                        **{name: found.get(name) for name in ("ci_low", "ci_high", "verdict", "pairing_gain")},
                        "bound": "lower" if found.get("lower_bound") else "upper" if found.get("upper_bound") else None,
                    }
                )
        return pd.DataFrame(rows)

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

    @cached_property
    def reservations(self) -> pd.DataFrame:
        """One row per time for which a slot was reserved for a task."""
        return self._frame("reservations")

    @cached_property
    def incidents(self) -> pd.DataFrame:
        """One row per fault that struck, and what it struck."""
        return self._frame("incidents")

    def _frame(self, name: str) -> pd.DataFrame:
        from sim.results.tables import frame

        return frame(self.tables[name])
