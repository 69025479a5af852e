"""How pods are made, start, and connect or do not."""

from __future__ import annotations

from typing import Final

from simpy.events import ProcessGenerator

from sim.model.instant import POD_READY, SERVER_UP, PlatformEnvironment
from sim.model.pod import Pod
from sim.model.pool import Pool
from sim.model.server import Server
from sim.runs.inputs import PodInputs
from sim.runs.settings import PlatformSettings
from sim.runs.time import NEVER, SECOND

BACKOFF: Final = tuple(minutes * 60 * SECOND for minutes in (1, 2, 4, 8, 10))
"""How long after the n-th pod in a row that did not connect its replacement is made. After the last, none is."""


class Provisioning:
    """Makes the pods of a pool.

    Args:
        env: the simulated time.
        settings: how many pods there can be in all, how many can be made at one tick, and how long they have to
            connect.
        inputs: how long each pod takes to start, and what goes wrong.
        server: has all pools, and replaces no pods while it is down.
        pool: where pods are made.
    """

    def __init__(
        self, env: PlatformEnvironment, settings: PlatformSettings, inputs: PodInputs, server: Server, pool: Pool
    ) -> None:
        self._env = env
        self._settings = settings
        self._inputs = inputs
        self._server = server
        self._pool = pool
        self._tries = 0
        self._left = 0
        """How many more pods may be made at this tick."""

    def begin_tick(self) -> None:
        """The limit of new pods at one tick counts anew."""
        limit = self._settings.safeguards.creation_limit
        self._left = NEVER if limit is None else limit

    def make(self, pods: int) -> int:
        """Try to make so many *pods*; how many were made."""
        made = 0
        for _ in range(min(pods, self._left)):
            if not self._has_quota():
                break
            self._left -= 1
            fails = self._inputs.creation_fails(self._tries)
            self._tries += 1
            if not fails:
                self._env.process(self._life(self._pool.make_pod(), 0))
                made += 1
        return made

    def _has_quota(self) -> bool:
        """Whether there can be one pod more in all pools together, where draining ones count, too."""
        return sum(len(pool.pods) for pool in self._server.pools) < self._settings.quota

    def _life(self, pod: Pod, failures: int) -> ProcessGenerator:
        """The process of a pod until its agent has connected; from then on it is its slots that live.

        *failures* is how many pods in a row before this one did not connect.
        """
        never_connects = self._inputs.never_connects(pod.number)
        timeout = self._settings.safeguards.connect_timeout
        yield self._env.moment(timeout if never_connects else self._inputs.startup(pod.number), POD_READY + pod.number)
        if pod.is_gone:
            return
        if not never_connects:
            self._pool.connect(pod)
            return
        self._pool.delete(pod, "connect_timeout")
        if failures < len(BACKOFF):
            yield from self._replace(pod, failures)

    def _replace(self, pod: Pod, failures: int) -> ProcessGenerator:
        env, server, safeguards = self._env, self._server, self._settings.safeguards
        yield env.moment(BACKOFF[failures], POD_READY + pod.number)
        while server.is_down or safeguards.frozen(env.now):
            until = server.back_at if server.is_down else safeguards.thaws_at(env.now)
            yield env.moment(until - env.now, SERVER_UP + 1)
        if len(self._pool.counted) < self._pool.config.max_pods and self._has_quota():
            env.process(self._life(self._pool.make_pod(), failures + 1))
