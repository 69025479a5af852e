"""The rows of a trace that stand out, and how the tasks of it end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.traces.events import OddRow

if TYPE_CHECKING:
    import pandas as pd

MOST_ODD = 10
"""How many odd rows are named."""


def odd_rows(trace: pd.DataFrame, most: int = MOST_ODD) -> list[OddRow]:
    """The rows whose times are furthest from the usual one, the oddest first: at least ten times as long."""
    import numpy as np

    found = []
    spans = {"plan": "a plan", "apply": "an apply", "confirm": "a human who took", "cancel": "a cancellation after"}
    for name, what in spans.items():
        values = trace[name].to_numpy(dtype=np.float64)
        known = values[values > 0]
        if not len(known):
            continue
        times = values / float(np.median(known))
        for row in np.argsort(-np.nan_to_num(times, nan=-1.0))[:most]:
            if times[row] >= 10:
                of = "" if name in ("confirm", "cancel") else " of"
                found.append((times[row], OddRow(_name(trace, int(row)), f"{what}{of} {long_time(values[row])}")))
    return [odd for _, odd in sorted(found, key=lambda pair: -pair[0])[:most]]


def _name(trace: pd.DataFrame, row: int) -> str:
    return str(trace.id.iloc[row]) if "id" in trace else f"row {row}"


def long_time(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def endings_of(trace: pd.DataFrame) -> dict[str, int]:
    applies = trace.type == "plan_and_apply"
    canceled = trace.cancel.notna()
    error = (trace.plan_result == "error") | (trace.apply_result == "error")
    finds = applies & (trace.plan_result == "changes") & ~canceled
    found = {
        "plans that end well": ~applies & ~canceled & ~error,
        "confirmed and applied": finds & ~error & trace.confirm.notna() & (trace.decision == "confirm"),
        "discarded by their human": finds & trace.confirm.notna() & (trace.decision == "discard"),
        "never decided": finds & trace.confirm.isna(),
        "nothing to change": applies & (trace.plan_result == "no_changes") & ~canceled,
        "ended with an error": error & ~canceled,
        "canceled": canceled,
    }
    return {name: int(rows.sum()) for name, rows in found.items()}
