"""One run: one policy in one world, from time 0 to the horizon."""

from __future__ import annotations

from collections.abc import Sequence

from sim.engine.arrivals import arrivals
from sim.engine.autoscaler import EngineAutoscaler
from sim.engine.causes import Causes
from sim.engine.clock import Clock
from sim.engine.control_loop import ControlLoop
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


def simulate(settings: PlatformSettings, inputs: RandomInputs, policies: Sequence[Policy]) -> Record:
    """Run the platform under *policies* up to the horizon; what happens exactly at the horizon no longer counts.

    Args:
        settings: how the platform is set up.
        inputs: what happens to it.
        policies: the autoscaler of each pool. It may change, so give each pool of each run its own.

    Raises:
        PolicyError: the policy raised, or answered with something that is not a number of pods.
    """
    clock = Clock()
    processes = Processes(clock)
    record = Recorder(inputs.tasks, tuple(config.slots_per_pod for config in settings.pools))
    server = EngineServer()
    tasks = EngineTasks(record.tasks, settings.locks_all)
    pools = [
        EnginePool(clock, number, config, lambda slot: record.reservation(slot, clock.now))
        for number, config in enumerate(settings.pools)
    ]
    causes = Causes(clock, pools, server, record.tasks)
    dispatcher = Dispatcher(clock, settings, inputs, pools, tasks, server, causes)
    autoscalers = []
    for pool, policy, random in zip(pools, policies, inputs.pods, strict=True):
        provisioner = PodProvisioner(clock, processes, settings, random, pool, pools, server, record)
        autoscalers.append(EngineAutoscaler(clock, settings, policy, pool, provisioner, record))
        for _ in range(pool.config.initial_pods):
            pool.make_ready(pool.make_pod())
    faults = FaultInjector(clock, processes, pools, dispatcher, server, causes, record, autoscalers)
    for number, strikes in enumerate(inputs.faults):
        processes.process(faults.strikes(number, strikes))
    dispatcher.expect(arrivals(inputs.tasks, settings.horizon))
    ControlLoop(clock, settings, server, autoscalers).begin()
    clock.run_to(settings.horizon)

    causes.end_all()
    for pool in pools:
        for pod in pool.pods.values():
            record.pod(pod)
            for slot in pod.slots:
                if slot.state == RESERVED:
                    record.reservation(slot, NEVER)
    return record.record()
