"""A sweep in pictures: lines over one setting, a heat map over two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.report.pictures import style
from sim.scenario import InputError
from sim.scenario.errors import shown
from sim.scenario.units import parse_duration

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("apply_wait.p95", "plan_wait.p95", "pod_seconds")
MOST_NUMBERS = 150
"""A map of more cells has no numbers in them."""

NAMES = {"apply_wait.p95": "apply wait,\n95 % within (s)", "plan_wait.p95": "plan wait,\n95 % within (s)"}


def sweep(frame: pd.DataFrame, paths: Sequence[str], metric: str | None = None) -> None:
    """Draw the figures of a sweep: of one setting three metrics, of two settings one metric for each policy.

    Args:
        frame: the points, as in `points.parquet`.
        paths: the settings.
        metric: which to draw; by default waits and pod-hours, or the plan wait.

    Raises:
        InputError: there is no such metric, or there are more than two settings.
    """
    if metric is not None and not (frame.metric == metric).any():
        raise InputError("", "metric", f"found {shown(metric)}, expected a metric of the sweep, such as plan_wait.p95")
    if len(paths) == 1:
        _lines(frame, paths[0], METRICS if metric is None else (metric,))
    elif len(paths) == 2:
        _maps(frame, paths, metric or "plan_wait.p95")
    else:
        raise InputError("", "picture", f"found {len(paths)} settings, expected one or two for a picture")


def _lines(frame: pd.DataFrame, path: str, metrics: Sequence[str]) -> None:
    column = style.new_column(len(metrics), (8.0, 2.1 * len(metrics)))
    values = list(dict.fromkeys(frame[path]))
    numbers = _numbers(values)
    for axes, metric in zip(column, metrics, strict=True):
        for number, (label, of_policy) in enumerate(frame[frame.metric == metric].groupby("policy", sort=False)):
            scale = 3600.0 if metric == "pod_seconds" else 1.0
            places = np.array([numbers[values.index(value)] for value in of_policy[path]])
            order = np.argsort(places, kind="stable")
            places, part = places[order], of_policy.iloc[order]
            look = style.line(number)
            axes.plot(places, part.value / scale, label=style.name(str(label)), marker="o", markersize=3, **look)
            axes.fill_between(
                places, part.ci_low.fillna(part.value) / scale, part.ci_high.fillna(part.value) / scale, alpha=0.2,
                color=look["color"], linewidth=0,
            )  # fmt: skip
        axes.set_ylabel("pod-hours" if metric == "pod_seconds" else NAMES.get(metric, metric))
        # An interval that few replications leave wide open does not flatten the line.
        highest = float(frame[frame.metric == metric].value.max() / scale)
        axes.set_ylim(0, min(axes.get_ylim()[1], 3 * highest) if highest > 0 else 1.0)
        style.plain(axes)
        if not all(isinstance(value, int | float) for value in values) and len(values) <= 12:
            axes.set_xticks(numbers, [str(value) for value in values], rotation=30, ha="right")
        if min(numbers) > 0 and max(numbers) > 50 * min(numbers):
            axes.set_xscale("log")
    labels = [style.name(str(label)) for label in dict.fromkeys(frame.policy)]
    style.legend(column[0], labels, ncols=min(len(labels), 5), loc="lower left", bbox_to_anchor=(0, 1))
    are_times = not all(isinstance(value, int | float) for value in values) and numbers != list(range(len(values)))
    column[-1].set_xlabel(f"{path} (s)" if are_times else path)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _numbers(values: Sequence[Any]) -> list[float]:
    """Where the values lie on an axis: numbers and times where they are, others one after another."""
    try:
        return [float(value) if isinstance(value, int | float) else parse_duration(value) for value in values]
    except ValueError:
        return [float(place) for place in range(len(values))]


def _ordered(values: Sequence[Any]) -> list[Any]:
    return [value for _, value in sorted(zip(_numbers(values), values, strict=True), key=lambda pair: pair[0])]


def _maps(frame: pd.DataFrame, paths: Sequence[str], metric: str) -> None:
    from matplotlib import pyplot as plt

    labels = list(dict.fromkeys(frame.policy))
    figure, row = plt.subplots(
        1, len(labels), figsize=(4.2 * len(labels), 3.6), layout="constrained", squeeze=False, sharey=True
    )
    mine = frame[frame.metric == metric]
    scale = 3600.0 if metric == "pod_seconds" else 1.0
    across, up = (_ordered(list(dict.fromkeys(mine[path]))) for path in paths)
    low, high = float(mine.value.min() / scale), float(mine.value.max() / scale)
    image: Any = None
    for axes, label in zip(row[0], labels, strict=True):
        grid = np.full((len(up), len(across)), np.nan)
        for _, point in mine[mine.policy == label].iterrows():
            grid[up.index(point[paths[1]]), across.index(point[paths[0]])] = point.value / scale
        image = axes.imshow(
            grid, origin="lower", aspect="auto", vmin=low, vmax=max(high, low + 1e-9), cmap="viridis_r", alpha=0.85
        )
        if grid.size <= MOST_NUMBERS:
            for (y, x), value in np.ndenumerate(grid):
                dark = high > low and (value - low) / (high - low) > 0.5
                axes.text(x, y, _short(value), ha="center", va="center", color="white" if dark else "black")
        axes.set_xticks(range(len(across)), [str(value) for value in across], rotation=45, ha="right")
        axes.set_yticks(range(len(up)), [str(value) for value in up])
        axes.set_title(style.name(str(label)), fontsize="medium")
        axes.set_xlabel(paths[0])
    row[0][0].set_ylabel(paths[1])
    figure.colorbar(image, ax=list(row[0]), label="pod-hours" if metric == "pod_seconds" else metric)
