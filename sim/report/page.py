"""The report: one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from sim.report.html_table import comparison_table
from sim.report.plot import Plot
from sim.report.svg import as_svg
from sim.report.words import facts

if TYPE_CHECKING:
    from sim.results.result_base import ResultBase

TIMELINES = 3
"""A report has the timelines of no more replications than this: those with the longest waits."""


def report(result: ResultBase) -> str:
    """The report of a result, as HTML."""
    scenario = result.scenario
    told = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts(scenario, result.replications)
    )
    style, script = (files("sim.report").joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    name = escape(scenario.name)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light '
        f'dark"><style>{style}</style></head><body><main><h1>{name}</h1>'
        f'<p class="description">{_described(scenario.description)}</p>'
        "<section class='verdict'><h2>Comparison</h2>"
        f"<div class='wide' tabindex='0'>{comparison_table(result)}</div></section>"
        f"{''.join(_figures(result))}"
        f"<section><h2>The scenario</h2><dl>{told}</dl></section>"
        f"</main><script>{script}</script></body></html>\n"
    )


def _described(text: str) -> str:
    """A description; what stands between backquotes is a name."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _figures(result: ResultBase) -> Iterator[str]:
    plot = Plot(result)
    chosen = worst_replications(result)
    yield "<section><h2>What happened</h2>"
    if result.replications > 1:
        options = "".join(f'<option value="{number}">{number}</option>' for number in chosen)
        yield (
            f'<p><label>Replication <select id="replication">{options}</select></label> of {result.replications}: '
            "those with the longest waits, the worst first.</p>"
        )
    for number in chosen:
        hidden = "" if number == chosen[0] else " hidden"
        yield f'<div class="replication" data-replication="{number}"{hidden}>'
        yield _figure(
            as_svg(partial(plot.timeline, None, number), "timeline of pods and slots", f"timeline{number}"),
            "Each line is a slot of a pod. Above them, the confirmed tasks that had to wait, from their confirmation "
            "to the apply; the arrow leads to the slot that they got.",
            large=True,
        )
        yield _figure(
            as_svg(partial(plot.pods, number), "pods, demand and waiting tasks over time", f"pods{number}"),
            "Pods, the tasks that run or want to, and the confirmed tasks that wait, over time.",
            large=True,
        )  # fmt: skip
        yield "</div>"
    yield "</section><section><h2>How long, and why</h2>"
    yield _figure(
        as_svg(plot.waits, "share of confirmed tasks that wait longer than a time", "waits"),
        "The share of confirmed tasks that wait longer than a given time (Kaplan-Meier). A bar across the line is a "
        "task that still waited at the end.",
    )
    yield _figure(
        as_svg(plot.causes, "mean apply wait by cause", "causes"), "What the wait of a confirmed task was made of."
    )
    yield _figure(
        as_svg(plot.plan_waits, "share of tasks that wait longer than a time for their plan", "plan_waits"),
        "The same for the wait before the plan, of tasks that are eligible.",
    )
    yield _figure(
        as_svg(plot.plan_causes, "mean plan wait by cause", "plan_causes"), "What the wait for a plan was made of."
    )
    yield "</section><section><h2>Wait against cost</h2>"
    yield _figure(
        as_svg(plot.frontier, "mean wait against pod-hours", "frontier"),
        "Down is a shorter wait, left is cheaper. The dotted line joins the policies that no other beats in both.",
    )
    yield "</section>"


def _figure(svg: str, caption: str, large: bool = False) -> str:
    kind = " class='large'" if large else ""
    picture = f"<div class='picture' tabindex='0'>{svg}</div>"
    return f"<figure{kind}>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def worst_replications(result: ResultBase) -> list[int]:
    """The replications with the longest waits under any policy, the worst first."""
    longest = result.tasks.groupby("replication").apply_wait.max().fillna(0.0)
    ranked = sorted(range(result.replications), key=lambda n: (-float(longest.get(n, 0.0)), n))
    return ranked[:TIMELINES]
