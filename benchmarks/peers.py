"""The same queue in other simulators, each used as its own documentation does, with its own random numbers.

Every function simulates M/M/10 for about so many customers and returns the waits of all that were served, in seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

from benchmarks.alone import Measured, NotHereError, alone
from benchmarks.erlang import RATE, SERVERS, doubt, horizon, queue
from benchmarks.pairs import paired
from benchmarks.table import Row

Waits = Sequence[float]


def simpy_resource(customers: int, seed: int) -> Waits:
    """SimPy as in its tutorial: a process per customer, and a Resource."""
    import simpy

    draw = Random(seed).expovariate
    env = simpy.Environment()
    servers = simpy.Resource(env, SERVERS)
    waits: list[float] = []

    def customer() -> Generator[simpy.Event, Any, None]:
        arrived = env.now
        with servers.request() as request:
            yield request
            waits.append(env.now - arrived)
            yield env.timeout(draw(1))

    def source() -> Generator[simpy.Event, Any, None]:
        while True:
            yield env.timeout(draw(RATE))
            env.process(customer())

    env.process(source())
    env.run(until=horizon(customers))
    return waits


def ciw(customers: int, seed: int) -> Waits:
    """Ciw: a network of one node."""
    import ciw  # type: ignore[import-untyped]

    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(RATE)],
        service_distributions=[ciw.dists.Exponential(1)],
        number_of_servers=[SERVERS],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(horizon(customers))
    return [record.waiting_time for record in simulation.get_all_records()]


def simfaas(customers: int, seed: int) -> Waits:
    """SimFaaS: at most ten instances, none of which expires, and cold starts that take no longer.

    It has no queue and would turn away who finds all instances busy, so it gets one here, by its own means: an
    instance that has done takes the next request in place of becoming idle.
    """
    import numpy as np
    from simfaas.FunctionInstance import FunctionInstance  # type: ignore[import-untyped]
    from simfaas.ServerlessSimulator import ServerlessSimulator  # type: ignore[import-untyped]

    np.random.seed(seed)
    waits: list[float] = []
    line: deque[float] = deque()

    class Instance(FunctionInstance):  # type: ignore[misc]
        next_departure: float

        def make_transition(self) -> str:
            if line:
                now = self.next_departure
                waits.append(now - line.popleft())
                self.next_departure = now + self.warm_service_process.generate_trace()
                self.update_next_termination()
                self.state = "WARM"
                return "WARM"
            return str(super().make_transition())

    class Simulator(ServerlessSimulator):  # type: ignore[misc]
        def warm_start_arrival(self, t: float) -> None:
            waits.append(0.0)
            super().warm_start_arrival(t)

        def cold_start_arrival(self, t: float) -> None:
            if self.server_count == self.maximum_concurrency:
                line.append(t)
                return
            waits.append(0.0)
            super().cold_start_arrival(t)
            self.servers[-1].__class__ = Instance  # there is no other place to say which class

    Simulator(
        arrival_rate=RATE,
        warm_service_rate=1,
        cold_service_rate=1,
        expiration_threshold=float("inf"),
        max_time=horizon(customers),
        maximum_concurrency=SERVERS,
    ).generate_trace()
    return waits


def salabim(customers: int, seed: int) -> Waits:
    """Salabim: a component per customer, a resource, and the resource's monitor of lengths of stay.

    With `yield`; without it, salabim needs greenlet.
    """
    import salabim as library  # type: ignore[import-untyped]

    env = library.Environment(random_seed=seed, yieldless=False)
    servers = library.Resource(capacity=SERVERS)
    gap, service = library.Exponential(1 / RATE), library.Exponential(1)

    class Customer(library.Component):  # type: ignore[misc]
        def process(self) -> Iterator[Any]:
            yield self.request(servers)
            yield self.hold(service.sample())
            self.release()

    class Source(library.Component):  # type: ignore[misc]
        def process(self) -> Iterator[Any]:
            while True:
                yield self.hold(gap.sample())
                Customer()

    Source()
    env.run(till=horizon(customers))
    waits: Waits = servers.requesters().length_of_stay.x()
    return waits


def heapq_callbacks(customers: int, seed: int) -> Waits:
    """No simulator: a heap of times and callbacks, two events for each customer. What pure Python can do at best."""
    draw = Random(seed).expovariate
    until = horizon(customers)
    number = count()
    calendar: list[tuple[float, int, Callable[[float], None]]] = []
    line: deque[float] = deque()
    waits: list[float] = []
    free = SERVERS

    def arrive(now: float) -> None:
        nonlocal free
        heappush(calendar, (now + draw(RATE), next(number), arrive))
        if free:
            free -= 1
            waits.append(0.0)
            heappush(calendar, (now + draw(1), next(number), leave))
        else:
            line.append(now)

    def leave(now: float) -> None:
        nonlocal free
        if line:
            waits.append(now - line.popleft())
            heappush(calendar, (now + draw(1), next(number), leave))
        else:
            free += 1

    heappush(calendar, (draw(RATE), next(number), arrive))
    while True:
        now, _, action = heappop(calendar)
        if now >= until:
            return waits
        action(now)


def our_record(customers: int, seed: int) -> Any:
    """The record of the project's engine: one-slot pods, `static`, `notify`, plans only."""
    from sim.engine.run import simulate
    from sim.policies.static import Static
    from sim.world.platform import settings_of
    from sim.world.world import World

    scenario = queue(SERVERS, RATE, {"dist": "exponential", "mean": 1}, customers, 1, seed)
    return simulate(settings_of(scenario), World(scenario, 0).inputs(), [Static()])


def ours(customers: int, seed: int) -> Waits:
    """The project's engine, drawn, simulated and recorded as a whole."""
    from sim.runs.time import NEVER, SECOND

    tasks = our_record(customers, seed).tasks
    served = tasks["plan_started_at"] < NEVER
    waits: Waits = (tasks["plan_started_at"] - tasks["arrived_at"])[served] / SECOND
    return waits


PEERS = (
    ("SimPy with Resource", simpy_resource, 4.0, 1),
    ("Ciw", ciw, 10.0, 1),
    ("SimFaaS, given a queue", simfaas, 10.0, 1),
    ("salabim", salabim, None, 4),
    ("a bare heapq loop with callbacks", heapq_callbacks, None, 1),
)
"""What it is called, the function, the goal, and by how much fewer customers it has to make do with."""


ENOUGH = 20_000
"""Customers; the mean wait of fewer says too little."""


def rows(pairs: int, customers: int) -> Iterator[Row]:
    """How many times as long as ours each peer takes for the same queue."""
    for name, peer, goal, fewer in PEERS:
        what = f"M/M/10: {name} / ours"
        if customers // fewer < ENOUGH:
            yield Row(what, at_least=goal, problem="too slow for the quick version")
            continue
        try:
            yield _against(what, peer, pairs, customers // fewer, goal)
        except NotHereError as error:
            yield Row(what, at_least=goal, problem=f"cannot be run here: {error}")


def _against(what: str, peer: Callable[..., Waits], pairs: int, customers: int, goal: float | None) -> Row:
    def side(function: Callable[..., Waits]) -> Callable[[int], Measured]:
        path = f"benchmarks.peers:{function.__name__}"
        return lambda n: alone(path, customers, n + 1, warm=(200, 1), digest="benchmarks.erlang:digest")

    found = paired(side(peer), side(ours), pairs)
    doubts = [
        f"{who}: {reason}"
        for who, measured in (("the peer", found.ones), ("ours", found.others))
        for one in measured
        if (reason := doubt(one.found, customers))
    ]
    if doubts:
        return Row(what, at_least=goal, problem=f"not believed: {doubts[0]}")
    return Row(what, found.ratios, at_least=goal, times=found.times, note=f"{customers:,} customers.")
