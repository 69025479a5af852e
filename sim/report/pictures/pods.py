"""Pods, demand and waiting confirmed tasks over time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.report.one_run import waited_until
from sim.report.pictures import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.results.result_base import ResultBase

Floats = NDArray[np.float64]

Counted: TypeAlias = Callable[["ResultBase", str, int], tuple[Floats, Floats]]
"""Counts something in a run: the times at which it changes, and the numbers from then on."""

POINTS = 1500
"""A line is drawn with no more steps than about this; each stands for the highest value in its part of the time."""


def pods(result: ResultBase, replication: int = 0, ax: Axes | None = None) -> Any:
    """How many pods there are, how many slots are wanted, and how many confirmed tasks wait, in one replication.

    Where there are several pools the pods of each have axes of their own.

    Returns the axes below each other; with *ax* the pods of all pools only, on that.
    """
    from matplotlib.ticker import MaxNLocator

    pools = list(result.scenario.all_pools)
    shown: list[tuple[str, Counted]] = [("pods", _pods)]
    if len(pools) > 1 and ax is None:
        shown = [(f"pods\n{style.name(pool, 14)}", partial(_pods, pool=pool)) for pool in pools]
    series = [*shown, ("tasks running\nor wanting to", _demand), ("confirmed\ntasks waiting", _waiting)]
    column = [ax] if ax is not None else style.new_column(len(series), (9.0, 1.8 * len(series)))
    for axes, (title, counted) in zip(column, series, strict=False):
        for number, label in enumerate(result.labels):
            times, counts = counted(result, label, replication)
            axes.step(times, counts, where="post", label=style.name(label), linewidth=1.4, **style.line(number))
        axes.set_ylabel(title)
        axes.set_ylim(0, max(axes.get_ylim()[1], 1.0))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        style.plain(axes)
    names = [style.name(label) for label in result.labels]
    style.legend(column[0], names, ncols=min(len(names), 5), loc="lower left", bbox_to_anchor=(0, 1))
    style.time_axis(column[-1], 0.0, result.scenario.end)
    column[-1].set_xlabel("simulated time, h:min")
    return ax if ax is not None else np.array(column, dtype=object)


def counted(begins: Floats, ends: Floats, horizon: float) -> tuple[Floats, Floats]:
    """How many spans there are at a time: the times in seconds at which that changes, and the numbers from then on."""
    times = np.concatenate([begins, ends[ends < horizon]])
    steps = np.concatenate([np.ones(len(begins)), -np.ones(len(times) - len(begins))])
    moments, where = np.unique(np.concatenate([[0.0, horizon], times]), return_inverse=True)
    changes = np.bincount(where, weights=np.concatenate([[0.0, 0.0], steps]))
    return _fewer(moments, np.cumsum(changes))


def _fewer(times: Floats, counts: Floats) -> tuple[Floats, Floats]:
    if len(times) <= POINTS:
        return times, counts
    edges = np.linspace(times[0], times[-1], POINTS)
    first = np.searchsorted(times, edges[:-1])
    first = np.unique(first)
    return times[first], np.maximum.reduceat(counts, first)


def _of(frame: pd.DataFrame, label: str, replication: int) -> pd.DataFrame:
    return frame[(frame.policy == label) & (frame.replication == replication)]


def _pods(result: ResultBase, label: str, replication: int, pool: str | None = None) -> tuple[Floats, Floats]:
    own = _of(result.pods, label, replication)
    own = own if pool is None else own[own.pool == pool]
    return counted(*_spans(own.created_at, own.deleted_at), result.scenario.end)


def _demand(result: ResultBase, label: str, replication: int) -> tuple[Floats, Floats]:
    """Tasks that run or wait for a slot: from arrival to the plan's end, and from confirmation to the apply's."""
    own = _of(result.tasks, label, replication)
    own = own[own.execution_mode == "k8s"]
    planned = own[own.plan_started_at.notna()]
    confirmed = own[own.confirmed_at.notna()]
    spans = (
        _spans(own.arrived_at, own.plan_started_at.fillna(own.ended_at)),
        _spans(planned.plan_started_at, planned.plan_ended_at.fillna(planned.ended_at)),
        _spans(confirmed.confirmed_at, confirmed.apply_ended_at.fillna(confirmed.ended_at)),
    )
    begins, ends = (np.concatenate(parts) for parts in zip(*spans, strict=True))
    return counted(begins, ends, result.scenario.end)


def _waiting(result: ResultBase, label: str, replication: int) -> tuple[Floats, Floats]:
    own = _of(result.tasks, label, replication)
    own = own[own.confirmed_at.notna()]
    return counted(*_spans(own.confirmed_at, waited_until(own)), result.scenario.end)


def _spans(begins: Any, ends: Any) -> tuple[Floats, Floats]:
    return begins.to_numpy(dtype=np.float64), ends.fillna(np.inf).to_numpy(dtype=np.float64)
