"""The lines of the comparison: what they are called, which metric they show, and how figures are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sim.report.pictures.style import duration
from sim.results.result_base import ResultBase
from sim.results.summary import entry, metrics_in
from sim.runs.codes import CAUSES
from sim.statistics.metric_names import of_pool

Written = Callable[[float], str]


def seconds(value: float) -> str:
    """A duration in seconds, with as many decimals as matter."""
    return f"{value:,.1f} s" if abs(value) < 100 and value != int(value) else f"{value:,.0f} s"


def in_unit_of(largest: float) -> Written:
    """How to write durations of which that is the largest, all in one unit."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if largest >= 2 * length:
            return lambda value: f"{value / length:,.1f} {unit}"
    return seconds


def count(value: float) -> str:
    """A number of things, or the mean of such numbers."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def hours(value: float) -> str:
    """Seconds as hours."""
    return f"{value / 3600:,.2f}"


def share(value: float) -> str:
    """A share as a percentage."""
    return f"{value * 100:.1f} %"


def money(value: float) -> str:
    """An amount of money."""
    return f"{value:,.2f}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table. One that is not `always` there is left out where it is 0 for every policy."""

    title: str
    metric: str
    written: Written
    always: bool = True


@dataclass(frozen=True, slots=True)
class LineGroup:
    """Lines that belong together, under a heading."""

    title: str
    lines: tuple[Line, ...]


CAUSE_WORDS = {
    "server_down": "the server was down",
    "agent_offline": "the pod was silent",
    "polling": "not due to ask yet",
    "pod_starting": "a pod was starting",
    "no_slot": "no slot, none on its way",
    "replanning": "it had to plan again",
}


def groups_of(result: ResultBase, every: bool = False) -> list[LineGroup]:
    """The groups of lines that say something about this result: those that answer, or with *every* all there are."""
    limits = result.scenario.slo.limits
    currency = result.scenario.cost.currency if result.scenario.cost is not None else ""
    groups = [
        LineGroup(
            "How long people wait",
            (
                *_wait_lines("apply_wait", "to apply", limits, every),
                *_wait_lines("plan_wait", "to plan", limits, every),
                *_wait_lines("blocked_wait", "for an earlier task", limits, every, always=False),
            ),
        ),
        LineGroup("What becomes of the tasks", (*TASK_LINES, *(MORE_TASK_LINES if every else ()))),
        LineGroup(
            "What it costs",
            (
                Line("pod-hours", "pod_seconds", hours),
                Line("most pods at once", "peak_pods", count),
                Line("slots busy", "busy_share", share),
                Line("slots reserved", "reserved_share", share, always=False),
                Line(f"pods, {currency}", "cost.pods", money, always=False),
                Line(f"waiting, {currency}", "cost.waiting", money, always=False),
                Line(f"in all, {currency}", "cost.total", money, always=False),
                *(MORE_COST_LINES if every else ()),
            ),
        ),
    ]
    if every:
        groups[1:1] = [
            LineGroup(f"Why they wait {what} (seconds, all tasks)", tuple(
                Line(CAUSE_WORDS[cause], f"{name}_{cause}", seconds, always=False) for cause in CAUSES))
            for name, what in (("wait", "to apply"), ("plan_wait", "to plan"))
        ]  # fmt: skip
    pools = list(result.scenario.all_pools)
    groups += [_pool_group(pool) for pool in pools if len(pools) > 1]
    return [group for group in (_told(group, result) for group in groups) if group.lines]


def _pool_group(pool: str) -> LineGroup:
    """What most people ask of one pool; the summary has all of it."""
    lines = (
        Line("to apply: 95 % within", "apply_wait.p95", seconds, always=False),
        Line("to plan: 95 % within", "plan_wait.p95", seconds),
        Line("tasks", "tasks", count),
        Line("finished", "completed", count),
        Line("pod-hours", "pod_seconds", hours),
    )
    mine = tuple(replace(line, metric=of_pool(pool, line.metric)) for line in lines)
    return LineGroup(f"Pool {pool}", mine)


def lines_of(result: ResultBase, every: bool = False) -> list[Line]:
    """The lines of all groups."""
    return [line for group in groups_of(result, every) for line in group.lines]


TASK_LINES = (
    Line("tasks", "tasks", count),
    Line("finished", "completed", count),
    Line("  nothing to change", "planned_and_finished", count, always=False),
    Line("failed (pod or server lost)", "failed", count),
    Line("ended with an error", "errored", count, always=False),
    Line("discarded", "discarded", count, always=False),
    Line("canceled", "canceled", count, always=False),
    Line("never planned", "unplanned", count),
    Line("under way at the end", "in_progress", count),
    Line("  of these confirmed, waiting", "censored", count),
    Line("confirmed, canceled while waiting", "canceled_waiting", count, always=False),
    Line("elsewhere, on no pod of ours", "elsewhere", count, always=False),
)

MORE_TASK_LINES = (
    Line("confirmed", "confirmed", count),
    Line("plans finished", "plan.completed", count, always=False),
    Line("plans never run", "plan.unplanned", count, always=False),
    Line("applies finished", "plan_and_apply.completed", count, always=False),
    Line("applies under way", "plan_and_apply.in_progress", count, always=False),
    Line("applies never planned", "plan_and_apply.unplanned", count, always=False),
)

MORE_COST_LINES = (
    Line("slots idle or starting", "idle_share", share),
    Line("pods made", "pods_created", count),
    Line("pods deleted", "pods_deleted", count),
    Line("pods that never ran a task", "overshoot", count),
)


def _wait_lines(wait: str, what: str, limits: dict[str, float], every: bool, always: bool = True) -> Sequence[Line]:
    lines = [Line(f"{what}: 95 % within", f"{wait}.p95", seconds, always)]
    if every:
        titles = {"p50": "half within", "p90": "90 % within", "p99": "99 % within", "mean": "mean"}
        lines += [Line(f"  {title}", f"{wait}.{name}", seconds, always) for name, title in titles.items()]
    lines.append(Line("  longest", f"{wait}.max", seconds, always))
    if wait in limits:
        lines.append(Line(f"  within {duration(limits[wait])}", f"{wait}.within_slo", share))
    return lines


def _told(group: LineGroup, result: ResultBase) -> LineGroup:
    policies: list[dict[str, Any]] = list(result.summary["policies"].values())
    there = set(metrics_in(policies[0]))
    return LineGroup(group.title, tuple(
        line for line in group.lines
        if line.metric in there and (line.always or any(entry(metrics, line.metric)["value"] for metrics in policies))
        and any(entry(metrics, line.metric)["value"] is not None for metrics in policies)
    ))  # fmt: skip
