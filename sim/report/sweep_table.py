"""A sweep as a table: a row for each point and policy, and which of them nothing beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.report.aligned import aligned

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 60
"""Longer tables show the rows that nothing beats, and so many others."""

SHOWN = {
    "completed": "finished",
    "apply_wait.p95": "apply 95 %, s",
    "plan_wait.p95": "plan 95 %, s",
    "plan_wait.max": "plan longest, s",
    "pod_seconds": "pod-hours",
    "cost.total": "in all",
}


COMPARED = ("apply_wait.p99", "plan_wait.p99")
"""The waits by which rows are compared, as in the comparison of `sim run`."""


def wide(frame: pd.DataFrame, paths: Sequence[str]) -> pd.DataFrame:
    """A row for each point and policy, a column for each setting and each of the metrics that are shown."""
    there = [metric for metric in (*SHOWN, *COMPARED) if (frame.metric == metric).any()]
    values = frame[frame.metric.isin(there)].pivot_table(
        index=["point", "policy"], columns="metric", values="value", sort=False, dropna=False
    )
    settings = frame.drop_duplicates(["point", "policy"]).set_index(["point", "policy"])[list(paths)]
    return settings.join(values[there]).reset_index()


def unbeaten(table: pd.DataFrame) -> pd.Series[bool]:
    """The rows that no other beats: none finishes as many tasks, lets them wait no longer, and costs less."""
    import numpy as np

    cost = "cost.total" if "cost.total" in table else "pod_seconds"
    better_low = table[[*COMPARED, cost]].fillna(np.inf).to_numpy()
    figures = np.column_stack([-table["completed"].to_numpy(), better_low])
    beaten = [bool(((figures <= row).all(axis=1) & (figures < row).any(axis=1)).any()) for row in figures]
    import pandas as pd

    return ~pd.Series(beaten, index=table.index)


def sweep_lines(frame: pd.DataFrame, paths: Sequence[str], currency: str | None) -> list[str]:
    """The table in lines."""
    table = wide(frame, paths)
    best = unbeaten(table)
    shown = table.assign(pod_seconds=table["pod_seconds"] / 3600)
    if len(table) > MOST_ROWS:
        keep = best | (shown.index < MOST_ROWS - int(best.sum()))
        shown, best = shown[keep], best[keep]
    bounds = {
        (point, policy, metric)
        for point, policy, metric, bound in frame[["point", "policy", "metric", "lower_bound"]].itertuples(index=False)
        if bound
    }
    names = {**SHOWN, "cost.total": f"in all, {currency}" if currency else "in all"}
    head = [*paths, "policy", *(names[metric] for metric in SHOWN if metric in shown)]
    rows: list[list[str]] = []
    for index in shown.index:
        row = shown.loc[index]
        cells = [*(_plain(row[path]) for path in paths), f"{row['policy']}{' *' if best[index] else ''}"]
        for metric in SHOWN:
            if metric in shown:
                bound = "> " if (row["point"], row["policy"], metric) in bounds else ""
                cells.append("" if row[metric] != row[metric] else f"{bound}{row[metric]:,.6g}")
        rows.append(cells)
    lines = aligned([head, *rows])
    left_out = len(table) - len(rows)
    return [
        *lines,
        "",
        "*: no other row finishes as many tasks, lets 99 % of them wait no longer, and costs less. Figures are means",
        "over the worlds; whether two rows differ beyond chance, sim run --set tells.",
        *([f"{left_out:,} further rows are in points.parquet."] if left_out else []),
    ]


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
