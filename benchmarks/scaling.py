"""Whether the cost of a task depends on how many there are, or on how many pods; and the memory of those that ended."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from benchmarks.alone import Measured, alone
from benchmarks.pairs import paired
from benchmarks.table import Row

if TYPE_CHECKING:
    from sim.policies.view import PoolView

RATE = 200
"""Tasks an hour."""

TASKS_A_POD = 4
"""Tasks an hour for each pod; what three slots, of which one applies, can do without long waits."""


def tasks_in_runs_of(size: int, runs: int, seed: int) -> None:
    """Runs of about *size* tasks each, in the full model."""
    from benchmarks.traffic import full_model

    for number in range(runs):
        full_model(RATE, size, seed + number)


def on_pods(pods: int, tasks: int, seed: int) -> int:
    """About so many *tasks* on so many *pods*, which are all there from the start; how many tasks it was."""
    from benchmarks.traffic import count_tasks, simulated, traffic

    rate = pods * TASKS_A_POD
    pool = {"min_pods": pods, "max_pods": pods}
    return count_tasks(simulated(traffic(rate, tasks / rate, "static", seed, pool=pool)))


class Meter:
    """A policy that keeps the number of pods and notes, *times* times up to *until*, the memory there is.

    That is the bytes of all objects but the data of NumPy's arrays, and so neither the world nor the packed rows.
    """

    def __init__(self, until: float, times: int) -> None:
        self._every = until / times
        self.noted: list[int] = []

    def desired_pods(self, view: PoolView) -> int:
        """As many pods as at the start."""
        if view.time >= self._every * (len(self.noted) + 1):
            self.noted.append(_bytes())
        return view.initial_pods


def _bytes() -> int:
    import numpy as np

    arrays = tracemalloc.DomainFilter(inclusive=False, domain=np.lib.tracemalloc_domain)
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([arrays]).traces)


def memory(tasks: int) -> list[int]:
    """Forty times in the course of about so many *tasks*: the bytes of all objects but NumPy's data."""
    from benchmarks.traffic import HOUR, traffic
    from sim.engine.run import simulate
    from sim.world.platform import settings_of
    from sim.world.world import World

    scenario = traffic(RATE, tasks / RATE)
    meter = Meter(tasks / RATE * HOUR, 40)
    world = World(scenario, 0).inputs()
    tracemalloc.start()
    simulate(settings_of(scenario), world, [meter])
    tracemalloc.stop()
    return meter.noted


def rows(pairs: int, tasks: int, less: int, pod_tasks: int, pods: int, memory_tasks: int) -> Iterator[Row]:
    """Many against few: tasks, pods, and memory."""

    def runs(size: int, count: int) -> Callable[[int], Measured]:
        function = "benchmarks.scaling:tasks_in_runs_of"
        return lambda n: alone(function, size, count, n + 1, warm=(100, 1, 1))

    found = paired(runs(tasks, 1), runs(less, tasks // less), pairs)
    what = f"time per task: {tasks:,} tasks / {less:,} tasks"
    yield Row(what, found.ratios, at_most=1.3, times=found.times, note=f"{tasks // less} runs of the latter.")

    def on(count: int) -> Callable[[int], Measured]:
        return lambda n: alone("benchmarks.scaling:on_pods", count, pod_tasks, n + 1, warm=(10, 100, 1))

    found = paired(on(pods), on(10), pairs)
    what = f"time per task: {pods:,} pods / 10 pods"
    note = f"{pod_tasks:,} tasks, {TASKS_A_POD} an hour for each pod."
    yield Row(what, found.ratios, at_most=1.3, times=found.times, note=note)
    yield _memory_row(memory_tasks)


def _memory_row(tasks: int) -> Row:
    noted = alone("benchmarks.scaling:memory", tasks).found
    # Rows not packed yet come and go, so the least of each half is compared. The first tenth is the system's filling.
    begin, middle = len(noted) // 10, len(noted) // 2
    early, late = min(noted[begin:middle]), min(noted[middle:])
    return Row(
        f"memory but for NumPy's, {tasks:,} tasks: second half / first",
        [late / early],
        at_most=1.1,
        times=f"{late / 1e6:.3g} MB / {early / 1e6:.3g} MB, {(late - early) / (tasks / 2):+.3g} bytes a task",
        note="one run; the bytes are for each task that has ended.",
    )
