"""Wait against cost: which policies are worth considering at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.report.pictures import style
from sim.results.summary import entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sim.results.result_base import ResultBase


FEW = 6
"""Points of no more policies than this have their names beside them; there would be no room for more."""


def frontier(result: ResultBase, metric: str = "apply_wait.mean", ax: Axes | None = None) -> Axes:
    """One point per policy: pod-hours to the right, *metric* upwards, with their intervals.

    The line joins the policies that no other beats in both. "At least": somebody still waited at the end.
    """
    from matplotlib.ticker import FuncFormatter

    axes = style.new_axes(ax, (7.0 if len(result.labels) <= FEW else 9.0, 4.0))
    figures = result.summary["policies"]
    points: list[tuple[float, float]] = []
    names: list[str] = []
    together: dict[tuple[float, float], list[str]] = {}
    for number, label in enumerate(result.labels):
        cost, wait = entry(figures[label], "pod_seconds"), entry(figures[label], metric)
        if wait["value"] is None:
            continue
        x, y = cost["value"] / 3600, wait["value"]
        points.append((x, y))
        name = style.name(label) + (" (at least)" if wait.get("lower_bound") else "")
        names.append(name)
        axes.errorbar(
            x, y, xerr=_spread(cost, 3600.0), yerr=_spread(wait, 1.0),
            marker=style.marker(number), markersize=7,
            color=style.line(number)["color"], capsize=3, linewidth=1.2, linestyle="",
            label=name,
        )  # fmt: skip
        together.setdefault((x, y), []).append(name)
    best = _best(points)
    if len(best) > 1:
        axes.plot(*zip(*best, strict=True), color=style.GREY, linewidth=1, linestyle=":", zorder=0)
    top = max((y for _, y in points), default=1.0)
    axes.set_yscale("symlog", linthresh=1.0, linscale=0.4)
    axes.set_ylim(-0.15, max(top, 1.0) * 3)
    axes.yaxis.set_major_formatter(FuncFormatter(style.duration))
    axes.set_yticks([tick for tick in (0, 1, 10, 60, 600, 3600, 86400) if tick <= max(top, 1.0) * 3])
    axes.set_xlim(left=0, right=max((x for x, _ in points), default=1.0) * 1.15)
    axes.set_xlabel("pod-hours")
    axes.set_ylabel(f"apply wait, {metric.partition('.')[2] or metric}")
    style.plain(axes)
    if len(result.labels) <= FEW:
        for point, here in together.items():
            axes.annotate(", ".join(here), point, xytext=(6, 6), textcoords="offset points", fontsize=9)
    else:
        style.legend(axes, names, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return axes


def _spread(found: dict[str, Any], unit: float) -> list[list[float]] | None:
    """How far a figure's interval reaches below and above it, as Matplotlib wants it."""
    value, low, high = found["value"], found.get("ci_low"), found.get("ci_high")
    return None if low is None or high is None else [[max(value - low, 0) / unit], [max(high - value, 0) / unit]]


def _best(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points that no other is better than in both, from the cheapest to the dearest."""
    best: list[tuple[float, float]] = []
    for x, y in sorted(points):
        if not best or y < best[-1][1]:
            best.append((x, y))
    return best
