"""The comparison as a table that fits a terminal 80 columns wide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sim.results.result import Result

WIDTH = 80


def seconds(value: float) -> str:
    """A duration in seconds, with as many decimals as matter."""
    return f"{value:,.1f} s" if abs(value) < 100 and value != int(value) else f"{value:,.0f} s"


def _count(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _hours(value: float) -> str:
    return f"{value / 3600:,.2f}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: what it is called, which metric it shows, and how its figures are written."""

    title: str
    metric: str
    written: Callable[[float], str]


LINES = (
    Line("tasks", "tasks", _count),
    Line("confirmed", "confirmed", _count),
    Line("still waiting", "censored", _count),
    Line("failed", "failed", _count),
    Line("still unplanned", "unplanned", _count),
    Line("apply wait: mean", "apply_wait.mean", seconds),
    Line("  p50", "apply_wait.p50", seconds),
    Line("  p95", "apply_wait.p95", seconds),
    Line("  p99", "apply_wait.p99", seconds),
    Line("  max", "apply_wait.max", seconds),
    Line("pod-hours", "pod_seconds", _hours),
    Line("peak pods", "peak_pods", _count),
    Line("pods never used", "overshoot", _count),
)


def entry(metrics: dict[str, Any], metric: str) -> dict[str, Any]:
    """The entry of a summary for a metric given by its dotted path."""
    for part in metric.split("."):
        metrics = metrics[part]
    return metrics


def figure(found: dict[str, Any], written: Callable[[float], str]) -> str:
    """One figure; ``>`` before it says that it is only a lower bound."""
    if found["value"] is None:
        return "-"
    return ("> " if found.get("lower_bound") else "") + written(found["value"])


def difference(found: dict[str, Any], written: Callable[[float], str]) -> str:
    """One difference, with its sign; ``>`` and ``<`` before it say that it is more, or less, than that."""
    if found["value"] is None:
        return "?"
    text = written(found["value"])
    sign = "+" if found["value"] > 0 else ""
    bound = "> " if found.get("lower_bound") else "< " if found.get("upper_bound") else ""
    return "=" if found["value"] == 0 and not bound else f"{bound}{sign}{text}"


def comparison(result: Result) -> RenderableType:
    """The policies side by side, the first repeated in each block of as many as fit beside it."""
    scenario = result.scenario
    first, *others = result.labels
    facts = f"{scenario.horizon / 3600:g} h, seed {scenario.seed}"
    if result.replications > 1:
        facts += f", {result.replications} replications"
    head = Text.assemble((scenario.name, "bold"), f"  ({facts})", no_wrap=True, overflow="ellipsis")
    parts: list[RenderableType] = [head]
    for block in _blocks(first, others):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
        table.add_column("")
        table.add_column(first, justify="right", overflow="fold")
        for label in block:
            table.add_column(label, justify="right", overflow="fold")
            table.add_column(f"vs {first}", justify="right", overflow="fold", style="cyan")
        for line in LINES:
            policies, comparisons = result.summary["policies"], result.summary["comparisons"]
            cells = [figure(entry(policies[first], line.metric), line.written)]
            for label in block:
                cells.append(figure(entry(policies[label], line.metric), line.written))
                cells.append(difference(entry(comparisons[label], line.metric), line.written))
            table.add_row(line.title, *cells)
        parts.append(table)
    if _has_bounds(result):
        parts.append(Text("> and <: more or less than that; tasks still waiting at the end have no final wait.\n"))
    return Group(*parts)


def show(renderable: RenderableType, console: Console | None = None) -> None:
    """Print on standard output, at most `WIDTH` wide where that is not a terminal."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH, file=console.file)
    console.print(renderable)


def _blocks(first: str, others: Sequence[str]) -> Iterator[list[str]]:
    """The other policies in blocks that fit beside the first: each takes a column and one for the difference."""
    room = WIDTH - 18 - max(len(first), 10) - 2
    block: list[str] = []
    used = 0
    for label in others:
        width = max(len(label), 10) + max(len(first) + 3, 11) + 4
        if block and used + width > room:
            yield block
            block, used = [], 0
        block.append(label)
        used += width
    yield block


def _has_bounds(result: Result) -> bool:
    return any(
        entry(metrics, line.metric).get("lower_bound")
        for metrics in result.summary["policies"].values()
        for line in LINES
    )
