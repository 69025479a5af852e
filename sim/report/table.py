"""The comparison as a table that fits a terminal 80 columns wide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sim.results.result_base import ResultBase
from sim.results.summary import entry
from sim.statistics.mean_interval import ENOUGH

WIDTH = 80

WORTH_SAYING = 1.5
"""By what factor pairing has to save replications for the table to mention it."""


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
    always: bool = True
    """Whether it is shown even if it is 0 for every policy."""


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
    # In all, over all confirmed tasks.
    Line("waited: server down", "wait_server_down", seconds, always=False),
    Line("waited: agent offline", "wait_agent_offline", seconds, always=False),
    Line("waited: polling", "wait_polling", seconds, always=False),
    Line("waited: pod starting", "wait_pod_starting", seconds, always=False),
    Line("waited: no slot", "wait_no_slot", seconds, always=False),
    Line("waited: replanning", "wait_replanning", seconds, always=False),
    Line("pod-hours", "pod_seconds", _hours),
    Line("peak pods", "peak_pods", _count),
    Line("pods never used", "overshoot", _count),
)


def figure(found: dict[str, Any], written: Callable[[float], str]) -> str:
    """One figure, with its interval. ``>`` before it says that it is a lower bound, ``?`` after it: not enough data."""
    if found["value"] is None:
        return "-"
    if found.get("lower_bound"):
        return f"> {written(found['value'])}"
    return written(found["value"]) + _interval(found, written)


def difference(found: dict[str, Any], written: Callable[[float], str]) -> str:
    """One difference, with its sign; ``>`` and ``<`` before it say that it is more, or less, than that."""
    if found["value"] is None:
        return "?"
    bound = "> " if found.get("lower_bound") else "< " if found.get("upper_bound") else ""
    if found["value"] == 0 and not bound and (found.get("not_enough_data") or not found.get("ci_high")):
        return "="
    return f"{bound}{'+' if found['value'] > 0 else ''}{written(found['value'])}" + _interval(found, written)


def _interval(found: dict[str, Any], written: Callable[[float], str]) -> str:
    if found.get("not_enough_data"):
        return " ?"
    low, high = found.get("ci_low"), found.get("ci_high")
    if low is None or high is None or low == high:
        return ""
    return f" ({written(low).removesuffix(' s')} to {written(high).removesuffix(' s')})"


def comparison(result: ResultBase) -> RenderableType:
    """The policies side by side, the first repeated in each block of as many as fit beside it."""
    first, *others = result.labels
    lines = lines_of(result)
    titles = ["", *(line.title for line in lines)]
    reference = [
        first,
        *(figure(entry(result.summary["policies"][first], line.metric), line.written) for line in lines),
    ]
    parts: list[RenderableType] = [_head(result)]
    beside = {label: _columns(result, label, lines) for label in others}
    room = WIDTH - _width([titles, reference])
    for block in _blocks({label: _width(columns) for label, columns in beside.items()}, room):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
        table.add_column("")
        table.add_column(first, justify="right", overflow="fold")
        columns = [titles, reference]
        for label in block:
            shown, apart, *words = beside[label]
            table.add_column(shown[0], justify="right", overflow="fold")
            table.add_column(apart[0], justify="right", overflow="fold", style="cyan")
            if words:
                table.add_column("", overflow="fold")
            columns += beside[label]
        for row in list(zip(*columns, strict=True))[1:]:
            table.add_row(*row)
        parts.append(table)
    parts.extend(Text(note) for note in notes(result))
    return Group(*parts)


def _columns(result: ResultBase, label: str, lines: Sequence[Line]) -> list[list[str]]:
    """The columns of a policy that is not the first, with their heads: figures, differences and, if told, verdicts."""
    metrics, differences = result.summary["policies"][label], result.summary["comparisons"][label]
    shown = [figure(entry(metrics, line.metric), line.written) for line in lines]
    found = [entry(differences, line.metric) for line in lines]
    apart = [difference(each, line.written) for each, line in zip(found, lines, strict=True)]
    columns = [[label, *shown], [f"vs {result.labels[0]}", *apart]]
    if result.replications > 1:
        verdicts = (each.get("verdict", "cannot tell") for each in found)
        columns.append(["", *("" if told == "=" else word for told, word in zip(apart, verdicts, strict=True))])
    return columns


def _width(columns: Sequence[Sequence[str]]) -> int:
    """How many characters the columns take, with the room between them."""
    return sum(max(map(len, column)) + 2 for column in columns)


def _head(result: ResultBase) -> Text:
    scenario = result.scenario
    facts = [f"{scenario.horizon / 3600:g} h", f"seed {scenario.seed}"]
    if result.replications > 1:
        facts.append(f"{result.replications} replications")
    if scenario.warmup == "auto":
        facts.append(f"warm-up {result.warmup / 3600:.2g} h by MSER-5")
    return Text.assemble((scenario.name, "bold"), f"  ({', '.join(facts)})", no_wrap=True, overflow="ellipsis")


def notes(result: ResultBase) -> Iterator[str]:
    """What a reader of the comparison has to know beside it, one sentence or two each."""
    if result.replications > 1:
        yield f"In brackets: the {result.scenario.confidence * 100:g} % interval of the mean over replications."
        gains = [
            entry(m, line.metric).get("pairing_gain") for m in result.summary["comparisons"].values() for line in LINES
        ]
        known = sorted(gain for gain in gains if gain is not None)
        gain = known[len(known) // 2] if known else 1.0
        if gain >= WORTH_SAYING:
            yield (
                f"As all policies meet the same worlds, it takes {gain:.2g} times fewer replications to tell them "
                "apart (median of the rows)."
            )
    yield from _too_few(result)
    if any(entry(m, line.metric).get("lower_bound") for m in result.summary["policies"].values() for line in LINES):
        yield "> and <: at least and at most. Tasks that still wait at the end would have waited longer."
    if result.warmup_too_short:
        yield (
            "The runs are too short for a warm-up of their own choice: the number of tasks in the system still "
            "changes after half of the time. Give a longer horizon, or a warmup in place of auto."
        )
    wanted = result.scenario.precision
    if wanted is not None:
        reached = "reached" if result.precision_reached else "not reached"
        yield f"Precision of {wanted.metric}: {reached} with {result.replications} replications."


def _too_few(result: ResultBase) -> Iterator[str]:
    """Which figures rest on too few replications, and what would help."""
    found = [entry(m, line.metric) for m in result.summary["policies"].values() for line in lines_of(result)]
    if not any(each.get("not_enough_data") for each in found):
        return
    yield (
        f"?: not enough data. Fewer than {ENOUGH} replications have a figure there that is not 0, so nothing is known "
        "of how large it may be."
    )
    needed = [each["replications_needed"] for each in found if each.get("not_enough_data")
              and each.get("replications_needed", 0) > result.replications]  # fmt: skip
    if needed:
        yield f"With about {max(needed):,} replications there would be enough, but where it is always 0."
    without = max(result.replications - each.get("replications", result.replications) for each in found)
    if without:
        yield f"Up to {without} of {result.replications} replications have no such figure, as no task was confirmed."


def lines_of(result: ResultBase) -> list[Line]:
    """The lines that say something about this result."""
    policies = result.summary["policies"].values()
    return [line for line in LINES if line.always or any(entry(metrics, line.metric)["value"] for metrics in policies)]


def show(renderable: RenderableType, console: Console | None = None) -> None:
    """Print on standard output, at most `WIDTH` wide where that is not a terminal."""
    console = console or Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=WIDTH, file=console.file)
    console.print(renderable)


def _blocks(widths: Mapping[str, int], room: int) -> Iterator[list[str]]:
    """The other policies in blocks that fit into the *room* beside the first, which alone is a block, too."""
    block: list[str] = []
    left = room
    for label, width in widths.items():
        if block and width > left:
            yield block
            block, left = [], room
        block.append(label)
        left -= width
    yield block
