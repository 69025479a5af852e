"""A discrete-event simulator of autoscaling policies for slot-based worker pools.

import sim

scenario = sim.load_scenario("scenarios/reserved-pod-deleted.yaml")
result = sim.run(scenario)
result.summary, result.tasks, result.pods, result.decisions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.api import run
    from sim.policies import Policy, PoolView
    from sim.results.result import Result
    from sim.scenario import InputError, Scenario, load_scenario

__all__ = ["InputError", "Policy", "PoolView", "Result", "Scenario", "load_scenario", "run"]

_HOMES = {
    "InputError": "sim.scenario",
    "Policy": "sim.policies",
    "PoolView": "sim.policies",
    "Result": "sim.results.result",
    "Scenario": "sim.scenario",
    "load_scenario": "sim.scenario",
    "run": "sim.api",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: `sim --help` should not load NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
