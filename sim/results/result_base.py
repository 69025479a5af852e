"""What there is to know of an experiment, whether it was just run or read from a folder of results."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.results.summary import Summary, entry, metrics_in
from sim.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd


class ResultBase:
    """The outcome of an experiment: frames with a row per task, pod and decision, and the summary of it all."""

    scenario: Scenario
    """What was simulated, as it was run."""
    labels: tuple[str, ...]
    """The policies, in order; the first is what the others are compared with."""
    precision_reached: bool | None
    """Whether the precision that the scenario asks for was reached; None if it asks for none."""
    replications: int
    """How many worlds every policy was run in."""
    warmup: float
    """The warm-up in seconds: the scenario's, or the one that was chosen."""
    warmup_too_short: bool
    """Whether the runs were too short to choose a warm-up: the choice is then the half at which the search ends."""
    varies: bool
    """Whether anything in the scenario is random. If not, one replication says it all."""
    summary: Summary
    """The metrics of each policy and their differences from the first, as in `summary.json`."""

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """The figures of every policy: one row per policy and metric.

        Columns: `policy metric value ci_low ci_high lower_bound`. Intervals are missing with one replication.
        """
        import pandas as pd

        rows = []
        for label in self.labels:
            for metric in metrics_in(self.summary["policies"][label]):
                found = entry(self.summary["policies"][label], metric)
                ends = {name: found.get(name) for name in ("ci_low", "ci_high")}
                bound = bool(found.get("lower_bound"))
                rows.append({"policy": label, "metric": metric, "value": found["value"], **ends, "lower_bound": bound})
        return pd.DataFrame(rows).astype(dict.fromkeys(("value", "ci_low", "ci_high"), float))

    def compare(self) -> pd.DataFrame:
        """The differences from the first policy: one row per other policy and metric.

        Columns: `policy metric value reference difference ci_low ci_high verdict pairing_gain bound`. `bound` is
        "lower" or "upper" where the difference is at least, or at most, the given one. Intervals and what follows from
        them are missing with fewer than two replications.
        """
        import pandas as pd

        rows = []
        for label in self.labels[1:]:
            for metric in metrics_in(self.summary["policies"][label]):
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

        return frame(self._table(name))

    def _table(self, name: str) -> Any:
        """The Arrow table of that name."""
        raise NotImplementedError
