"""A discrete-event simulator of autoscaling policies for slot-based worker pools.

import sim

scenario = sim.load_scenario("scenarios/reserved-pod-deleted.yaml")
result = sim.run(scenario)
result.summary, result.tasks, result.pods, result.decisions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.api import Result, load_result, run, sweep
    from sim.check.calibration import calibrate
    from sim.policies import Policy, PoolView
    from sim.scenario import InputError, Scenario
    from sim.traces.fit import fit_arrivals
    from sim.traces.load import load_scenario, read_trace
    from sim.traces.records import import_records

    __version__: str
else:
    _HOMES = {
        "InputError": "sim.scenario",
        "Policy": "sim.policies",
        "PoolView": "sim.policies",
        "Result": "sim.api",
        "Scenario": "sim.scenario",
        "calibrate": "sim.check.calibration",
        "fit_arrivals": "sim.traces.fit",
        "import_records": "sim.traces.records",
        "load_result": "sim.api",
        "load_scenario": "sim.traces.load",
        "read_trace": "sim.traces.load",
        "run": "sim.api",
        "sweep": "sim.api",
    }

    def __getattr__(name: str) -> Any:
        """Import what is asked for when it is asked for: `sim --help` should not load NumPy."""
        if name == "__version__":
            from importlib.metadata import version

            return version("slotpool-sim")
        if name not in _HOMES:
            raise AttributeError(f"module 'sim' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)


__all__ = [
    "InputError",
    "Policy",
    "PoolView",
    "Result",
    "Scenario",
    "__version__",
    "calibrate",
    "fit_arrivals",
    "import_records",
    "load_result",
    "load_scenario",
    "read_trace",
    "run",
    "sweep",
]


def __dir__() -> list[str]:
    return __all__
