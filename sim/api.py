"""The Python interface: load a scenario, run it, look at the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.policies import Policy
    from sim.results.result import Result
    from sim.scenario import Scenario


def run(
    scenario: Scenario,
    policies: Sequence[str | Policy | type[Any]] | None = None,
    replications: int | None = None,
    *,
    seed: int | None = None,
    confidence: float | None = None,
    jobs: int = 1,
    literal: bool = False,
    allow_plugins: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Run every policy of a scenario side by side, on the same random worlds.

    Args:
        scenario: what to simulate, see `load_scenario`.
        policies: in place of the scenario's: names, labels of the scenario's, or policies of your own. A policy of
            your own is an object with a method ``desired_pods(view) -> int``, or a class of such objects.
        replications: in place of the scenario's: how many worlds; if it asks for a precision, how many at least.
        seed: in place of the scenario's.
        confidence: in place of the scenario's: the level of the intervals.
        jobs: how many processes to use. The results do not depend on it.
        literal: make every tick and retry, even those that cannot change anything. Slower, with the same results.
        allow_plugins: whether the scenario may name a policy as ``package.module:Class``, which runs that code.
        progress: called with the number of runs done and of all runs, after each.

    Raises:
        InputError: the scenario cannot be run, or a policy did what no policy may.
    """
    from sim.experiment.conduct import conduct
    from sim.experiment.contestants import contestants
    from sim.results.result import Result

    changes = {"replications": replications, "seed": seed, "confidence": confidence}
    scenario = scenario.with_changes({name: value for name, value in changes.items() if value is not None})
    taking_part = contestants(scenario, policies, allow_plugins)
    runs, reached = conduct(scenario, taking_part, jobs, literal, progress or (lambda done, of: None))
    return Result(scenario, runs, reached)
