"""The comparison as a table for a terminal: a column per policy, or a row per policy where those do not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sim.report.answer import answer, worse_than_another
from sim.report.lines import Line, groups_of, in_unit_of, lines_of, seconds
from sim.report.pictures.style import duration
from sim.results.notes import UNEQUAL
from sim.results.result_base import ResultBase
from sim.results.summary import entry
from sim.statistics.mean_interval import ENOUGH

WIDTH = 80
"""How wide it is where the output is no terminal."""

MARKS = {"equivalent": "=", "shorter": "↓", "less": "↓", "longer": "↑", "more": "↑", "cannot tell": "≈"}

WORTH_SAYING = 1.5
"""By what factor pairing has to save replications for the table to mention it."""

WORDS = {
    "apply_wait.p95": "to apply: from the confirmation on",
    "plan_wait.p95": "to plan: from when the task may run",
    "blocked_wait.p95": "for an earlier task: of its workspace, before it may run",
}
"""What each kind of wait is, by a line that shows it."""

SHORT = ("completed", "apply_wait.p95", "apply_wait.within_slo", "plan_wait.p95", "plan_wait.within_slo",
         "pod_seconds", "cost.total")  # fmt: skip
"""The columns where each policy has a row, in their order."""


def figure(found: dict[str, Any], written: Callable[[float], str], intervals: bool = False) -> str:
    """One figure. ``>`` before it says that it is a lower bound, ``?`` after it that there are not enough data."""
    if found["value"] is None:
        return "-"
    if found.get("lower_bound"):
        return f"> {written(found['value'])}"
    return written(found["value"]) + _interval(found, written, intervals)


def difference(found: dict[str, Any], written: Callable[[float], str]) -> str:
    """One difference, with its sign; ``>`` and ``<`` before it say that it is more, or less, than that."""
    if found["value"] is None:
        return "?"
    bound = "> " if found.get("lower_bound") else "< " if found.get("upper_bound") else ""
    if found["value"] == 0 and not bound and (found.get("not_enough_data") or not found.get("ci_high")):
        return "="
    return f"{bound}{'+' if found['value'] > 0 else ''}{written(found['value'])}" + _interval(found, written, True)


def _interval(found: dict[str, Any], written: Callable[[float], str], shown: bool) -> str:
    if found.get("not_enough_data"):
        return " ?"
    low, high = found.get("ci_low"), found.get("ci_high")
    if not shown or low is None or high is None or low == high:
        return ""
    unit = " s" if written(low).endswith(" s") else " %" if written(low).endswith(" %") else ""
    return f" ({written(low).removesuffix(unit)} to {written(high).removesuffix(unit)})"


def mark(result: ResultBase, label: str, metric: str) -> str:
    """How a figure compares with the first policy's, as a sign; nothing for the first and where they are equal."""
    if label == result.labels[0] or result.replications < 2:
        return ""
    found = entry(result.summary["comparisons"][label], metric)
    if difference(found, str) == "=" or found["value"] is None:
        return ""
    return MARKS.get(found.get("verdict", ""), "")


def comparison(result: ResultBase, width: int = WIDTH, every: bool = False) -> RenderableType:
    """The answer, the table and what has to be known beside it.

    With *every* line, each with its interval, and the differences from the first policy after them.
    """
    parts: list[RenderableType] = [_head(result), *(Text(sentence) for sentence in answer(result))]
    if every:
        parts += _in_blocks(result, width)
    else:
        columns = _columns(result, result.labels, False)
        fits = _width(columns) <= width
        parts.append(_table(columns) if fits else _row_per_policy(result))
    parts += [Text(note) for note in notes(result, every)]
    return Group(*parts)


def _columns(result: ResultBase, labels: Sequence[str], every: bool) -> list[list[str]]:
    """The titles, and for each policy its figures; a group's heading has empty cells beside it."""
    worse = worse_than_another(result.summary, result.labels)
    titles = [""]
    columns = [[f"{label} *" if label in worse else label] for label in labels]
    for group in groups_of(result, every):
        titles += [group.title, *(f"  {line.title}" for line in group.lines)]
        for label, column in zip(labels, columns, strict=True):
            metrics = result.summary["policies"][label]
            column += ["", *(_cell(result, label, metrics, line, every) for line in group.lines)]
    return [titles, *columns]


def _cell(result: ResultBase, label: str, metrics: dict[str, Any], line: Line, every: bool) -> str:
    sign = mark(result, label, line.metric)
    return figure(entry(metrics, line.metric), line.written, every) + (f" {sign}" if sign else "")


def _table(columns: Sequence[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column[0], justify="right" if number else "left", overflow="fold")
    for row in list(zip(*columns, strict=True))[1:]:
        is_heading = not any(row[1:]) and not row[0].startswith(" ")
        table.add_row(*row, style="bold" if is_heading else None)
    return table


def _in_blocks(result: ResultBase, width: int) -> Iterator[RenderableType]:
    """All figures with their intervals, as many policies beside the first as fit, and then the differences."""
    first, *others = result.labels
    titles, reference = _columns(result, [first], True)
    room = width - _width([titles, reference])
    wide = {label: _width([_columns(result, [label], True)[1]]) for label in others}
    for block in _blocks(wide, room):
        yield _table(_columns(result, [first, *block], True))
    lines = lines_of(result, every=True)
    apart = {
        label: [f"{label} vs {first}", *(
            difference(found, line.written) + (f" {sign}" if (sign := mark(result, label, line.metric)) else "")
            for line in lines for found in [entry(result.summary["comparisons"][label], line.metric)])]
        for label in others
    }  # fmt: skip
    names = ["", *(_whole_title(line) for line in lines)]
    if others:
        for block in _blocks({label: _width([column]) for label, column in apart.items()}, width - _width([names])):
            yield _table([names, *(apart[label] for label in block)])


def _whole_title(line: Line) -> str:
    """A line's title that can stand alone."""
    return (
        f"{line.metric.partition('.')[0].replace('_', ' ')}: {line.title.strip()}" if "." in line.metric else line.title
    )


def _row_per_policy(result: ResultBase) -> Table:
    """The figures of the answer, a row per policy."""
    worse = worse_than_another(result.summary, result.labels)
    lines = {line.metric: line for line in lines_of(result)}
    shown = [lines[metric] for metric in SHORT if metric in lines]
    if "cost.total" in lines:
        shown = [line for line in shown if line.metric != "pod_seconds"]
    columns = [["", *(f"{label} *" if label in worse else label for label in result.labels)]]
    for line in shown:
        policies = result.summary["policies"]
        largest = max(entry(policies[label], line.metric)["value"] or 0.0 for label in result.labels)
        short = Line(line.title, line.metric, in_unit_of(largest) if line.written is seconds else line.written)
        cells = [_cell(result, label, policies[label], short, False) for label in result.labels]
        columns.append([_column_title(line, result), *cells])
    return _table(columns)


def _column_title(line: Line, result: ResultBase) -> str:
    wait, _, part = line.metric.partition(".")
    what = wait.removesuffix("_wait")
    if part == "within_slo":
        return f"in {duration(result.scenario.slo.limits[wait])}"
    if line.metric == "cost.total" and result.scenario.cost is not None:
        return result.scenario.cost.currency
    return f"{what} 95 %" if part == "p95" else line.title


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


def notes(result: ResultBase, every: bool = False) -> Iterator[str]:
    """What a reader of the comparison has to know beside it, one sentence or two each."""
    lines = lines_of(result, every)
    policies = result.summary["policies"]
    shown = [line.metric for line in lines]
    waits = "; ".join(words for metric, words in WORDS.items() if metric in shown)
    yield f"Waits {waits}. The slowest 5 % wait longer."
    signs = {mark(result, label, line.metric) for label in result.labels for line in lines}
    if signs & {"↓", "↑", "≈"}:
        yield (
            f"↓ ↑: less or more than under {result.labels[0]}, beyond chance. ≈: it may be chance. "
            "No sign: equal, or not known."
        )
    if "=" in signs:
        within = (result.scenario.equivalent_within or 0.0) * 100
        yield f"=: equivalent, certainly within {within:.3g} % of {result.labels[0]}."
    if every and result.replications > 1:
        yield f"In brackets: the {result.scenario.confidence * 100:g} % interval of the mean over replications."
    if any(entry(m, line.metric).get("lower_bound") for m in policies.values() for line in lines):
        yield ">: at least, as tasks still waited at the end of the run."
    yield from _too_few(result, lines)
    worse = worse_than_another(result.summary, result.labels)
    if worse:
        winners = dict.fromkeys(worse.values())
        yield f"*: beaten by {' or '.join(winners)}: as many tasks finished, 99 % wait no longer, and it costs no more."
    if every:
        yield from _pairing(result, lines)
    if result.warmup_too_short:
        yield (
            "The runs are too short for a warm-up of their own choice: the number of tasks in the system still "
            "changes after half of the time. Give a longer horizon, or a warmup in place of auto."
        )
    # That policies finish unequally many tasks is a part of the answer.
    yield from (f"Note: {note}" for note in result.summary.get("notes", ()) if not note.startswith(UNEQUAL))
    wanted = result.scenario.precision
    if wanted is not None:
        reached = "reached" if result.precision_reached else "not reached"
        yield f"Precision of {wanted.metric}: {reached} with {result.replications} replications."
    if not every:
        yield f"-v shows every figure{', with its interval' if result.replications > 1 else ''}."


def _pairing(result: ResultBase, lines: Sequence[Line]) -> Iterator[str]:
    gains = [
        entry(m, line.metric).get("pairing_gain") for m in result.summary["comparisons"].values() for line in lines
    ]
    known = sorted(gain for gain in gains if gain is not None)
    gain = known[len(known) // 2] if known else 1.0
    if gain >= WORTH_SAYING:
        yield (
            f"As all policies meet the same worlds, it takes {gain:.2g} times fewer replications to tell them apart "
            "(median of the rows)."
        )


def _too_few(result: ResultBase, lines: Sequence[Line]) -> Iterator[str]:
    """Which figures rest on too few replications, and what would help."""
    found = [entry(m, line.metric) for m in result.summary["policies"].values() for line in lines]
    if any(each.get("not_enough_data") for each in found):
        needed = [each["replications_needed"] for each in found if "replications_needed" in each]
        more = f" -r {max(needed)} would probably show it." if needed and max(needed) > result.replications else ""
        yield (
            f"?: fewer than {ENOUGH} of the {result.replications} replications have a figure other than 0, too few to "
            f"tell how large it can be.{more}"
        )
    without = max(result.replications - each.get("replications", result.replications) for each in found)
    if without:
        yield f"Up to {without} of {result.replications} replications have no such wait, as no task came so far."


def show(result: ResultBase, every: bool = False, console: Console | None = None) -> None:
    """Print the comparison on standard output: as wide as the terminal, or `WIDTH` wide where that is none."""
    console = console or Console(highlight=False, markup=False, emoji=False)
    width = console.width if console.is_terminal else WIDTH
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=WIDTH, file=console.file)
    console.print(comparison(result, width, every))


def _blocks(widths: dict[str, int], room: int) -> Iterator[list[str]]:
    """The policies in blocks that fit into the *room*; one that does not fit alone is a block, too."""
    block: list[str] = []
    left = room
    for label, width in widths.items():
        if block and width > left:
            yield block
            block, left = [], room
        block.append(label)
        left -= width
    yield block
