"""A calibration in words and as data."""

from __future__ import annotations

from typing import Any

from sim.check.calibration import KINDS, NO_LOCK, Calibration, distance_of

QUANTILES = {"50 %": 0.5, "90 %": 0.9, "95 %": 0.95, "99 %": 0.99, "longest": 1.0}
TIES, LEAST_TIE = 0.03, 30.0
"""So large a part of the waits has to be equally long, and so many seconds, to be named."""

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


def calibration_lines(found: Calibration, scenario: str = "SCENARIO") -> list[str]:
    """The calibration in lines; *scenario* is what the scenario's file is called."""
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
        lines.append(f"  sorted and compared pair by pair, they differ by {distance_of(part):,.4g} s on average")
        lines.append("")
    if found.unstarted:
        lines += [f"{found.unstarted} tasks that really began still waited at the end of the simulation.", ""]
    lines += _ties(found) + _by_hour(found) + _worst(found) + _explained(found) + _fitted(found, scenario)
    lines.append(_verdict(found))
    return lines


def _ties(found: Calibration) -> list[str]:
    """Recorded waits of which many are equally long: something that the platform does at such intervals."""
    lines = []
    for kind, part in found.waits.groupby("kind"):
        counts = part.recorded.round().value_counts()
        for length, count in zip(counts.index.tolist(), counts.tolist(), strict=True):
            if count >= max(TIES * len(part), 5) and length >= LEAST_TIE:
                simulated = int((part.simulated.round() == length).sum())
                lines.append(
                    f"{count:,} of the recorded waits to {kind} are {length:,.0f} s long, and {simulated:,} of the "
                    "simulated ones: a timeout, polling, or a fault that the scenario does not have."
                )
    return [*lines, ""] if lines else []


def _by_hour(found: Calibration) -> list[str]:
    """The mean waits by hour of the day, in the hours that differ most."""
    hours = ((found.waits.asked_at + found.clock) // 3600 % 24).astype(int)
    means = found.waits.groupby([found.waits.kind, hours])[["recorded", "simulated"]].mean()
    gap = (means.simulated - means.recorded).abs().sort_values(ascending=False)
    since = "by the clock of the scenario's start" if found.clock else "counted from time 0"
    lines = [f"Hours of the day ({since}) whose mean waits differ most"]
    for key in gap.index[:5]:
        kind, hour = key
        row = means.loc[key]
        lines.append(f"  {hour:02}:00, {kind:<6} recorded {row.recorded:>10,.4g}   simulated {row.simulated:>10,.4g}")
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


def _fitted(found: Calibration, scenario: str) -> list[str]:
    if not found.fitted or found.distance_fitted is None:
        return []
    values = ", ".join(f"{name} = {_plain(value)}" for name, value in found.fitted.items())
    if found.distance_fitted > 0.9 * found.distance:
        return [f"No values of {', '.join(found.fitted)} bring the two much closer (the closest: {values}).", ""]
    sets = " ".join(f"--set {path}={_plain(value)}" for path, value in found.changes.items())
    return [
        f"Most alike with {values}: {found.distance_fitted:,.4g} s per task are left of {found.distance:,.4g} s.",
        f"To run with that: sim run {scenario} {sets}",
        "",
    ]


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _verdict(found: Calibration) -> str:
    """How far the result of `sim run` can be believed."""
    left = found.distance if found.distance_fitted is None else found.distance_fitted
    recorded = float(found.waits.recorded.mean()) if len(found.waits) else 0.0
    share = left / recorded if recorded else 0.0
    if share <= 0.2:
        return f"The simulated waits are like the recorded ones: {left:,.4g} s of {recorded:,.4g} s per task differ."
    return (
        f"Do not take simulated waits for those of your platform yet: they differ by {left:,.4g} s per task, where "
        f"{recorded:,.4g} s were recorded.\nThe platform does something that this scenario does not say: faults, other "
        "sizes of pools, another policy (-p), or something that the model does not know."
    )
