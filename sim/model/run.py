"""One run: one policy in one world, from time 0 to the horizon."""

from __future__ import annotations

from typing import Any

from sim.model.autoscaler import Autoscaler
from sim.model.causes import Causes
from sim.model.clock import NEVER, Clock
from sim.model.creation import Creation
from sim.model.dispatcher import Dispatcher
from sim.model.faults import Faults
from sim.model.pool import RESERVED, Pool
from sim.model.processes import Processes
from sim.model.record import Record
from sim.model.server import Server
from sim.model.settings import Circumstances, Settings
from sim.model.tasks import Tasks
from sim.policies.view import Policy


def simulate(
    settings: Settings, circumstances: Circumstances, policy: Policy, literal: bool = False
) -> dict[str, dict[str, Any]]:
    """Run the platform under *policy* up to the horizon; what happens exactly at the horizon no longer counts.

    Args:
        settings: how the platform is set up.
        circumstances: what happens to it.
        policy: the autoscaler. It may change, so give each run its own.
        literal: make every tick and every retry, even those that cannot change anything. The result is the same.

    Returns:
        The record's columns, see `Record.columns`.

    Raises:
        PolicyError: the policy raised, or answered with something that is not a number of pods.
    """
    clock = Clock()
    processes = Processes(clock)
    record = Record(circumstances.workload, settings.slots_per_pod)
    server = Server(clock)
    tasks = Tasks(record.tasks)
    pool = Pool(clock, settings, lambda slot: record.reservation(slot, clock.now))
    causes = Causes(clock, pool, server, record.tasks)
    dispatcher = Dispatcher(clock, settings, circumstances, pool, tasks, server, causes, literal)
    waiting = dispatcher.waiting
    creation = Creation(clock, processes, settings, circumstances, pool, server, waiting, record)
    autoscaler = Autoscaler(clock, settings, policy, pool, creation, tasks, server, waiting, record, literal)
    faults = Faults(clock, processes, settings, pool, dispatcher, server, causes, record, autoscaler)

    for _ in range(settings.initial_pods):
        pool.make_ready(pool.make_pod())
    for number, strikes in enumerate(circumstances.faults):
        processes.process(faults.strikes(number, strikes))
    dispatcher.expect(circumstances.workload.arrivals(settings.horizon))
    autoscaler.begin()
    clock.run_to(settings.horizon)

    causes.end_all()
    for pod in pool.pods.values():
        record.pod(pod)
        for slot in pod.slots:
            if slot.state == RESERVED:
                record.reservation(slot, NEVER)
    return record.columns()
