"""Faults strike (model.md, 4)."""

from __future__ import annotations

from collections.abc import Sequence

from simpy.events import ProcessGenerator

from sim.model.autoscaler import Autoscaler
from sim.model.causes import Causes
from sim.model.clock import AGENT_ONLINE, FAULT, NEVER, SILENCE, Alarm, Clock
from sim.model.dispatcher import Dispatcher
from sim.model.pool import RESERVED, RUNNING, Pod, Pool
from sim.model.processes import Processes
from sim.model.record import Record
from sim.model.server import Server
from sim.model.settings import PodDeletion, PodOffline, ServerRestart, Settings, Strike


class Faults:
    """What goes wrong, done to the pool and the server.

    Args:
        clock: the time.
        processes: where faults live.
        settings: when the server notices a silent pod.
        pool: the pods.
        dispatcher: deals with the tasks on them.
        server: restarts.
        causes: told when pods fall silent and are back.
        record: where deleted pods are noted.
        autoscaler: told when pods have to be rebuilt.
    """

    def __init__(
        self,
        clock: Clock,
        processes: Processes,
        settings: Settings,
        pool: Pool,
        dispatcher: Dispatcher,
        server: Server,
        causes: Causes,
        record: Record,
        autoscaler: Autoscaler,
    ) -> None:
        self._clock = clock
        self._processes = processes
        self._heartbeat_timeout = settings.heartbeat_timeout
        self._pool = pool
        self._dispatcher = dispatcher
        self._server = server
        self._causes = causes
        self._record = record
        self._autoscaler = autoscaler

    def strikes(self, number: int, strikes: Sequence[Strike]) -> ProcessGenerator:
        """The process of one fault: the *number*-th of the scenario, striking whenever it is time."""
        for strike in strikes:
            yield self._processes.moment(strike.at, FAULT + number)
            if isinstance(strike, PodDeletion | PodOffline):
                pod = self._target(strike)
                if pod is not None and isinstance(strike, PodDeletion):
                    self._delete(pod)
                elif pod is not None and isinstance(strike, PodOffline):
                    self._silence(pod, strike.duration)
            elif isinstance(strike, ServerRestart):
                if not self._server.is_down:
                    self._record.incident(strike.at, strike.at + strike.downtime, "server_restart")
                self._server.restart(strike, self._pool, self._dispatcher)
            else:
                self._record.incident(strike.at, strike.at, "config_change")
                self._autoscaler.outdate()

    def _target(self, strike: PodDeletion | PodOffline) -> Pod | None:
        pods = self._pool.pods
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

    def _delete(self, pod: Pod) -> None:
        self._record.incident(self._clock.now, self._clock.now, "pod_deletion", pod.number)
        for slot in pod.slots:
            if slot.state == RUNNING:
                self._dispatcher.cut_off(slot)
            elif slot.state == RESERVED:
                self._dispatcher.reservations.lose(slot)
        self._pool.remove(pod)
        self._record.pod(pod, self._clock.now, "pod_deletion")
        self._dispatcher.waiting.offer()

    def _silence(self, pod: Pod, duration: int) -> None:
        now = self._clock.now
        if not pod.is_offline:
            self._clock.schedule(Alarm(self._notice, pod), now + self._heartbeat_timeout, SILENCE + pod.number)
        back_at = min(now + duration, NEVER)
        self._record.incident(now, back_at, "pod_offline", pod.number)
        self._pool.silence(pod, back_at)
        self._causes.turn_pod(pod)
        self._clock.schedule(Alarm(self._bring_back, pod), back_at, AGENT_ONLINE + pod.number)

    def _notice(self, alarm: Alarm) -> None:
        pod: Pod = alarm.subject
        since = self._clock.now - self._heartbeat_timeout
        if not pod.gone and pod.offline_since == since:
            self._clock.take_turn(SILENCE)
            self._pool.pass_over(pod)
            self._dispatcher.waiting.offer()

    def _bring_back(self, alarm: Alarm) -> None:
        pod: Pod = alarm.subject
        if not pod.gone and pod.back_at <= self._clock.now:
            self._pool.bring_back(pod)
            self._causes.turn_pod(pod)
            self._dispatcher.waiting.agent_back(pod)
            self._dispatcher.waiting.offer()
