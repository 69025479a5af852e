"""How long tasks wait: the share that waits longer than a given time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from warnings import catch_warnings

import numpy as np

from sim.report.pictures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.results.result_base import ResultBase

FEW = 20
"""Of fewer tasks no band is drawn: it would be everywhere."""

MANY = 4
"""The legend of more policies than this stands beside the curves, where it hides none."""

POINTS = 400
"""A curve is drawn with no more steps than this."""


KINDS = {
    "apply_wait": ("confirmed_at", "censored", "apply wait, from the confirmation on"),
    "plan_wait": ("eligible_at", "plan_censored", "plan wait, from the moment a task is eligible on"),
}
"""By kind of wait: the columns that say when it began and whether it was not over, and what the axis is called."""


def waits(result: ResultBase, kind: str = "apply_wait", ax: Axes | None = None) -> Axes:
    """The survival curve of a *kind* of wait, by Kaplan-Meier over the tasks of all replications.

    It is an estimate: it assumes that the tasks that still waited at the horizon were no others than those that had
    waited as long and did not wait there any more. No figure in the table rests on it.

    Band: pointwise, at the scenario's confidence (exponential Greenwood); tasks are taken as independent, which those
    of one replication are not quite. Marks: tasks that still waited at the horizon, where the curve knew of them last.
    """
    from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter
    from scipy.stats import CensoredData, ecdf

    axes = style.new_axes(ax, (7.0, 3.6))
    tasks = result.tasks
    began, is_censored, words = KINDS[kind]
    tasks = tasks[
        (tasks.execution_mode == "k8s") & (tasks[began] < result.scenario.horizon) & (tasks.arrived_at >= result.warmup)
    ]
    most = 0.0
    longest = max(float(tasks[kind].max()), 10.0) if len(tasks) else 10.0
    for number, label in enumerate(result.labels):
        own = tasks[tasks.policy == label]
        if own.empty:
            continue
        wait, censored = own[kind].to_numpy(), own[is_censored].to_numpy(dtype=bool)
        curve: Any = ecdf(CensoredData(uncensored=wait[~censored], right=wait[censored])).sf
        times = np.concatenate([[0.0], curve.quantiles, [longest]])
        heights = np.concatenate([[1.0], curve.probabilities, curve.probabilities[-1:]])
        few = _few(heights)
        colour = style.line(number)["color"]
        most = max(most, float(heights[np.searchsorted(times, 0.0, side="right") - 1 :].max()))
        axes.step(times[few], heights[few], where="post", label=style.name(label), linewidth=1.8, **style.line(number))
        cut = np.unique(wait[censored])
        if len(cut):
            at = np.searchsorted(times[:-1], cut, side="right") - 1
            axes.plot(
                cut, heights[at], linestyle="", marker="|", markersize=9, color=colour,
            )  # fmt: skip
        if len(own) < FEW:
            continue
        with np.errstate(all="ignore"), catch_warnings(action="ignore", category=RuntimeWarning):  # where it ends
            band = curve.confidence_interval(result.scenario.confidence)
        # Where nobody is left the band is not defined; it then is no wider than the curve.
        low, high = (
            np.where(np.isnan(side.probabilities), curve.probabilities, side.probabilities)
            for side in (band.low, band.high)
        )
        inside = few[(few > 0) & (few < len(times) - 1)] - 1
        axes.fill_between(times[1:-1][inside], low[inside], high[inside], step="post", color=colour, alpha=0.15)
    axes.set_xscale("symlog", linthresh=1.0, linscale=0.4)
    axes.set_xlim(0, longest * 1.3)
    ticks = [0, 1, 10, 60, 600, 3600, 6 * 3600, 86400, 10 * 86400]
    axes.set_xticks([tick for tick in ticks if tick <= longest * 1.3])
    axes.xaxis.set_major_formatter(FuncFormatter(style.duration))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(-0.02 * (most or 1.0), 1.05 * (most or 1.0))
    axes.set_xlabel(words)
    axes.set_ylabel("share that waits longer (estimate)")
    style.plain(axes)
    if axes.lines:
        beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if len(result.labels) > MANY else {}
        style.legend(axes, [style.name(label) for label in result.labels], **beside)
    return axes


def _few(heights: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Which points of a falling curve to draw: all if they are few, and else such that none is far from a drawn one."""
    if len(heights) <= POINTS:
        return np.arange(len(heights))
    wanted = np.linspace(heights[0], heights[-1], POINTS - 1)
    last = len(heights) - 1
    return np.unique(np.concatenate([np.searchsorted(-heights, -wanted).clip(0, last), [0, last]]))
