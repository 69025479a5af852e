"""Whether anything in a scenario is random."""

from __future__ import annotations

from typing import Any

from sim.scenario.scenario import Scenario

PROBABILITIES = ("_probability", "_share", "_failure")
"""How the names of fields end that hold a probability."""


def is_random(scenario: Scenario) -> bool:
    """Whether two replications can differ. If not, one says it all, and the rest are the same."""
    parts = scenario.model_dump(mode="json", include={"pool", "pools", "control", "safeguards", "workload", "faults"})
    return _varies(parts)


def _varies(part: Any) -> bool:
    if isinstance(part, list):
        return any(_varies(each) for each in part)
    if not isinstance(part, dict):
        return False
    return (
        part.get("dist", "constant") != "constant"
        or part.get("process", "deterministic") != "deterministic"
        or part.get("target") == "random"
        or _several(part.get("workspaces"))
        or isinstance(part.get("burst"), dict)
        or part.get("resample") is not None
        or any(
            name.endswith(PROBABILITIES) and isinstance(value, int | float) and 0 < value < 1
            for name, value in part.items()
        )
        or any(_varies(value) for value in part.values())
    )


def _several(workspaces: Any) -> bool:
    count = workspaces.get("count") if isinstance(workspaces, dict) else workspaces
    return isinstance(count, int) and count > 1
