"""What the statistics are worth where waits are 0 in most worlds and huge in some: the shipped scenario steady-day.

Some thousand replications are simulated once. They are then taken for all worlds that there are, so that the truth is
known exactly, and experiments are made by drawing replications from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from queues import Row

import sim
from sim.check.baseline import BaselineVerdict, baseline_of, compare
from sim.scenario import Scenario
from sim.statistics.columns import Column, Worlds, column
from sim.statistics.intervals import difference, figure
from sim.statistics.waits import Estimate

SHIPPED = Path(__file__).parents[2] / "scenarios" / "steady-day.yaml"
POLICIES = ("old", "fixed", "demand")
PAIRS = (("fixed", "old"), ("demand", "old"), ("demand", "fixed"))
METRICS = ("apply_wait.mean", "apply_wait.p95", "apply_wait.p99", "apply_wait.max", "share")
SIZES = (10, 20, 50)

Replications = dict[str, list[dict[str, Estimate]]]


@dataclass(frozen=True)
class Population:
    """All worlds that there are: the figures of every policy in each."""

    scenario: Scenario
    measured: Replications

    @property
    def worlds(self) -> Worlds:
        """What they have in common."""
        return Worlds(True, self.scenario.horizon)

    def drawn(self, count: int, random: np.random.Generator) -> Replications:
        """An experiment with *count* replications."""
        which = random.integers(0, len(self.measured["old"]), count)
        return {label: [replications[n] for n in which] for label, replications in self.measured.items()}

    def truth(self, label: str, metric: str) -> float:
        """The mean of a figure over all worlds that have one."""
        values = [r[metric].value for r in self.measured[label]]
        return float(np.mean([value for value in values if value is not None]))


def _some(scenario: Scenario, seed: int, count: int) -> Replications:
    """The figures of *count* replications, waits as what they are up to the horizon, and how many are longer than 60 s."""
    result = sim.run(scenario, seed=seed, replications=count, engine="fast")
    longer = result.tasks[result.tasks.apply_wait > 60].groupby(["policy", "replication"]).size()
    found: Replications = {}
    for label, replications in result.measured.items():
        found[label] = []
        for number, metrics in enumerate(replications):
            confirmed = metrics["confirmed"].value or 0
            share = longer.get((label, number), 0) / confirmed if confirmed else None
            exact = {name: Estimate(e.value) for name, e in metrics.items()}
            found[label].append({**exact, "share": Estimate(None if share is None else float(share))})
    return found


def population(horizon: str, size: int, pool: ProcessPoolExecutor) -> Population:
    """*size* worlds of steady-day, cut off at that horizon."""
    hours = {"6h": 21600.0, "1d": 86400.0}[horizon]
    scenario = sim.load_scenario(SHIPPED).with_changes({"horizon": hours, "thresholds": ()})
    parts = list(pool.map(partial(_some, scenario, count=size // 40), range(1000, 1040)))
    return Population(scenario, {label: [r for part in parts for r in part[label]] for label in POLICIES})


def _column(of: Population, drawn: Replications, label: str, metric: str) -> Column:
    found = column(drawn, label, metric, of.worlds)
    return replace(found, most=1.0) if metric == "share" else found


def _coverage(of: Population, size: int, experiments: int) -> dict[tuple[str, str], tuple[float, float, float]]:
    """By what and metric: how many experiments had not enough data; of the others, how many intervals contain the
    truth; and of all, in how many a threshold at the truth is passed.
    """
    random = np.random.default_rng(size)
    counts = {}
    truths = {(label, metric): of.truth(label, metric) for label in POLICIES for metric in METRICS}
    for _ in range(experiments):
        drawn = of.drawn(size, random)
        for metric in METRICS:
            columns = {label: _column(of, drawn, label, metric) for label in POLICIES}
            found: dict[str, tuple[Any, float]] = {
                label: (figure(columns[label], 0.95), truths[label, metric]) for label in POLICIES
            }
            for one, other in PAIRS:
                apart = difference(columns[one], columns[other], 0.95)
                found[f"{one} - {other}"] = (apart, truths[one, metric] - truths[other, metric])
            for what, (estimate, truth) in found.items():
                low = -np.inf if estimate.ci_low is None else estimate.ci_low
                high = np.inf if estimate.ci_high is None else estimate.ci_high
                count = counts.setdefault((what, metric), [0, 0, 0])
                count[0] += estimate.not_enough
                count[1] += not estimate.not_enough and low <= truth <= high
                if what in POLICIES:  # A threshold at the truth, judged at the level at which thresholds are.
                    end = figure(columns[what], 0.975).ci_high
                    count[2] += end is not None and end < truth
    return {
        key: (few / experiments, hits / (experiments - few) if few < experiments else np.nan, below / experiments)
        for key, (few, hits, below) in counts.items()
    }


def coverage_table(
    populations: dict[str, Population], experiments: int, pool: ProcessPoolExecutor
) -> tuple[str, list[Row]]:
    """A table with a line per figure and a column per number of replications, and what follows from it."""
    jobs = [(name, of, size) for name, of in populations.items() for size in SIZES]
    found = list(pool.map(_coverage, [of for _, of, _ in jobs], [size for *_, size in jobs], [experiments] * len(jobs)))
    by = {(name, size): cells for (name, _, size), cells in zip(jobs, found, strict=True)}
    lines = [f"| | | {' | '.join(f'{size} replications' for size in SIZES)} |", "|---|---|---|---|---|"]
    inside = low = wide = few = 0
    worst_pass = 0.0
    for name in populations:
        for what, metric in by[name, SIZES[0]]:
            shown = []
            for size in SIZES:
                not_enough, hits, below = by[name, size][what, metric]
                worst_pass = max(worst_pass, below) if " - " not in what else worst_pass
                if not_enough > 0.5:
                    few += 1
                    shown.append(
                        f"not enough in {not_enough:.0%}"
                        + ("" if np.isnan(hits) or not_enough > 0.98 else f", else {hits:.1%}")
                    )
                    continue
                inside, low, wide = inside + (0.93 <= hits <= 0.97), low + (hits < 0.93), wide + (hits > 0.97)
                mark = "" if 0.93 <= hits <= 0.97 else "**"
                shown.append(
                    f"{mark}{hits:.1%}{mark}" + (f" (not enough in {not_enough:.0%})" if not_enough > 0.005 else "")
                )
            lines.append(f"| {name} | {what}: {metric} | {' | '.join(shown)} |")
    lowest = min(cells[1] for by_figure in by.values() for cells in by_figure.values() if cells[0] <= 0.5)
    rows = [
        Row(f"steady-day: 95 % intervals that contain the truth in less than 93 %, of {inside + low + wide} with enough "
            "data in half of the experiments", 0, low, f"{few} without", low == 0),
        Row("steady-day: those that contain it in more than 97 %", 0, wide, "", wide == 0),
        Row("steady-day: the interval that contains the truth most seldom", 0.93, lowest, f"{experiments} experiments",
            lowest >= 0.93),
        Row("steady-day: thresholds at the truth that pass, the worst of all policies and metrics, at most", 0.025,
            worst_pass, f"{experiments} experiments", worst_pass <= 0.025 + 2 * (0.025 * 0.975 / experiments) ** 0.5),
    ]  # fmt: skip
    return "\n".join(lines), rows


def family_wise(of: Population, experiments: int) -> list[Row]:
    """How often some policy is called better or worse than the first, where all three are the same to a metric.

    The three policies' figures are shuffled within each replication, so that none is better.
    """
    random = np.random.default_rng(7)
    rows = []
    for metric in METRICS[:4]:
        for size in (5, 20):
            wrong = 0
            for _ in range(experiments):
                drawn = of.drawn(size, random)
                orders = random.permuted(np.tile(np.arange(3), (size, 1)), axis=1)
                mixed = [
                    Column(
                        tuple(drawn[POLICIES[order[k]]][n][metric] for n, order in enumerate(orders)),
                        of.scenario.horizon,
                    )
                    for k in range(3)
                ]
                wrong += any(difference(mixed[k], mixed[0], 0.975).direction != 0 for k in (1, 2))
            share = wrong / experiments
            limit = 0.05 + 2 * (0.05 * 0.95 / experiments) ** 0.5
            rows.append(Row(f"steady-day, shuffled: {metric} of two policies, wrong verdicts with {size} replications, at "
                            "most", 0.05, share, f"{experiments} experiments", share <= limit))  # fmt: skip
    return rows


def _verdicts(
    of: Population, sizes: tuple[int, int], worse: tuple[str, str] | None, random: np.random.Generator
) -> Iterator[tuple[str, str, BaselineVerdict, int | None]]:
    """Compare two experiments with worlds of their own; in the later one a policy's metric is *worse* by twice its tolerance."""
    before, now = of.drawn(sizes[0], random), of.drawn(sizes[1], random)
    baseline = {**baseline_of(of.scenario, before), "world": "another", "code": "another"}
    if worse is not None:
        label, metric = worse
        relative, absolute = of.scenario.tolerances[metric]
        more = 2 * (relative * of.truth(label, metric) + absolute)
        now[label] = [{**r, metric: Estimate((r[metric].value or 0.0) + more)} for r in now[label]]
    for found in compare(of.scenario, now, baseline):
        yield found.policy, found.metric, found.verdict, found.needed


def _one_regression(of: Population, worse: tuple[str, str], seed: int) -> tuple[BaselineVerdict, BaselineVerdict]:
    """The verdict with 40 replications; and with as many as are asked for, again and again."""
    random = np.random.default_rng(seed)
    size, first = 40, None
    for _ in range(6):
        verdict, needed = next((v, n) for p, m, v, n in _verdicts(of, (size, size), worse, random) if (p, m) == worse)
        first = first or verdict
        if verdict != "undecided" or needed is None:
            break
        size = min(needed, 3000)
    assert first is not None
    return first, verdict


def baselines(of: Population, experiments: int, pool: ProcessPoolExecutor) -> list[Row]:
    """What `sim check` says of an experiment with other worlds than the baseline's."""
    alarms = sum(pool.map(partial(_alarm, of), range(experiments), chunksize=20)) / experiments
    limit = 0.05 + 2 * (0.05 * 0.95 / experiments) ** 0.5
    rows = [Row("sim check, steady-day: false alarms with other worlds, at most", 0.05, alarms,
                f"{experiments} experiments", alarms <= limit)]  # fmt: skip
    for worse in (
        ("fixed", "apply_wait.mean"),
        ("fixed", "pod_seconds"),
        ("demand", "pod_seconds"),
    ):
        verdicts = list(pool.map(partial(_one_regression, of, worse), range(experiments), chunksize=20))
        told = sum(first in ("regressed", "undecided") for first, _ in verdicts) / experiments
        found = sum(last == "regressed" for _, last in verdicts) / experiments
        what = f"sim check, steady-day: {worse[0]} {worse[1]} worse by twice its tolerance"
        rows.append(
            Row(f"{what}, regressed or undecided, at least", 0.99, told, f"{experiments} experiments", told >= 0.99)
        )
        rows.append(Row(f"{what}, regressed with the replications that are asked for, at least", 0.95, found,
                        f"{experiments} experiments", found >= 0.95))  # fmt: skip
    return rows


def _alarm(of: Population, seed: int) -> bool:
    return any(verdict == "regressed" for *_, verdict, _ in _verdicts(of, (40, 40), None, np.random.default_rng(seed)))
