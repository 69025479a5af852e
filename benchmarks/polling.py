"""What the engine gains: the model, where every tick and every retry happens, against it, with equal records."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.alone import Measured, alone
from benchmarks.pairs import paired
from benchmarks.table import Row

GOALS = {2: 30.0, 20: 5.0, 200: 1.0}
"""By tasks an hour."""


def steady(rate: float, hours: float, seed: int, in_simpy: bool) -> object:
    """Traffic at *rate* an hour for so many *hours*."""
    from benchmarks.traffic import simulated, traffic

    return simulated(traffic(rate, hours, seed=seed), in_simpy)


def remembering(rate: float, hours: float, seed: int, in_simpy: bool) -> object:
    """The same under a policy that has memory."""
    from benchmarks.traffic import simulated, traffic

    return simulated(traffic(rate, hours, "demand", seed), in_simpy)


def starving(tasks: int, hours: float, seed: int, in_simpy: bool) -> object:
    """So many *tasks* at once, and a pod for one after the other, for so many *hours*."""
    from benchmarks.traffic import backlog, simulated

    return simulated(backlog(tasks, hours, seed), in_simpy)


def rows(pairs: int, days: float, backlog: int, backlog_hours: float) -> Iterator[Row]:
    """The model against the engine."""
    for rate, goal in GOALS.items():
        span = days if rate < 200 else days / 10
        yield _row(f"{rate} tasks/h, {span:g} days", "steady", rate, span * 24, goal, pairs)
    yield _row(f"20 tasks/h under `demand`, {days:g} days", "remembering", 20, days * 24, None, pairs)
    what = f"{backlog:,} starving tasks, {backlog_hours:g} h"
    yield _row(what, "starving", backlog, backlog_hours, 50.0, pairs)


def _row(what: str, function: str, size: float, hours: float, goal: float | None, pairs: int) -> Row:
    def side(n: int, in_simpy: bool) -> Measured:
        return alone(
            f"benchmarks.polling:{function}", size, hours, n + 1, in_simpy,
            warm=(size, 2.5, 1, in_simpy), digest="benchmarks.traffic:fingerprint",
        )  # fmt: skip

    found = paired(lambda n: side(n, True), lambda n: side(n, False), pairs)
    what = f"SimPy model / engine: {what}"
    if any(one.found != other.found for one, other in zip(found.ones, found.others, strict=True)):
        return Row(what, at_least=goal, problem="the records differ")
    return Row(what, found.ratios, at_least=goal, times=found.times)
