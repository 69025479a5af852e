"""A calibration in words and as data."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.check.calibration import KINDS, NO_LOCK, Calibration, distance_of

QUANTILES = {"50 %": 0.5, "90 %": 0.9, "95 %": 0.95, "99 %": 0.99, "longest": 1.0}
WORST = 10
"""How many of the tasks that differ most are named."""


def as_data(found: Calibration) -> dict[str, Any]:
    """The calibration as plain data. Times in seconds."""
    kinds = {}
    for kind, part in found.waits.groupby("kind"):
        kinds[str(kind)] = {
            "tasks": len(part),
            "distance": distance_of(part),
            **{
                source: {
                    "mean": float(part[source].mean()),
                    **{name: float(part[source].quantile(level)) for name, level in QUANTILES.items()},
                }
                for source in ("recorded", "simulated")
            },
        }
    return {
        "policy": found.policy,
        "distance": found.distance,
        "unstarted": found.unstarted,
        "waits": kinds,
        "explained": [
            {"setting": each.setting, "now": each.now, "best": each.best, "distance": each.distance}
            for each in found.explained
        ],
        "fitted": found.fitted,
        "distance_fitted": found.distance_fitted,
        "changes": found.changes,
    }


def calibration_lines(found: Calibration) -> list[str]:
    """The calibration in lines."""
    lines = [f"Waits that were recorded, and those that the simulation has under {found.policy} (seconds)", ""]
    head = "".join(f"{name:>12}" for name in ("mean", *QUANTILES))
    for kind, what in KINDS.items():
        part = found.waits[found.waits.kind == kind]
        if not len(part):
            continue
        lines.append(f"{what} ({len(part):,} tasks)")
        lines.append(f"  {'':<10}{head}")
        for source in ("recorded", "simulated"):
            figures = [part[source].mean(), *(part[source].quantile(level) for level in QUANTILES.values())]
            lines.append(f"  {source:<10}" + "".join(f"{figure:>12,.4g}" for figure in figures))
        lines.append(f"  equally ranked waits differ by {distance_of(part):,.4g} s on average")
        lines.append("")
    if found.unstarted:
        lines += [f"{found.unstarted} tasks that really began still waited at the end of the simulation.", ""]
    lines += _by_hour(found) + _worst(found) + _explained(found) + _fitted(found)
    return lines


def _by_hour(found: Calibration) -> list[str]:
    """The mean waits by hour of the day, counted from time 0, in the hours that differ most."""
    hours = (found.waits.asked_at // 3600 % 24).astype(int)
    means = found.waits.groupby([found.waits.kind, hours])[["recorded", "simulated"]].mean()
    gap = (means.simulated - means.recorded).abs().sort_values(ascending=False)
    lines = ["Hours of the day (counted from time 0) whose mean waits differ most"]
    for key in gap.index[:5]:
        kind, hour = key
        row = means.loc[key]
        lines.append(f"  {hour:>2} h, {kind:<6} recorded {row.recorded:>10,.4g}   simulated {row.simulated:>10,.4g}")
    return [*lines, ""]


def _worst(found: Calibration) -> list[str]:
    gap = (found.waits.simulated - found.waits.recorded).abs()
    lines = [f"The {min(WORST, len(gap))} waits that differ most"]
    for row in gap.sort_values(ascending=False).index[:WORST]:
        wait = found.waits.loc[row]
        lines.append(
            f"  {wait.task_id} ({wait.pool}), {wait.kind:<6} recorded {wait.recorded:>10,.4g}   "
            f"simulated {wait.simulated:>10,.4g}"
        )
    return [*lines, ""]


def _explained(found: Calibration) -> list[str]:
    if not found.explained:
        return []
    lines = [
        f"What one setting alone would explain of the difference ({found.distance:,.4g} s per task)",
        f"  {'setting':<20}{'now':>16}{'best of those tried':>22}{'left':>12}{'explained':>12}",
    ]
    for each in found.explained:
        share = 1 - each.distance / found.distance if found.distance else 0.0
        best = f"{each.best:g}" if isinstance(each.best, int | float) else each.best
        if each.distance >= found.distance * 0.999:
            best, left, part = "as it is", "", "nothing"
        else:
            left, part = f"{each.distance:,.4g} s", f"{share:.0%}"
        lines.append(f"  {each.setting:<20}{each.now:>16}{best:>22}{left:>12}{part:>12}")
    lock = next((each for each in found.explained if each.setting == "workspace_lock"), None)
    if lock is not None and lock.best == NO_LOCK and lock.distance < 0.9 * found.distance:
        lines.append(
            "The recorded system did not let tasks wait for earlier ones of their workspace, as the model does:\n"
            "'sim import --no-lock' gives each task a workspace of its own."
        )
    return [*lines, ""]


def _fitted(found: Calibration) -> list[str]:
    if not found.fitted or found.distance_fitted is None:
        return []
    values = ", ".join(f"{name} = {np.format_float_positional(value, trim='-') if isinstance(value, float) else value}"
                       for name, value in found.fitted.items())  # fmt: skip
    sets = " ".join(f"--set {path}={value}" for path, value in found.changes.items())
    return [
        f"Most alike with {values}: {found.distance_fitted:,.4g} s per task are left of {found.distance:,.4g} s.",
        f"To run with that: sim run ... {sets}",
        "",
    ]
