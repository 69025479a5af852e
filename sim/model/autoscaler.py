"""The control loop: when it ticks, and what it does with the answer of a pool's policy (model.md, 3)."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Interrupt
from simpy.events import ProcessGenerator

from sim.model.instant import GRACE, TICK, PlatformEnvironment
from sim.model.observation import DelayedViews, view_of
from sim.model.pod import Pod
from sim.model.pool import Pool
from sim.model.provisioning import Provisioning
from sim.model.recorder import RunRecorder
from sim.model.server import Server
from sim.policies.view import Policy, PoolView
from sim.runs.asking import answer_of, unchanged_until
from sim.runs.codes import APPLY_PENDING
from sim.runs.settings import PlatformSettings


def control_loop(env: PlatformEnvironment, interval: int, server: Server, tick: Callable[[], None]) -> ProcessGenerator:
    """The process that has the autoscalers *tick*. When the server comes up, intervals count from then on."""
    loop = env.active_process
    assert loop is not None
    server.on_up.append(loop.interrupt)
    while True:
        try:
            yield env.moment(interval, TICK)
        except Interrupt:
            continue
        if not server.is_down:
            tick()


class Autoscaler:
    """Asks the policy of a pool at every tick, and makes and deletes pods.

    Args:
        env: the simulated time.
        settings: the safeguards, and how old what the policy sees is.
        policy: what it asks.
        server: has the tasks that the policy is shown.
        pool: the pool.
        provisioning: makes its pods.
        record: where it is noted when the number of pods changes.
    """

    def __init__(
        self,
        env: PlatformEnvironment,
        settings: PlatformSettings,
        policy: Policy,
        server: Server,
        pool: Pool,
        provisioning: Provisioning,
        record: RunRecorder,
    ) -> None:
        self._env = env
        self._settings = settings
        self._policy = policy
        self._server = server
        self._pool = pool
        self._provisioning = provisioning
        self._record = record
        self._outdated: list[Pod] = []
        self._views = DelayedViews(settings.view_delay, self.view())

    def view(self) -> PoolView:
        """The pool as it is now."""
        return view_of(self._env, self._settings, self._server, self._pool)

    def tick(self) -> None:
        """Ask the policy, and do what it says."""
        pool = self._pool
        before = len(pool.counted)
        self._provisioning.begin_tick()
        self._rebuild()
        view = self._views.shown(self._env.now, self.view())
        desired = answer_of(self._policy, view)
        unchanged_until(
            self._policy, view.time
        )  # Its value is not needed, as the policy is asked at every tick, but an invalid one is refused.
        wanted, pods = self._bounded(desired), len(pool.counted)
        if wanted > pods:
            self._provisioning.make(wanted - pods)
        elif wanted < pods:
            self._give_back(pods - wanted)
        if len(pool.counted) != before:
            self._record.decision(pool.number, self._env.now, before, desired, len(pool.counted))

    def _bounded(self, desired: int) -> int:
        """The policy's answer after the platform's safeguards and the pool's bounds."""
        guards, pool = self._settings.safeguards, self._pool
        if guards.frozen(self._env.now):
            return 0  # Frozen: no pod is made, and idle ones go, even below min_pods.
        if guards.warm_pods:
            desired = max(desired, sum(not pod.is_idle for pod in pool.counted) + guards.warm_pods)
        if guards.hold_while_apply_pending and self._any_apply_pending():
            desired = max(desired, len(pool.counted))
        return min(max(desired, pool.config.min_pods), pool.config.max_pods)

    def _any_apply_pending(self) -> bool:
        mine = (task for task in self._server.tasks.open if task.pool == self._pool.number and not task.elsewhere)
        return any(task.state == APPLY_PENDING for task in mine)

    def _give_back(self, surplus: int) -> None:
        """Delete *surplus* pods, or have them drain, as far as `scale_down` allows it."""
        pool, scale_down = self._pool, self._pool.config.scale_down
        if self._settings.safeguards.frozen(self._env.now):
            scale_down = "idle"  # Frozen: only unused pods are deleted.
        newest = list(reversed(pool.counted))
        chosen = newest[:surplus] if scale_down == "kill" else pool.newest_idle(surplus)
        if scale_down == "drain":
            chosen += [pod for pod in newest if not pod.is_idle][: surplus - len(chosen)]
        for pod in chosen:
            if pod.is_idle:
                pool.delete(pod, "autoscaler")
                continue
            pool.drain(pod)
            if scale_down == "kill":
                self._env.process(self._kill(pod))

    def _kill(self, pod: Pod) -> ProcessGenerator:
        """The process of a draining pod whose time is limited."""
        yield self._env.moment(self._pool.config.termination_grace, GRACE + pod.number)
        if not pod.is_gone:
            self._server.lose_pod(pod, "kill")

    def outdate(self) -> None:
        """The configuration of pods has changed: those that there are have to be rebuilt."""
        self._outdated = self._pool.counted

    def _rebuild(self) -> None:
        """Replace the outdated pods whose slots are all idle, as far as new ones can be made (in a freeze, none is)."""
        self._outdated = [pod for pod in self._outdated if not pod.is_gone and not pod.is_draining]
        for pod in [pod for pod in self._outdated if pod.is_idle]:
            if not self._settings.safeguards.frozen(self._env.now) and not self._provisioning.make(1):
                break
            self._outdated.remove(pod)
            self._pool.delete(pod, "config_change")
