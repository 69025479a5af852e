"""What a search for settings found, in lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.report.aligned import aligned

if TYPE_CHECKING:
    from sim.experiment.choose import Constraint
    from sim.experiment.tune import Tried, Tuned

BEST = 10
"""How many of the points that were tried are shown."""


def tune_lines(found: Tuned, minimize: str, limits: Sequence[Constraint]) -> list[str]:
    """The best point, what fresh worlds say of it, and the ten best that were tried."""
    best = found.tried[0]
    where = ", ".join(f"{path} = {value}" for path, value in best.point.items())
    if best.feasible:
        lines = [f"Best of the {len(found.tried):,} points that were tried: {where}."]
    else:
        lines = [
            f"None of the {len(found.tried):,} points that were tried keeps within the limits; nearest is {where}."
        ]
    lines += [
        f"  in the worlds of the search: {_figures(best, minimize, limits)}",
        f"    the scenario's settings:   {_figures(found.given, minimize, limits)}",
        f"  in fresh worlds:             {_figures(found.fresh, minimize, limits)}",
        f"    the scenario's settings:   {_figures(found.given_fresh, minimize, limits)}",
        _flattery(found, minimize),
    ]
    if best.feasible and not found.fresh.feasible:
        lines.append("In fresh worlds it misses a limit: ask for more worlds (-r), or a stricter limit.")
    options = " ".join(f"--set {path}={value}" for path, value in best.point.items())
    paths = list(best.point)
    head = [*paths, minimize, *(limit.metric for limit in limits), ""]
    rows = [
        [
            *(str(each.point[path]) for path in paths),
            f"{each.figure:,.6g}",
            *(f"{value:,.6g}" for value in each.limited),
            "" if each.feasible else "misses a limit",
        ]
        for each in found.tried[:BEST]
    ]
    table = aligned([head, *rows])
    return [*lines, f"To run with that: sim run SCENARIO {options}", "", "The best that were tried", *table]


def _figures(tried: Tried, minimize: str, limits: Sequence[Constraint]) -> str:
    return ", ".join(
        f"{name} {value:,.6g}"
        for name, value in zip(
            (minimize, *(limit.metric for limit in limits)), (tried.figure, *tried.limited), strict=True
        )
    )


def _flattery(found: Tuned, minimize: str) -> str:
    """By how much the search made the winner look better than it is, against the scenario's own settings."""
    if not found.given.figure or not found.given_fresh.figure:
        return f"  {minimize} is 0 with the scenario's settings: by how much the winner is better cannot be said."
    search = 1 - found.tried[0].figure / found.given.figure
    fresh = 1 - found.fresh.figure / found.given_fresh.figure
    return (
        f"  Against the scenario's settings it saves {search:.1%} in the worlds of the search, and {fresh:.1%} in "
        f"fresh ones: the search flattered it by {100 * (search - fresh):.1f} points."
    )
