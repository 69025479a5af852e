"""The comparison as HTML tables, for notebooks and for the report."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from sim.report.answer import answer, worse_than_another
from sim.report.lines import Line, groups_of
from sim.report.table import difference, figure, mark, notes
from sim.results.summary import entry

if TYPE_CHECKING:
    from sim.results.result_base import ResultBase


def comparison_table(result: ResultBase) -> str:
    """The answer, the figures that it rests on, and behind a word to click on all others with their intervals."""
    told = "".join(f"<p class='answer'>{escape(sentence)}</p>" for sentence in answer(result))
    said = "".join(f"<p class='note'>{escape(note)}</p>" for note in notes(result) if not note.startswith("-v"))
    return (
        f"{told}<table class='comparison'><caption>{escape(result.scenario.name)}</caption>{_short(result)}</table>"
        f"{said}"
        f"<details><summary>All figures</summary><table class='comparison'>{_long(result)}</table></details>"
    )


def _short(result: ResultBase) -> str:
    """A column per policy, with the figures that answer."""
    worse = worse_than_another(result.summary, result.labels)
    heads = "".join(f"<th scope='col'>{escape(label)}{' *' if label in worse else ''}</th>" for label in result.labels)
    rows = list(_rows(result, every=False))
    return f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(rows)}</tbody>"


def _long(result: ResultBase) -> str:
    """Beside each policy but the first its difference from that one."""
    first, *others = result.labels
    heads = f"<th scope='col'>{escape(first)}</th>" + "".join(
        f"<th scope='col'>{escape(label)}</th><th scope='col'>vs {escape(first)}</th>" for label in others
    )
    return f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(_rows(result, every=True))}</tbody>"


def _rows(result: ResultBase, every: bool) -> Iterator[str]:
    across = 1 + len(result.labels) + (len(result.labels) - 1 if every else 0)
    for group in groups_of(result, every):
        yield f"<tr class='group'><th scope='rowgroup' colspan='{across}'>{escape(group.title)}</th></tr>"
        for line in group.lines:
            cells = "".join(_cells(result, label, line, every) for label in result.labels)
            part = " class='part'" if line.title.startswith(" ") else ""
            yield f"<tr><th scope='row'{part}>{escape(line.title.strip())}</th>{cells}</tr>"


def _cells(result: ResultBase, label: str, line: Line, every: bool) -> str:
    found = entry(result.summary["policies"][label], line.metric)
    sign = mark(result, label, line.metric)
    shown = figure(found, line.written, every)
    if not every:
        return f"<td>{escape(shown)}{f' {sign}' if sign else ''}</td>"
    if label == result.labels[0]:
        return f"<td>{escape(shown)}</td>"
    apart = difference(entry(result.summary["comparisons"][label], line.metric), line.written)
    return f"<td>{escape(shown)}</td><td class='difference'>{escape(apart)}{f' <em>{sign}</em>' if sign else ''}</td>"
