"""The world of one replication of a scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import TypeVar

import numpy as np

from sim.runs.inputs import PodInputs, RandomInputs, TaskInputs
from sim.runs.time import NEVER
from sim.scenario import Scenario
from sim.scenario.pools import ONLY_POOL, PoolSettings
from sim.world.faults import strikes_of
from sim.world.names import ids_of
from sim.world.rounding import whole_nanoseconds
from sim.world.series import chances, durations, numbers
from sim.world.streams import For, Stream, generator_for, numbers_by_id
from sim.world.tasks import DrawnTasks, tasks_of

T = TypeVar("T")


class World:
    """One replication of a scenario: the same for every policy.

    Args:
        scenario: what is simulated.
        replication: which one, counted from 0.
    """

    def __init__(self, scenario: Scenario, replication: int) -> None:
        self._scenario = scenario
        self._replication = replication
        drawn = tasks_of(scenario, replication)
        self.tasks = self._none_in_the_drain(drawn.tasks)
        self._faults = tuple(tuple(strikes_of(scenario, replication, n)) for n in range(len(scenario.faults)))
        self._pods = tuple(self._pods_of(name, pool) for name, pool in scenario.all_pools.items())
        reinit = scenario.safeguards.reinit
        self._reinit = self._of_tasks(drawn, lambda block: durations(reinit, self._stream(For.REINIT, block)))
        self._placement = self._placements(drawn)

    def inputs(self) -> RandomInputs:
        """What the model has to know of this world, for one run."""
        return RandomInputs(
            self.tasks,
            self._faults,
            self._pods,
            self._reinit,
            self._placement,
            lambda name: generator_for(self._scenario.seed, self._replication, name),
        )

    def _stream(self, purpose: For, thing: int = 0) -> Stream:
        return Stream(self._scenario.seed, self._replication, purpose, thing)

    def _none_in_the_drain(self, tasks: TaskInputs) -> TaskInputs:
        """No task arrives from the horizon on, though the run may go on."""
        horizon = whole_nanoseconds(self._scenario.horizon)
        return replace(tasks, arrive=np.where(tasks.arrive < horizon, tasks.arrive, NEVER))

    def _pods_of(self, name: str, pool: PoolSettings) -> PodInputs:
        """What is random about the pods of a pool. It belongs to the pool's name."""
        guards, thing = self._scenario.safeguards, _key_of(name)
        return PodInputs(
            durations(pool.pod_startup, self._stream(For.STARTUP, thing)),
            chances(guards.connect_failure, self._stream(For.CONNECT, thing)),
            chances(guards.creation_failure, self._stream(For.CREATION, thing)),
        )

    def _of_tasks(self, drawn: DrawnTasks, series: Callable[[int], Callable[[int], T]]) -> Callable[[int], T]:
        """What *series*, made for each block of arrivals, has for the n-th task.

        Tasks that a process of one's own submits count on from those of the first block.
        """
        blocks = max(len(self._scenario.workload.blocks), 1)
        by_block = [series(number) for number in range(blocks)]
        if blocks == 1:
            return by_block[0]
        block, rank = drawn.block.tolist(), drawn.rank.tolist()
        return lambda n: by_block[block[n]](rank[n]) if n < len(block) else by_block[0](n)

    def _placements(self, drawn: DrawnTasks) -> Callable[[int, bool], float]:
        """The number of each task for its plan and for its apply: by its id if it has one."""
        ids = ids_of(self._scenario)

        def of(purpose: For) -> Callable[[int], float]:
            by_rank = self._of_tasks(drawn, lambda block: numbers(self._stream(purpose, block)))
            if ids is None:
                return by_rank
            by_id = numbers_by_id(self._scenario.seed, self._replication, purpose, ids).tolist()
            return lambda n: by_id[n] if n < len(by_id) else by_rank(n)

        if not any(pool.placement == "random" for pool in self._scenario.all_pools.values()):
            return lambda n, applies: 0.0
        plan, apply = of(For.PLAN_PLACEMENT), of(For.APPLY_PLACEMENT)
        return lambda n, applies: (apply if applies else plan)(n)


def _key_of(pool: str) -> int:
    """The number that stands for a pool's name in the keys of streams."""
    if pool == ONLY_POOL:
        return 0
    return 1 + int.from_bytes(blake2b(pool.encode(), digest_size=4).digest(), "little")
