"""One run: one policy in one world, from time 0 to the horizon."""

from __future__ import annotations

from sim.engine.arrivals import arrivals
from sim.engine.autoscaler import EngineAutoscaler
from sim.engine.causes import Causes
from sim.engine.clock import Clock
from sim.engine.dispatcher import Dispatcher
from sim.engine.entities import RESERVED
from sim.engine.faults import FaultInjector
from sim.engine.pod_provisioner import PodProvisioner
from sim.engine.pool import EnginePool
from sim.engine.processes import Processes
from sim.engine.recorder import Recorder
from sim.engine.server import EngineServer
from sim.engine.tasks import EngineTasks
from sim.policies.view import Policy
from sim.runs.inputs import RandomInputs
from sim.runs.record import Record
from sim.runs.settings import PlatformSettings
from sim.runs.time import NEVER


def simulate(settings: PlatformSettings, inputs: RandomInputs, policy: Policy) -> Record:
    """Run the platform under *policy* up to the horizon; what happens exactly at the horizon no longer counts.

    Args:
        settings: how the platform is set up.
        inputs: what happens to it.
        policy: the autoscaler. It may change, so give each run its own.

    Raises:
        PolicyError: the policy raised, or answered with something that is not a number of pods.
    """
    clock = Clock()
    processes = Processes(clock)
    record = Recorder(inputs.tasks, settings.slots_per_pod)
    server = EngineServer()
    tasks = EngineTasks(record.tasks)
    pool = EnginePool(clock, settings, lambda slot: record.reservation(slot, clock.now))
    causes = Causes(clock, pool, server, record.tasks)
    dispatcher = Dispatcher(clock, settings, inputs, pool, tasks, server, causes)
    waiting = dispatcher.waiting
    provisioner = PodProvisioner(clock, processes, settings, inputs, pool, server, waiting, record)
    autoscaler = EngineAutoscaler(clock, settings, policy, pool, provisioner, tasks, server, waiting, record)
    faults = FaultInjector(clock, processes, settings, pool, dispatcher, server, causes, record, autoscaler)

    for _ in range(settings.initial_pods):
        pool.make_ready(pool.make_pod())
    for number, strikes in enumerate(inputs.faults):
        processes.process(faults.strikes(number, strikes))
    dispatcher.expect(arrivals(inputs.tasks, settings.horizon))
    autoscaler.begin()
    clock.run_to(settings.horizon)

    causes.end_all()
    for pod in pool.pods.values():
        record.pod(pod)
        for slot in pod.slots:
            if slot.state == RESERVED:
                record.reservation(slot, NEVER)
    return record.record()
