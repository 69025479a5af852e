"""What the wait was made of."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from sim.report.pictures import style
from sim.results.summary import entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.results.result_base import ResultBase

CAUSES = {
    "no_slot": ("no slot, none on its way", "#D55E00", ""),
    "pod_starting": ("a pod was starting", "#E69F00", "...."),
    "polling": ("not due to ask yet", "#56B4E9", "////"),
    "agent_offline": ("its agent was silent", "#CC79A7", "xxxx"),
    "server_down": ("the server was down", "#8C8C8C", "\\\\\\\\"),
    "replanning": ("it had to plan again", "#009E73", "++++"),
}
"""By cause: in words, colour and hatching; in the order of the bars' parts."""


KINDS = {"apply_wait": ("wait", "confirmed"), "plan_wait": ("plan_wait", "eligible")}
"""By kind of wait: how the metrics of its causes begin, and what the tasks are that wait."""


def causes(result: ResultBase, kind: str = "apply_wait", ax: Axes | None = None) -> Axes:
    """The mean wait of a task by cause, one bar per policy: its apply wait or its plan wait.

    Where tasks still waited at the horizon, what they waited up to then is in it.
    """
    from matplotlib.patches import Patch

    parts = {label: _parts(result.summary["policies"][label], kind) for label in result.labels}
    shown = [cause for cause in CAUSES if any(cause in of for of in parts.values())]
    axes = style.new_axes(ax, (7.0, 1.0 + 0.45 * len(result.labels) + 0.25 * ceil(len(shown) / 2)))
    longest = max(sum(of.values()) for of in parts.values())
    for row, of in enumerate(parts.values()):
        left = 0.0
        for cause, mean in of.items():
            _, colour, hatch = CAUSES[cause]
            axes.barh(row, mean, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5, height=0.6)
            left += mean
        axes.annotate(
            style.duration(left), (left, row), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_yticks(range(len(result.labels)), [style.name(label) for label in result.labels])
    axes.set_ylim(len(result.labels) - 0.45, -0.55)
    axes.set_xlim(0, longest * 1.15 or 1.0)
    style.duration_axis(axes.xaxis, longest * 1.15)
    axes.set_xlabel(f"wait per {KINDS[kind][1]} task, so far as it was seen")
    style.plain(axes)
    axes.grid(visible=False, axis="y")
    if shown:
        patches = [
            Patch(label=words, facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0.5)
            for words, colour, hatch in (CAUSES[cause] for cause in shown)
        ]
        if ax is None:
            axes.get_figure(root=True).legend(  # type: ignore[union-attr]
                handles=patches, loc="outside lower center", ncols=2, frameon=False, fontsize=9
            )
        else:
            axes.legend(handles=patches, frameon=False, fontsize=9)
    return axes


def _parts(figures: dict[str, Any], kind: str) -> dict[str, float]:
    """The mean wait of a task, split by cause in the proportion of what all of them waited for each."""
    totals = {cause: entry(figures, f"{KINDS[kind][0]}_{cause}")["value"] or 0.0 for cause in CAUSES}
    mean, total = entry(figures, f"{kind}.mean")["value"] or 0.0, sum(totals.values())
    return {cause: mean * each / total for cause, each in totals.items() if each}
