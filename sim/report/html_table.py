"""The comparison as an HTML table, for notebooks and for the report."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from sim.experiment.summary import entry
from sim.report.table import difference, figure, lines_of, notes

if TYPE_CHECKING:
    from sim.results.outcome import Outcome


def comparison_table(outcome: Outcome) -> str:
    """The policies side by side, each with its difference from the first."""
    first, *others = outcome.labels
    policies, comparisons = outcome.summary["policies"], outcome.summary["comparisons"]
    told = outcome.replications > 1
    head = [f"<th scope='col'>{escape(first)}</th>"]
    for label in others:
        head.append(f"<th scope='col'>{escape(label)}</th><th scope='col'>vs {escape(first)}</th>")
    rows = []
    for line in lines_of(outcome):
        cells = [f"<td>{escape(figure(entry(policies[first], line.metric), line.written))}</td>"]
        for label in others:
            found = entry(comparisons[label], line.metric)
            told_of = difference(found, line.written)
            word = found.get("verdict", "cannot tell") if told and told_of != "=" else ""
            cells.append(f"<td>{escape(figure(entry(policies[label], line.metric), line.written))}</td>")
            cells.append(f"<td class='difference'>{escape(told_of)} <em>{escape(word)}</em></td>")
        title = line.title if line.title == line.title.strip() else f"apply wait: {line.title.strip()}"
        rows.append(f"<tr><th scope='row'>{escape(title)}</th>{''.join(cells)}</tr>")
    said = "".join(f"<p class='note'>{escape(note)}</p>" for note in notes(outcome))
    return (
        f"<table class='comparison'><caption>{escape(outcome.scenario.name)}</caption>"
        f"<thead><tr><td></td>{''.join(head)}</tr></thead><tbody>{''.join(rows)}</tbody></table>{said}"
    )
