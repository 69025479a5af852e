"""How alike a recording and the block of arrivals are that was fitted to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.report.pictures import style

Floats = NDArray[np.float64]
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def likeness(
    hours: Sequence[tuple[str, str, int, float, float]], samples: Mapping[tuple[str, str], tuple[Floats, Any]]
) -> None:
    """Draw tasks per hour of the week, and the distribution of each length, recorded and fitted.

    Args:
        hours: pool, weekday, hour of the day, and tasks per hour, recorded and fitted.
        samples: by pool and quantity the recorded values in seconds, and the distribution that was fitted to them.
    """
    from matplotlib import pyplot as plt

    pools = list(dict.fromkeys(pool for pool, *_ in hours))
    quantities = list(dict.fromkeys(quantity for _, quantity in samples))
    columns = max(len(quantities), 1)
    figure, grid = plt.subplots(
        2 * len(pools), columns, figsize=(3.2 * columns, 4.4 * len(pools)), layout="constrained", squeeze=False
    )
    for row, pool in enumerate(pools):
        for axes in grid[2 * row]:
            axes.remove()
        wide = figure.add_subplot(grid[2 * row, 0].get_gridspec()[2 * row, :])
        _week(wide, [each[1:] for each in hours if each[0] == pool], pool)
        for axes in grid[2 * row + 1][len(quantities) :]:
            axes.set_axis_off()
        for axes, quantity in zip(grid[2 * row + 1], quantities, strict=False):
            if (pool, quantity) in samples:
                _lengths(axes, *samples[(pool, quantity)], quantity)
            else:
                axes.set_axis_off()


def _week(axes: Any, hours: Sequence[tuple[str, int, float, float]], pool: str) -> None:
    places = np.array([WEEK.index(day) * 24 + hour for day, hour, _, _ in hours])
    order = np.argsort(places)
    recorded, fitted = (np.array([each[n] for each in hours])[order] for n in (2, 3))
    axes.fill_between(places[order], recorded, step="post", alpha=0.35, color="C0", label="recorded", linewidth=0)
    axes.step(places[order], fitted, where="post", color="C1", linewidth=1.2, label="fitted")
    axes.set_xticks(range(0, 168, 24), WEEK)
    axes.set_xlim(0, 168)
    axes.set_ylim(0, None)
    axes.set_ylabel(f"{style.name(pool)}:\ntasks per hour")
    axes.legend(frameon=False, ncols=2, loc="upper right")
    style.plain(axes)


def _lengths(axes: Any, values: Floats, distribution: Any, quantity: str) -> None:
    """Both distribution functions, over a logarithmic scale where lengths differ much."""
    places = np.sort(values)
    share = np.arange(1, len(places) + 1) / len(places)
    drawn = distribution.quantile((np.arange(500) + 0.5) / 500)
    axes.plot(places, share, color="C0", linewidth=3, alpha=0.45, label="recorded")
    axes.plot(drawn, (np.arange(500) + 0.5) / 500, color="C1", linewidth=1.2, label="fitted")
    positive = places[places > 0]
    if len(positive) and positive[-1] > 100 * positive[0]:
        axes.set_xscale("log")
        axes.set_xlim(left=positive[0])
    axes.set_ylim(0, 1)
    axes.set_title(f"{quantity} ({distribution.dist}, {len(places):,})", fontsize="small")
    axes.set_xlabel("seconds")
    style.plain(axes)
