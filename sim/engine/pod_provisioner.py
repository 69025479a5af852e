"""Pods are made, start, and become ready, or do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from simpy import Event
from simpy.events import ProcessGenerator

from sim.engine.clock import POD_READY, SERVER_UP, Clock
from sim.engine.entities import EnginePod
from sim.engine.pool import EnginePool
from sim.engine.processes import Processes
from sim.engine.recorder import Recorder
from sim.engine.server import EngineServer
from sim.runs.inputs import PodInputs
from sim.runs.settings import PlatformSettings
from sim.runs.time import NEVER, SECOND

BACKOFF: Final = tuple(minutes * 60 * SECOND for minutes in (1, 2, 4, 8, 10))
"""How long after the n-th pod in a row that did not connect its replacement is made; after the last of them none is."""


class PodProvisioner:
    """Makes the pods of one pool.

    Args:
        clock: the time.
        processes: where the lives of pods begin.
        settings: how many at once and in all, and how long to wait for one to connect.
        inputs: how long each takes to start, and what goes wrong.
        pool: where they come.
        pools: all pools, which share the quota.
        server: makes no pods while it is down.
        record: where those are noted that never connected.
    """

    def __init__(
        self,
        clock: Clock,
        processes: Processes,
        settings: PlatformSettings,
        inputs: PodInputs,
        pool: EnginePool,
        pools: Sequence[EnginePool],
        server: EngineServer,
        record: Recorder,
    ) -> None:
        self._clock = clock
        self._processes = processes
        limit = settings.safeguards.creation_limit
        self._limit = NEVER if limit is None else limit
        self._left = self._limit
        self._limited_at = 0
        self._safeguards = settings.safeguards
        self._timeout = settings.safeguards.connect_timeout
        self._quota = settings.quota
        self._world = inputs
        self._pool = pool
        self._pools = pools
        self._server = server
        self._record = record
        self._attempts = 0

    def make(self, pods: int) -> bool:
        """Make so many *pods* at this tick of the control loop, for each of which the limit counts anew.

        Returns:
            Whether all of them were made.
        """
        if self._limited_at != self._clock.now:
            self._limited_at = self._clock.now
            self._left = self._limit
        made = 0
        for _ in range(min(pods, self._left)):
            if not self._has_quota():
                break
            self._left -= 1
            self._attempts += 1
            if not self._world.creation_fails(self._attempts - 1):
                self._processes.process(self._life(self._pool.make_pod(), 0))
                made += 1
        return made == pods

    def _has_quota(self) -> bool:
        """Whether there can be one pod more in all pools together."""
        return self._quota == NEVER or sum([len(pool.pods) for pool in self._pools]) < self._quota

    def _life(self, pod: EnginePod, before: int) -> ProcessGenerator:
        """The process of a pod's life up to when its agent has connected; from then on it is slots that live.

        *before*: how many pods in a row before this one never connected.
        """
        if self._world.never_connects(pod.number):
            yield self._after(self._timeout, pod)
            if not pod.gone:
                self._pool.remove(pod)
                self._record.pod(pod, self._clock.now, "connect_timeout")
                self._pool.waiting.offer()
                yield from self._replacement(pod, before)
            return
        yield self._after(min(self._world.startup(pod.number), NEVER), pod)
        if not pod.gone:
            self._pool.make_ready(pod)
            self._pool.waiting.offer()

    def _replacement(self, pod: EnginePod, before: int) -> ProcessGenerator:
        if before == len(BACKOFF):
            return
        yield self._after(BACKOFF[before], pod)
        while self._server.is_down or self._safeguards.frozen(self._clock.now):
            until = self._server.back_at if self._server.is_down else self._safeguards.thaws_at(self._clock.now)
            yield self._processes.moment(until, SERVER_UP + 1)  # just after the server is up
        if len(self._pool.pods) < self._pool.config.max_pods and self._has_quota():
            self._processes.process(self._life(self._pool.make_pod(), before + 1))
            self._pool.waiting.offer()

    def _after(self, duration: int, pod: EnginePod) -> Event:
        return self._processes.moment(self._clock.now + duration, POD_READY + pod.number)
