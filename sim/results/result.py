"""The result of an experiment that was just run."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sim.experiment.named_policies import NamedPolicy
from sim.experiment.run_experiment import Experiment, Findings, measured, metric_settings, warmup_of
from sim.results.notes import late_arrivals, undecided_blockers, unequal_work
from sim.results.result_base import ResultBase
from sim.results.summary import Summary, plain_figure, summarize
from sim.runs.time import SECOND
from sim.statistics.metrics import Measured
from sim.statistics.pooled import TAILS, pooled_quantile
from sim.statistics.task_waits import apply_waits, plan_waits
from sim.statistics.warmup import Warmup


class ExperimentResult(ResultBase):
    """The result of an experiment that was just run.

    Args:
        experiment: what was run.
        findings: what it brought.
    """

    def __init__(self, experiment: Experiment, findings: Findings) -> None:
        self.scenario = experiment.scenario
        self.policies: tuple[NamedPolicy, ...] = tuple(experiment.policies)
        self.precision_reached = findings.precision_reached
        self.labels = tuple(policy.label for policy in experiment.policies)
        self.runs = tuple(sorted(findings.runs, key=lambda run: (self.labels.index(run.label), run.replication)))
        self.replications = len(self.runs) // len(self.labels)
        self.implementation = findings.implementation
        """Which implementation of the rules was used: `simpy` or `fast`."""
        self.trace_sha256 = findings.trace_sha256
        self.worlds = findings.worlds
        """What the replications have in common."""
        self._names = findings.names

    @cached_property
    def _warmup(self) -> Warmup:
        return warmup_of(self.scenario, self.runs)

    @property
    def varies(self) -> bool:  # type: ignore[override]
        return self.worlds.vary

    @property
    def warmup(self) -> float:  # type: ignore[override]
        return self._warmup.length / SECOND

    @property
    def warmup_too_short(self) -> bool:  # type: ignore[override]
        return self._warmup.too_short

    @cached_property
    def summary(self) -> Summary:  # type: ignore[override]
        summary = summarize(self.measured, self.scenario.confidence, self.worlds, self.scenario.equivalent_within)
        policies = summary["policies"]
        if self.replications > 1:
            self._add_tails(policies)
        ended = ("completed", "errored", "discarded")
        completed = {label: sum(policies[label][name]["value"] for name in ended) for label in self.labels}
        notes = [
            *late_arrivals(self.scenario),
            *undecided_blockers(self.scenario, self.runs, self._names),
            *unequal_work(completed, policies[self.labels[0]]["tasks"]["value"]),
        ]
        return {**summary, "notes": notes}

    def _add_tails(self, policies: dict[str, Any]) -> None:
        """Put the quantiles of all replications' tasks together beside the means over replications."""
        settings = metric_settings(self.scenario, self._warmup.length)
        end = settings.horizon + settings.drain
        for label in self.labels:
            records = [run.record.tasks for run in self.runs if run.label == label]
            for kind in ("apply_wait", "plan_wait"):
                waits = [
                    (apply_waits(tasks, end) if kind == "apply_wait" else plan_waits(tasks)).only(
                        tasks["arrived_at"] >= settings.warmup, settings.horizon
                    )
                    for tasks in records
                ]
                policies[label][kind]["pooled"] = {
                    name: plain_figure(pooled_quantile(waits, p, self.scenario.confidence, SECOND), True)
                    for name, p in TAILS.items()
                }

    @cached_property
    def measured(self) -> Measured:
        """The metrics by policy and replication."""
        return measured(self.scenario, self.runs, self._warmup.length)

    @cached_property
    def tables(self) -> dict[str, Any]:
        """The rows as Arrow tables: `tasks`, `pods`, `decisions`, `reservations` and `incidents`."""
        from sim.results import tables

        end, names = round(self.scenario.end * SECOND), self._names
        return {
            "tasks": tables.tasks_table(self.runs, names, end, self.scenario.control.workspace_lock == "all"),
            "pods": tables.pods_table(self.runs, names),
            "decisions": tables.decisions_table(self.runs, names),
            "reservations": tables.reservations_table(self.runs, names),
            "incidents": tables.incidents_table(self.runs, names),
        }

    def _table(self, name: str) -> Any:
        return self.tables[name]
