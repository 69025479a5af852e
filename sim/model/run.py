"""One run of the model: one policy in one world, from time 0 to the horizon."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from simpy.events import ProcessGenerator

from sim.model.faults import fault
from sim.model.instant import PlatformEnvironment
from sim.model.platform import Platform
from sim.model.task import Task
from sim.policies.view import Policy
from sim.runs.inputs import RandomInputs, TaskInputs
from sim.runs.record import Record
from sim.runs.settings import PlatformSettings

OwnProcess = Callable[[PlatformEnvironment, Platform], ProcessGenerator]
"""A SimPy process that somebody adds to the platform, such as a new kind of fault."""


def simulate(
    settings: PlatformSettings, inputs: RandomInputs, policies: Sequence[Policy], processes: Sequence[OwnProcess] = ()
) -> Record:
    """Run the platform under *policies* up to the horizon. What happens exactly at the horizon no longer counts.

    Args:
        settings: how the platform is set up.
        inputs: the world that it meets.
        policies: the autoscaler of each pool. It may change, so every pool of every run needs its own.
        processes: further processes, each called with the environment and the platform.

    Raises:
        PolicyError: the policy raised, or answered with something that is not a number of pods.
    """
    platform = Platform(settings, inputs, policies)
    env = platform.env
    for number, strikes in enumerate(inputs.faults):
        env.process(fault(platform, number, strikes))
    for own in processes:
        process = own(env, platform)
        if not hasattr(process, "throw"):
            name = getattr(own, "__name__", repr(own))
            raise TypeError(f"the process {name} is no generator: a SimPy process has to yield events")
        env.process(process)
    env.process(_arrivals(platform, inputs.tasks))
    env.run(until=settings.horizon)  # SimPy stops before the events of that instant.
    for pool in platform.pools:
        pool.end()
    return platform.record.record(platform.server.tasks.arrived)


def _arrivals(platform: Platform, tasks: TaskInputs) -> ProcessGenerator:
    """The process that has the tasks of a world arrive, one after the other."""
    for at, task in _in_order(tasks):
        if at > platform.env.now:
            yield platform.env.timeout(at - platform.env.now)
        platform.env.process(platform.server.arrival(task, at))


def _in_order(tasks: TaskInputs) -> Iterator[tuple[int, Task]]:
    columns = (
        tasks.applies, tasks.workspace, tasks.plan, tasks.confirm, tasks.apply, tasks.pool, tasks.execution_mode,
        tasks.plan_result, tasks.discards, tasks.apply_fails, tasks.cancel,
    )  # fmt: skip
    for row in np.argsort(tasks.arrive, kind="stable").tolist():
        yield int(tasks.arrive[row]), Task(row, *(column[row].item() for column in columns))
