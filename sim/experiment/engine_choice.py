"""Which of the two implementations of the rules makes the runs of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from sim.engine import unsupported
from sim.experiment.precision import most_replications
from sim.experiment.spec import Implementation
from sim.model import OwnProcess
from sim.scenario import InputError, Scenario
from sim.world.arrivals import expected_tasks
from sim.world.platform import settings_of

Engine: TypeAlias = Literal["auto", "simpy", "fast"]
"""What a user can ask for."""

ENGINES: Final = ("auto", "simpy", "fast")

SMALL: Final = 40_000
"""Up to this many steps of work `auto` takes the SimPy model, which then needs a second or less."""


def implementation_for(
    engine: Engine, scenario: Scenario, policies: int, processes: Sequence[OwnProcess] = ()
) -> Implementation:
    """The implementation to use for an experiment with so many *policies*.

    It depends on the scenario alone and never on the machine.

    Raises:
        InputError: the engine that is asked for does not know what the scenario needs.
    """
    needs = unsupported(settings_of(scenario), processes)
    supported = not needs
    if engine == "fast" and needs:
        run = "run" if len(needs) > 1 or needs[0].startswith("processes") else "runs"
        problem = f"found 'fast', expected 'auto' or 'simpy', as {', '.join(needs)} {run} in the SimPy model only"
        raise InputError("", "engine", problem)
    if engine == "fast" or (engine == "auto" and supported and not _is_small(scenario, policies)):
        return "fast"
    return "simpy"


def _is_small(scenario: Scenario, policies: int) -> bool:
    """Whether the SimPy model needs no more than about a second for all runs.

    At each tick it looks at every slot and every open task, and each waiting task asks again and again. So its work
    is estimated from above as if all tasks were there, and waited, from the beginning to the end.
    """
    workload, control = scenario.workload, scenario.control
    if workload.tasks is not None:
        tasks = float(len(workload.tasks))
    elif workload.blocks:
        tasks = sum(expected_tasks(block, scenario.horizon) for block in workload.blocks)
    else:
        return False
    runs = policies * most_replications(scenario)
    ticks = scenario.horizon / control.autoscaler_interval
    retries = scenario.horizon / control.dispatch_retry
    slots = sum(pool.max_pods * pool.slots_per_pod for pool in scenario.all_pools.values())
    return runs * (ticks * (1 + (slots + tasks) / 30) + tasks * (10 + retries)) <= SMALL
