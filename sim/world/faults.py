"""How the faults of a scenario strike in a world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from sim.runs.inputs import ConfigChangeStrike, PodDeletionStrike, PodOfflineStrike, ServerRestartStrike, Strike
from sim.runs.time import NEVER
from sim.scenario import Scenario, faults
from sim.scenario.distributions import Quantity
from sim.scenario.recorded_faults import RecordedFaults
from sim.world.rounding import whole_nanoseconds
from sim.world.series import durations
from sim.world.streams import For, Stream


def strikes_of(scenario: Scenario, replication: int, number: int) -> Iterator[Strike]:
    """How the *number*-th fault strikes, whenever it does before the horizon."""
    fault = scenario.faults[number]

    def stream(purpose: For) -> Stream:
        return Stream(scenario.seed, replication, purpose, number)

    chances = stream(For.FAULT_TARGET)
    listed = fault.strikes if isinstance(fault, RecordedFaults) else (fault,)
    horizon = whole_nanoseconds(scenario.horizon)
    for each in listed:
        yield from _strikes(scenario, each, horizon, stream, chances)


def _strikes(
    scenario: Scenario,
    fault: faults.OneFault,
    horizon: int,
    stream: Callable[[For], Stream],
    chances: Stream,
) -> Iterator[Strike]:
    def series(quantity: Quantity | None, purpose: For) -> Callable[[int], int]:
        return (lambda _: NEVER) if quantity is None else durations(quantity, stream(purpose))

    gaps = series(fault.every if fault.at is None else fault.at, For.FAULT_TIME)
    strike: Callable[[int, int], Strike]
    match fault:
        case faults.PodDeletion(target=target):
            pool = scenario.pool_number(fault.pool)
            strike = lambda at, n: PodDeletionStrike(at, target, chances.next(), pool)  # noqa: E731
        case faults.PodOffline(target=target):
            pool = scenario.pool_number(fault.pool)
            lasts = series(fault.duration, For.FAULT_DURATION)
            strike = lambda at, n: PodOfflineStrike(at, target, chances.next(), lasts(n), pool)  # noqa: E731
        case faults.ServerRestart(running_tasks=running_tasks):
            downtimes = series(fault.downtime, For.FAULT_DURATION)
            afters = series(None if fault.reconcile_after == "never" else fault.reconcile_after, For.FAULT_RECONCILE)
            strike = lambda at, n: ServerRestartStrike(at, downtimes(n), afters(n), running_tasks)  # noqa: E731
        case faults.ConfigChange():
            strike = lambda at, n: ConfigChangeStrike(at)  # noqa: E731
    at = 0
    for n in count():
        at += gaps(n)
        if at >= horizon:
            return
        yield strike(at, n)
        if fault.every is None:
            return
