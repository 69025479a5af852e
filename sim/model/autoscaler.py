"""The control loop: when it ticks, what it shows the policy, and what it does with the answer (model.md, 3)."""

from __future__ import annotations

from simpy import Interrupt, Process
from simpy.events import ProcessGenerator

from sim.model.instant import TICK, PlatformEnvironment
from sim.model.pod import IDLE, RESERVED, RUNNING, Pod
from sim.model.provisioning import Provisioning
from sim.model.recorder import RunRecorder
from sim.model.server import Server
from sim.policies.view import Policy, PoolView
from sim.runs.asking import answer_of, unchanged_until
from sim.runs.codes import APPLY_PENDING, PENDING
from sim.runs.settings import PlatformSettings
from sim.runs.time import in_seconds


class Autoscaler:
    """Asks the policy at every tick, and makes and deletes pods.

    Args:
        env: the simulated time.
        settings: the interval of the ticks, the bounds, and the safeguards.
        policy: what it asks.
        server: has the pool and the tasks that the policy is shown.
        provisioning: makes pods.
        record: where it is noted when the number of pods changes.
    """

    def __init__(
        self,
        env: PlatformEnvironment,
        settings: PlatformSettings,
        policy: Policy,
        server: Server,
        provisioning: Provisioning,
        record: RunRecorder,
    ) -> None:
        self._env = env
        self._settings = settings
        self._policy = policy
        self._server = server
        self._provisioning = provisioning
        self._record = record
        self._outdated: list[Pod] = []
        self._loop: Process = env.process(self._ticks())
        server.on_up.append(self._loop.interrupt)

    def _ticks(self) -> ProcessGenerator:
        """The process of the control loop. When the server comes up, intervals count from then on."""
        while True:
            try:
                yield self._env.moment(self._settings.autoscaler_interval, TICK)
            except Interrupt:
                continue
            if not self._server.is_down:
                self._tick()

    def _tick(self) -> None:
        pool = self._server.pool
        before = len(pool.pods)
        self._provisioning.begin_tick()
        self._rebuild()
        view = self.view()
        desired = answer_of(self._policy, view)
        unchanged_until(
            self._policy, view.time
        )  # Its value is not needed, as the policy is asked at every tick, but an invalid one is refused.
        wanted, pods = self._bounded(desired), len(pool.pods)
        if wanted > pods:
            self._provisioning.make(wanted - pods)
        for pod in pool.newest_idle(pods - wanted) if wanted < pods else ():
            pool.delete(pod, "autoscaler")
        if len(pool.pods) != before:
            self._record.decision(self._env.now, before, desired, len(pool.pods))

    def _bounded(self, desired: int) -> int:
        """The policy's answer after the platform's safeguards and the pool's bounds."""
        settings, guards, pool = self._settings, self._settings.safeguards, self._server.pool
        if guards.frozen(self._env.now):
            return 0  # Frozen: no pod is made, and idle ones go, even below min_pods.
        if guards.warm_pods:
            desired = max(desired, sum(not pod.is_idle for pod in pool.pods) + guards.warm_pods)
        if guards.hold_while_apply_pending and any(t.state == APPLY_PENDING for t in self._server.tasks.open):
            desired = max(desired, len(pool.pods))
        return min(max(desired, settings.min_pods), settings.max_pods)

    def outdate(self) -> None:
        """The configuration of pods has changed: those that there are have to be rebuilt."""
        self._outdated = list(self._server.pool.pods)

    def _rebuild(self) -> None:
        """Replace the outdated pods whose slots are all idle, as far as new ones can be made (in a freeze, none is)."""
        self._outdated = [pod for pod in self._outdated if not pod.is_gone]
        for pod in [pod for pod in self._outdated if pod.is_idle]:
            if not self._settings.safeguards.frozen(self._env.now) and not self._provisioning.make(1):
                break
            self._outdated.remove(pod)
            self._server.pool.delete(pod, "config_change")

    def view(self) -> PoolView:
        """What the policy is shown."""
        settings, pool, tasks = self._settings, self._server.pool, self._server.tasks
        pending = [task for task in tasks.open if task.state == PENDING]
        eligible = [task for task in pending if tasks.is_eligible(task)]
        pods = [pod for pod in pool.pods if pod.is_ready]
        starting = len(pool.pods) - len(pods)
        idle = [slot for pod in pods for slot in pod.slots if slot.state == IDLE]
        with_slot = {slot.task for slot in pool.slots}
        slotless = [task for task in tasks.open if task.state == APPLY_PENDING and task not in with_slot]
        return PoolView(
            time=in_seconds(self._env.now),
            min_pods=settings.min_pods,
            max_pods=settings.max_pods,
            initial_pods=settings.initial_pods,
            slots_per_pod=settings.slots_per_pod,
            apply_slots=settings.apply_slots,
            pods=len(pool.pods),
            starting_pods=starting,
            slots=len(pool.pods) * settings.slots_per_pod,
            running=pool.count(RUNNING),
            reserved=pool.count(RESERVED),
            idle=len(idle) + starting * settings.slots_per_pod,
            idle_ready=len(idle),
            idle_starting=starting * settings.slots_per_pod,
            idle_apply_ready=sum(slot.takes_apply for slot in idle),
            idle_apply_starting=starting * settings.apply_slots,
            pending=len(pending),
            eligible_plan=sum(not task.applies for task in eligible),
            eligible_plan_and_apply=sum(task.applies for task in eligible),
            slotless=len(slotless),
            slotless_confirmed=sum(task.is_confirmed for task in slotless),
            dispatch_retry=in_seconds(settings.dispatch_retry),
        )
