"""What an event of the full model costs, beside an event of a loop that does nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.alone import alone
from benchmarks.pairs import paired
from benchmarks.table import Row

RATE = 200
"""Tasks an hour."""


def events(tasks: int, seed: int) -> int:
    """How many events the full model makes of so many *tasks*: arrivals, and what was scheduled and came."""
    import sim.engine.run
    from benchmarks.traffic import count_tasks, full_model
    from sim.engine.clock import Clock

    clocks: list[Any] = []

    class Noted(Clock):
        def __init__(self) -> None:
            super().__init__()
            clocks.append(self)

    sim.engine.run.Clock = Noted  # type: ignore[attr-defined]
    arrived = count_tasks(full_model(RATE, tasks, seed))
    (clock,) = clocks
    made = arrived + clock._number - len(clock._calendar)
    if made < 3 * tasks:  # half of them arrive and end, and the others do so twice and are confirmed
        raise RuntimeError(f"{made} events of {tasks} tasks: the way they are counted has to be looked at")
    return int(made)


def rows(pairs: int, tasks: int) -> Iterator[Row]:
    """The full model against as many events of `peers.heapq_callbacks`, which makes two for each customer."""
    # As source, whose classes can be extended to count.
    made = [alone("benchmarks.kernel:events", tasks, n + 1, compiled=False).found for n in range(pairs)]
    found = paired(
        lambda n: alone("benchmarks.traffic:full_model", RATE, tasks, n + 1, warm=(RATE, 100, 1), digest=COUNT),
        lambda n: alone("benchmarks.peers:heapq_callbacks", made[n] // 2, n + 1, warm=(200, 1), digest=LENGTH),
        pairs,
    )
    each = sum(made) / sum(one.found for one in found.ones)
    cost = sum(one.cpu for one in found.ones) / sum(made) * 1e6
    yield Row(
        "full model / a bare heapq loop with as many events",
        found.ratios,
        at_most=2,
        times=f"{found.times}, {cost:.3g} µs an event",
        note=f"{tasks:,} tasks at {RATE}/h under `fixed`, polling; {each:.3g} events a task, drawing and recording "
        "included.",
    )


COUNT = "benchmarks.traffic:count_tasks"
LENGTH = "builtins:len"
