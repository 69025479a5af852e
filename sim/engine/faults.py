"""Faults strike (model.md, 4)."""

from __future__ import annotations

from collections.abc import Sequence

from simpy.events import ProcessGenerator

from sim.engine.autoscaler import EngineAutoscaler
from sim.engine.causes import Causes
from sim.engine.clock import AGENT_ONLINE, FAULT, SERVER_UP, SILENCE, Alarm, Clock
from sim.engine.dispatcher import Dispatcher
from sim.engine.entities import RESERVED, RUNNING, EnginePod
from sim.engine.pool import EnginePool
from sim.engine.processes import Processes
from sim.engine.recorder import Recorder
from sim.engine.server import EngineServer
from sim.runs.inputs import ConfigChangeStrike, PodDeletionStrike, PodOfflineStrike, ServerRestartStrike, Strike
from sim.runs.time import NEVER


class FaultInjector:
    """What goes wrong, done to the pool and the server.

    Args:
        clock: the time.
        processes: where faults live.
        pools: the pods.
        dispatcher: deals with the tasks on them.
        server: restarts.
        causes: told when pods fall silent and are back.
        record: where deleted pods are noted.
        autoscalers: told when pods have to be rebuilt.
    """

    def __init__(
        self,
        clock: Clock,
        processes: Processes,
        pools: Sequence[EnginePool],
        dispatcher: Dispatcher,
        server: EngineServer,
        causes: Causes,
        record: Recorder,
        autoscalers: Sequence[EngineAutoscaler],
    ) -> None:
        self._clock = clock
        self._processes = processes
        self._pools = pools
        self._dispatcher = dispatcher
        self._server = server
        self._causes = causes
        self._record = record
        self._autoscalers = autoscalers

    def strikes(self, number: int, strikes: Sequence[Strike]) -> ProcessGenerator:
        """The process of one fault: the *number*-th of the scenario, striking whenever it is time."""
        for strike in strikes:
            yield self._processes.moment(strike.at, FAULT + number)
            if isinstance(strike, PodDeletionStrike | PodOfflineStrike):
                pod = self._target(strike)
                if pod is not None and isinstance(strike, PodDeletionStrike):
                    self._delete(pod)
                elif pod is not None and isinstance(strike, PodOfflineStrike):
                    self._silence(pod, strike.duration)
            elif isinstance(strike, ServerRestartStrike):
                self._restart(strike)
            elif isinstance(strike, ConfigChangeStrike):
                self._record.incident(strike.at, strike.at, "config_change")
                for autoscaler in self._autoscalers:
                    autoscaler.outdate()
            else:
                raise TypeError(f"the engine knows no strike such as {strike!r}")

    def _target(self, strike: PodDeletionStrike | PodOfflineStrike) -> EnginePod | None:
        pods = self._pools[strike.pool].pods
        match strike.target:
            case int(number):
                return pods.get(number)
            case "random":
                chosen = int(strike.chance * len(pods))
                return list(pods.values())[chosen] if pods else None
            case "any":
                return next(iter(pods.values()), None)
            case "idle":
                return next((pod for pod in pods.values() if not any(slot.state for slot in pod.slots)), None)
            case wanted:
                state = {"reserved": RESERVED, "running": RUNNING}[wanted]
                return next((pod for pod in pods.values() if any(slot.state == state for slot in pod.slots)), None)

    def _restart(self, strike: ServerRestartStrike) -> None:
        """The server goes down and comes up `downtime` later. While it is down already, this does nothing."""
        server = self._server
        if server.is_down:
            return
        now = self._clock.now
        self._record.incident(now, now + strike.downtime, "server_restart")
        server.is_down = True
        server.back_at = now + strike.downtime
        for pool in self._pools:
            pool.reservations.stop_restoring()

        def come_up(_: Alarm | None) -> None:
            server.is_down = False
            server.up_since = self._clock.now
            if strike.running_tasks == "fail":
                pods = [pod for pool in self._pools for pod in pool.pods.values()]
                for slot in [slot for pod in pods for slot in pod.slots if slot.state == RUNNING]:
                    self._dispatcher.cut_off(slot)
            for pool in self._pools:
                pool.reservations.forget(strike.reconcile_after)
                pool.waiting.restart()
            self._dispatcher.restart_elsewhere()

        if strike.downtime == 0:
            come_up(None)
        else:
            self._clock.schedule(Alarm(come_up), server.back_at, SERVER_UP)

    def _delete(self, pod: EnginePod) -> None:
        self._record.incident(self._clock.now, self._clock.now, "pod_deletion", pod)
        for slot in pod.slots:
            if slot.state == RUNNING:
                self._dispatcher.cut_off(slot)
            elif slot.state == RESERVED:
                pod.pool.reservations.lose(slot)
        pod.pool.remove(pod)
        self._record.pod(pod, self._clock.now, "pod_deletion")
        pod.pool.waiting.offer()

    def _silence(self, pod: EnginePod, duration: int) -> None:
        now = self._clock.now
        if not pod.is_offline:
            noticed_at = now + pod.pool.config.heartbeat_timeout
            self._clock.schedule(Alarm(self._notice, pod), noticed_at, SILENCE + pod.number)
        back_at = min(now + duration, NEVER)
        self._record.incident(now, back_at, "pod_offline", pod)
        pod.pool.silence(pod, back_at)
        self._causes.turn_pod(pod)
        self._clock.schedule(Alarm(self._bring_back, pod), back_at, AGENT_ONLINE + pod.number)

    def _notice(self, alarm: Alarm) -> None:
        pod: EnginePod = alarm.subject
        since = self._clock.now - pod.pool.config.heartbeat_timeout
        if not pod.gone and pod.offline_since == since:
            self._clock.mark_priority_reached(SILENCE)
            pod.pool.pass_over(pod)
            pod.pool.waiting.offer()

    def _bring_back(self, alarm: Alarm) -> None:
        pod: EnginePod = alarm.subject
        if not pod.gone and pod.back_at <= self._clock.now:
            pod.pool.bring_back(pod)
            self._causes.turn_pod(pod)
            pod.pool.waiting.agent_back(pod)
            pod.pool.waiting.offer()
