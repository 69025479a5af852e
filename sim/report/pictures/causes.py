"""What the wait was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.experiment.summary import entry
from sim.report.pictures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.results.outcome import Outcome

CAUSES = {
    "no_slot": ("no slot, none on its way", "#D55E00", ""),
    "pod_starting": ("a pod was starting", "#E69F00", "...."),
    "polling": ("not due to ask yet", "#56B4E9", "////"),
    "agent_offline": ("its agent was silent", "#CC79A7", "xxxx"),
    "server_down": ("the server was down", "#8C8C8C", "\\\\\\\\"),
    "replanning": ("it had to plan again", "#009E73", "++++"),
}
"""By cause: in words, colour and hatching; in the order of the bars' parts."""


def causes(outcome: Outcome, ax: Axes | None = None) -> Axes:
    """The mean wait of a confirmed task by cause, one bar per policy.

    Where tasks still waited at the horizon, what they waited up to then is in it.
    """
    axes = style.new_axes(ax, (7.0, 1.2 + 0.45 * len(outcome.labels)))
    figures = outcome.summary["policies"]
    shown = set()
    longest = 0.0
    for row, label in enumerate(outcome.labels):
        confirmed = entry(figures[label], "confirmed")["value"]
        left = 0.0
        for cause, (words, colour, hatch) in CAUSES.items():
            total = entry(figures[label], f"wait_{cause}")["value"]
            mean = total / confirmed if confirmed else 0.0
            if mean:
                axes.barh(
                    row, mean, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5, height=0.6,
                    label=None if cause in shown else words,
                )  # fmt: skip
                shown.add(cause)
                left += mean
        longest = max(longest, left)
        axes.annotate(
            style.duration(left), (left, row), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_yticks(range(len(outcome.labels)), [style.name(label) for label in outcome.labels])
    axes.set_ylim(len(outcome.labels) - 0.45, -0.55)
    axes.set_xlim(0, longest * 1.15 or 1.0)
    style.duration_axis(axes.xaxis, longest * 1.15)
    axes.set_xlabel("wait per confirmed task, so far as it was seen")
    style.plain(axes)
    axes.grid(visible=False, axis="y")
    if shown:
        axes.legend(
            frameon=False,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.6 / (0.45 * len(outcome.labels))),
            ncols=2,
            fontsize=9,
        )
    return axes
