"""From a scenario to the world of one replication: all that is random is drawn here, before any policy runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.experiment.arrivals import arrival_times, expected_tasks
from sim.experiment.streams import Floats, For, Stream
from sim.model.clock import NEVER, SECOND
from sim.model.safeguards import Safeguards
from sim.model.settings import (
    Circumstances,
    ConfigChange,
    PodDeletion,
    PodOffline,
    ServerRestart,
    Settings,
    Strike,
)
from sim.model.workload import Times, Workload
from sim.scenario import Scenario, faults
from sim.scenario.distributions import Quantity, mean_of, quantiles
from sim.scenario.workload import Arrivals, Draws, ListedTask

T = TypeVar("T")

MOST_TASKS = 10_000_000
"""More tasks than this, on average, are refused rather than tried."""


@dataclass(frozen=True, slots=True)
class Names:
    """What tasks and workspaces are called, the same in every replication.

    `ids` are the tasks' by row, int64 or text; None if a task's id is its row. `workspaces` are by number; None if
    they are numbered.
    """

    ids: NDArray[Any] | None
    workspaces: tuple[str, ...] | None


def names_of(scenario: Scenario) -> Names:
    """The names in *scenario*."""
    tasks, recording = scenario.workload.tasks, scenario.recording
    if tasks is not None:
        return Names(_identifiers([task.id for task in tasks]), _workspaces(tasks))
    columns = {} if recording is None else recording.columns
    return Names(
        ids=_identifiers(columns["id"].tolist()) if "id" in columns else None,
        workspaces=tuple(np.unique(columns["workspace"]).tolist()) if "workspace" in columns else None,
    )


def _workspaces(tasks: tuple[ListedTask, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(task.workspace for task in tasks))


def nanoseconds(seconds: Floats) -> Times:
    """Whole nanoseconds; what is too long for the clock never comes."""
    return np.asarray(np.rint(np.minimum(seconds * SECOND, NEVER)), dtype=np.int64)


def _ns(seconds: float) -> int:
    return round(seconds * SECOND)


def settings_of(scenario: Scenario) -> Settings:
    """What the model has to know of *scenario*'s platform."""
    pool, control = scenario.pool, scenario.control
    return Settings(
        horizon=_ns(scenario.horizon),
        min_pods=pool.min_pods,
        max_pods=pool.max_pods,
        initial_pods=pool.pods_at_start,
        slots_per_pod=pool.slots_per_pod,
        apply_slots=pool.apply_slots,
        heartbeat_timeout=_ns(pool.heartbeat_timeout),
        reservation_ttl=_ns(pool.reservation_ttl),
        spare_apply_slots=pool.placement == "spare_apply_slots",
        autoscaler_interval=_ns(control.autoscaler_interval),
        notify=control.dispatch == "notify",
        dispatch_retry=_ns(control.dispatch_retry),
        safeguards=_safeguards_of(scenario),
    )


def _safeguards_of(scenario: Scenario) -> Safeguards:
    given, horizon = scenario.safeguards, scenario.horizon
    freezes: list[tuple[int, int]] = []
    for window in sorted(window for freeze in given.freezes for window in freeze.windows(horizon)):
        begin, end = _ns(window[0]), _ns(window[1])
        if freezes and begin <= freezes[-1][1]:
            begin, end = freezes[-1][0], max(end, freezes.pop()[1])
        freezes.append((begin, end))
    return Safeguards(
        hold_while_apply_pending=given.hold_while_apply_pending,
        warm_pods=given.warm_pods,
        freezes=tuple(freezes),
        creation_limit=given.creation_limit,
        connect_timeout=_ns(given.connect_timeout),
        replan=given.lost_reservation == "replan",
    )


class World:
    """One replication of a scenario: the same for every policy.

    Args:
        scenario: what is simulated.
        replication: which one, counted from 0.
    """

    def __init__(self, scenario: Scenario, replication: int) -> None:
        self._scenario = scenario
        self._replication = replication
        self._horizon = _ns(scenario.horizon)
        self.workload = self._workload()
        self._faults = tuple(tuple(self._strikes(number)) for number in range(len(scenario.faults)))
        self._startup = _durations(scenario.pool.pod_startup, self._stream(For.STARTUP))
        guards = scenario.safeguards
        self._never_connects = _chances(guards.connect_failure, self._stream(For.CONNECT))
        self._creation_fails = _chances(guards.creation_failure, self._stream(For.CREATION))
        self._reinit = _durations(guards.reinit, self._stream(For.REINIT))

    def circumstances(self) -> Circumstances:
        """What the model has to know of this world, for one run."""
        return Circumstances(
            self.workload,
            self._faults,
            self._startup,
            self._never_connects,
            self._creation_fails,
            self._reinit,
        )

    def _stream(self, purpose: For, thing: int = 0) -> Stream:
        return Stream(self._scenario.seed, self._replication, purpose, thing)

    # Tasks

    def _workload(self) -> Workload:
        given = self._scenario.workload
        if given.tasks is not None:
            return self._listed(given.tasks)
        if given.arrivals is not None:
            arrive = self._arrival_times(given.arrivals)
            return self._drawn(given.arrivals, {"arrive": arrive})
        recording = self._scenario.recording
        assert given.trace is not None and recording is not None
        return self._drawn(given.trace, recording.columns)

    def _listed(self, tasks: tuple[ListedTask, ...]) -> Workload:
        codes = {name: code for code, name in enumerate(_workspaces(tasks))}

        def column(field: str, purpose: For) -> Times:
            u = self._stream(purpose).take(len(tasks))
            given = [getattr(task, field) for task in tasks]
            values = [_value(quantity, u[n : n + 1]) for n, quantity in enumerate(given)]
            return nanoseconds(np.array(values))

        return Workload(
            arrive=nanoseconds(np.array([task.arrive for task in tasks], dtype=np.float64)),
            applies=np.array([task.type == "plan_and_apply" for task in tasks]),
            workspace=np.array([codes[task.workspace] for task in tasks]),
            plan=column("plan", For.PLAN),
            confirm=column("confirm", For.CONFIRM),
            apply=column("apply", For.APPLY),
        )

    def _arrival_times(self, arrivals: Arrivals) -> Floats:
        """The moments in seconds at which tasks arrive before the horizon."""
        horizon = self._scenario.horizon
        about = expected_tasks(arrivals, horizon)
        if about > MOST_TASKS:
            problem = f"found about {about:.3g} arrivals up to the horizon, expected at most {MOST_TASKS:.0e}"
            raise self._scenario.mistake(("workload", "arrivals", "rate"), problem)
        return arrival_times(arrivals, horizon, self._stream)

    def _drawn(self, draws: Draws, columns: dict[str, NDArray[Any]]) -> Workload:
        """Tasks that arrive at given times; the *columns* there are count, and the others are drawn."""
        size = len(columns["arrive"])

        def u(purpose: For) -> Floats:
            return self._stream(purpose).take(size)

        def times(name: str, purpose: For) -> Times:
            if name in columns:
                return nanoseconds(np.nan_to_num(columns[name], nan=np.inf))
            quantity = getattr(draws, name)
            return np.full(size, NEVER) if quantity is None else nanoseconds(quantiles(quantity, u(purpose)))

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
        return Workload(
            arrive=nanoseconds(columns["arrive"]),
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
                strike = lambda at, n: PodDeletion(at, target, chances.next())  # noqa: E731
            case faults.PodOffline(target=target):
                durations = series(fault.duration, For.FAULT_DURATION)
                strike = lambda at, n: PodOffline(at, target, chances.next(), durations(n))  # noqa: E731
            case faults.ServerRestart(running_tasks=running_tasks):
                downtimes = series(fault.downtime, For.FAULT_DURATION)
                afters = series(
                    None if fault.reconcile_after == "never" else fault.reconcile_after, For.FAULT_RECONCILE
                )
                strike = lambda at, n: ServerRestart(at, downtimes(n), afters(n), running_tasks)  # noqa: E731
            case faults.ConfigChange():
                strike = lambda at, n: ConfigChange(at)  # noqa: E731
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
        constant = _ns(mean_of(quantity))
        return lambda n: constant
    return _Series(stream, lambda u: nanoseconds(quantiles(quantity, u)).tolist())


def _chances(share: float, stream: Stream) -> Callable[[int], bool]:
    """Whether what happens with probability *share* does so to each thing."""
    return _Series(stream, lambda u: (u < share).tolist()) if share else lambda n: False


def _value(quantity: Quantity | None, u: Floats) -> float:
    return np.inf if quantity is None else float(quantiles(quantity, u)[0])


def _identifiers(ids: list[int | str]) -> NDArray[Any]:
    """The ids of tasks: as whole numbers if all are, and otherwise all as text."""
    if all(isinstance(identifier, int) and abs(identifier) < 2**63 for identifier in ids):
        return np.array(ids, dtype=np.int64)
    return np.array([str(identifier) for identifier in ids], dtype=object)
