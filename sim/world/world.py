"""The world of one replication of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.runs.inputs import (
    ConfigChangeStrike,
    PodDeletionStrike,
    PodOfflineStrike,
    RandomInputs,
    ServerRestartStrike,
    Strike,
    TaskInputs,
    Times,
)
from sim.runs.time import NEVER
from sim.scenario import Scenario, faults
from sim.scenario.distributions import Quantity, mean_of, quantiles
from sim.scenario.workload import ArrivalProcess, Draws, ListedTask
from sim.traces.recording import recording_of
from sim.world.arrivals import arrival_times, expected_tasks
from sim.world.names import workspaces_of
from sim.world.rounding import drawn_times, given_times, whole_nanoseconds
from sim.world.streams import Floats, For, Stream, generator_for, numbers_by_id

T = TypeVar("T")

MOST_TASKS = 10_000_000
"""More tasks than this, on average, are refused rather than tried."""


class World:
    """One replication of a scenario: the same for every policy.

    Args:
        scenario: what is simulated.
        replication: which one, counted from 0.
    """

    def __init__(self, scenario: Scenario, replication: int) -> None:
        self._scenario = scenario
        self._replication = replication
        self._horizon = whole_nanoseconds(scenario.horizon)
        self.tasks = self._none_in_the_drain(self._tasks())
        self._faults = tuple(tuple(self._strikes(number)) for number in range(len(scenario.faults)))
        self._startup = _durations(scenario.pool.pod_startup, self._stream(For.STARTUP))
        guards = scenario.safeguards
        self._never_connects = _chances(guards.connect_failure, self._stream(For.CONNECT))
        self._creation_fails = _chances(guards.creation_failure, self._stream(For.CREATION))
        self._reinit = _durations(guards.reinit, self._stream(For.REINIT))

    def inputs(self) -> RandomInputs:
        """What the model has to know of this world, for one run."""
        return RandomInputs(
            self.tasks,
            self._faults,
            self._startup,
            self._never_connects,
            self._creation_fails,
            self._reinit,
            lambda name: generator_for(self._scenario.seed, self._replication, name),
        )

    def _stream(self, purpose: For, thing: int = 0) -> Stream:
        return Stream(self._scenario.seed, self._replication, purpose, thing)

    def _by_id(self, purpose: For, ids: list[int | str]) -> Floats:
        return numbers_by_id(self._scenario.seed, self._replication, purpose, ids)

    # Tasks

    def _tasks(self) -> TaskInputs:
        given = self._scenario.workload
        if given.tasks is not None:
            return self._listed(given.tasks)
        if given.arrivals is not None:
            return self._drawn(given.arrivals, self._arrival_times(given.arrivals), {})
        recording = recording_of(self._scenario)
        assert given.trace is not None and recording is not None
        return self._drawn(given.trace, given_times(recording.columns["arrive"]), recording.columns)

    def _none_in_the_drain(self, tasks: TaskInputs) -> TaskInputs:
        """No task arrives from the horizon on, though the run may go on."""
        return replace(tasks, arrive=np.where(tasks.arrive < self._horizon, tasks.arrive, NEVER))

    def _listed(self, tasks: tuple[ListedTask, ...]) -> TaskInputs:
        codes = {name: code for code, name in enumerate(workspaces_of(tasks))}
        ids = [task.id for task in tasks]

        def column(field: str, purpose: For) -> Times:
            numbers = self._by_id(purpose, ids)
            return np.array([_time(getattr(task, field), u) for task, u in zip(tasks, numbers, strict=True)])

        return TaskInputs(
            arrive=given_times(np.array([task.arrive for task in tasks], dtype=np.float64)),
            applies=np.array([task.type == "plan_and_apply" for task in tasks]),
            workspace=np.array([codes[task.workspace] for task in tasks]),
            plan=column("plan", For.PLAN),
            confirm=column("confirm", For.CONFIRM),
            apply=column("apply", For.APPLY),
        )

    def _arrival_times(self, arrivals: ArrivalProcess) -> Times:
        """The moments at which tasks arrive before the horizon."""
        horizon = self._scenario.horizon
        about = expected_tasks(arrivals, horizon)
        if about > MOST_TASKS:
            problem = f"found about {about:.3g} arrivals up to the horizon, expected at most {MOST_TASKS:.0e}"
            raise self._scenario.mistake(("workload", "arrivals", "rate"), problem)
        return drawn_times(arrival_times(arrivals, horizon, self._stream))

    def _drawn(self, draws: Draws, arrive: Times, columns: dict[str, NDArray[Any]]) -> TaskInputs:
        """Tasks that arrive at given times; the *columns* there are count, and the others are drawn."""
        size = len(arrive)
        ids = columns["id"].tolist() if "id" in columns else None

        def u(purpose: For) -> Floats:
            return self._stream(purpose).take(size) if ids is None else self._by_id(purpose, ids)

        def times(name: str, purpose: For) -> Times:
            if name in columns:
                return given_times(np.nan_to_num(columns[name], nan=np.inf))
            quantity = getattr(draws, name)
            return np.full(size, NEVER) if quantity is None else _durations_of(quantity, u(purpose))

        if "type" in columns:
            applies = columns["type"] == "plan_and_apply"
        else:
            applies = u(For.TYPE) < (draws.plan_and_apply_share or 0.0)
        if "workspace" in columns:
            workspace = np.unique(columns["workspace"], return_inverse=True)[1]
        elif draws.workspaces is None:
            workspace = np.arange(size)
        else:
            workspace = np.floor(u(For.WORKSPACE) * draws.workspaces).astype(np.int64)
        confirm = times("confirm", For.CONFIRM)
        if "confirm" not in columns and draws.confirm_probability is not None:
            confirm[u(For.CONFIRMS) >= draws.confirm_probability] = NEVER
        return TaskInputs(
            arrive=arrive,
            applies=np.asarray(applies, dtype=np.bool_),
            workspace=workspace.astype(np.int64),
            plan=times("plan", For.PLAN),
            confirm=confirm,
            apply=times("apply", For.APPLY),
        )

    # Faults

    def _strikes(self, number: int) -> Iterator[Strike]:
        """How the *number*-th fault strikes, whenever it does before the horizon."""
        fault = self._scenario.faults[number]

        def series(quantity: Quantity | None, purpose: For) -> Callable[[int], int]:
            return (lambda _: NEVER) if quantity is None else _durations(quantity, self._stream(purpose, number))

        gaps = series(fault.every if fault.at is None else fault.at, For.FAULT_TIME)
        chances = self._stream(For.FAULT_TARGET, number)
        strike: Callable[[int, int], Strike]
        match fault:
            case faults.PodDeletion(target=target):
                strike = lambda at, n: PodDeletionStrike(at, target, chances.next())  # noqa: E731
            case faults.PodOffline(target=target):
                durations = series(fault.duration, For.FAULT_DURATION)
                strike = lambda at, n: PodOfflineStrike(at, target, chances.next(), durations(n))  # noqa: E731
            case faults.ServerRestart(running_tasks=running_tasks):
                downtimes = series(fault.downtime, For.FAULT_DURATION)
                afters = series(
                    None if fault.reconcile_after == "never" else fault.reconcile_after, For.FAULT_RECONCILE
                )
                strike = lambda at, n: ServerRestartStrike(at, downtimes(n), afters(n), running_tasks)  # noqa: E731
            case faults.ConfigChange():
                strike = lambda at, n: ConfigChangeStrike(at)  # noqa: E731
        at = 0
        for n in count():
            at += gaps(n)
            if at >= self._horizon:
                return
            yield strike(at, n)
            if fault.every is None:
                return


class _Series(Generic[T]):
    """What is drawn for the n-th thing, n = 0, 1, 2, ...; as far as it is asked for.

    Args:
        stream: the uniform numbers, one for each thing.
        made: what they become.
    """

    def __init__(self, stream: Stream, made: Callable[[Floats], list[T]]) -> None:
        self._stream = stream
        self._made = made
        self._drawn: list[T] = []

    def __call__(self, n: int) -> T:
        while n >= len(self._drawn):
            self._drawn.extend(self._made(self._stream.take(256)))
        return self._drawn[n]


def _durations(quantity: Quantity, stream: Stream) -> Callable[[int], int]:
    """The nanoseconds that *quantity* is for each thing."""
    if isinstance(quantity, float | int):
        constant = whole_nanoseconds(mean_of(quantity))
        return lambda n: constant
    return _Series(stream, lambda u: drawn_times(quantiles(quantity, u)).tolist())


def _chances(share: float, stream: Stream) -> Callable[[int], bool]:
    """Whether what happens with probability *share* does so to each thing."""
    return _Series(stream, lambda u: (u < share).tolist()) if share else lambda n: False


def _durations_of(quantity: Quantity, u: Floats) -> Times:
    """The nanoseconds that *quantity* is for each of the uniform numbers *u*."""
    if isinstance(quantity, float | int):
        return given_times(np.full(len(u), float(quantity)))
    return drawn_times(quantiles(quantity, u))


def _time(quantity: Quantity | None, u: float) -> int:
    return NEVER if quantity is None else int(_durations_of(quantity, np.array([u]))[0])
