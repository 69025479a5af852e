"""The comparison as an HTML table, for notebooks and for the report."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from sim.report.table import difference, figure, lines_of, notes
from sim.results.summary import entry

if TYPE_CHECKING:
    from sim.results.result_base import ResultBase


def comparison_table(result: ResultBase) -> str:
    """The policies side by side, each with its difference from the first."""
    first, *others = result.labels
    policies, comparisons = result.summary["policies"], result.summary["comparisons"]
    told = result.replications > 1
    head = [f"<th scope='col'>{escape(first)}</th>"]
    for label in others:
        head.append(f"<th scope='col'>{escape(label)}</th><th scope='col'>vs {escape(first)}</th>")
    rows = []
    for line in lines_of(result):
        cells = [f"<td>{escape(figure(entry(policies[first], line.metric), line.written))}</td>"]
        for label in others:
            found = entry(comparisons[label], line.metric)
            told_of = difference(found, line.written)
            word = found.get("verdict", "cannot tell") if told and told_of != "=" else ""
            cells.append(f"<td>{escape(figure(entry(policies[label], line.metric), line.written))}</td>")
            cells.append(f"<td class='difference'>{escape(told_of)} <em>{escape(word)}</em></td>")
        title = line.title if line.title == line.title.strip() else f"apply wait: {line.title.strip()}"
        rows.append(f"<tr><th scope='row'>{escape(title)}</th>{''.join(cells)}</tr>")
    said = "".join(f"<p class='note'>{escape(note)}</p>" for note in notes(result))
    return (
        f"<table class='comparison'><caption>{escape(result.scenario.name)}</caption>"
        f"<thead><tr><td></td>{''.join(head)}</tr></thead><tbody>{''.join(rows)}</tbody></table>{said}"
    )
