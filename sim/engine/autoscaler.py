"""What the policy of a pool is shown, and what becomes of its answer (model.md, 3)."""

from __future__ import annotations

from typing import Final, TypeAlias

from sim.engine.clock import Clock
from sim.engine.entities import EnginePod
from sim.engine.pod_provisioner import PodProvisioner
from sim.engine.pool import EnginePool
from sim.engine.recorder import Recorder
from sim.policies.view import Policy, PoolView
from sim.runs.asking import answer_of, unchanged_until
from sim.runs.settings import PlatformSettings
from sim.runs.time import NEVER, SECOND, in_seconds

_State: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int]

_ANSWERS: Final = 10_000
"""How many answers of a policy are kept."""

_ROUNDING: Final = 1000
"""Nanoseconds by which a policy's sum of times in seconds may be wrong."""


class EngineAutoscaler:
    """Asks the policy of a pool at every tick that matters, and makes and deletes pods.

    Args:
        clock: the time.
        settings: the safeguards.
        policy: what it asks.
        pool: what it looks at, and where pods go.
        provisioner: makes pods.
        record: where it notes what it did.
    """

    def __init__(
        self,
        clock: Clock,
        settings: PlatformSettings,
        policy: Policy,
        pool: EnginePool,
        provisioner: PodProvisioner,
        record: Recorder,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._policy = policy
        self._pool = pool
        self._provisioner = provisioner
        self._record = record
        self._stateless = bool(getattr(policy, "stateless", False))
        config = pool.config
        self._min_pods = config.min_pods
        self._max_pods = config.max_pods
        self._initial_pods = config.initial_pods
        self._slots_per_pod = config.slots_per_pod
        self._apply_slots = config.apply_slots
        self._dispatch_retry = in_seconds(settings.dispatch_retry)
        self._starts_at = settings.starts_at
        self._outdated: dict[int, EnginePod] = {}
        self._answers: dict[_State, int] = {}
        self._unchanged_until = 0.0
        """Up to when, in seconds, a policy that has memory has said that its last answer is unchanged."""

    def unchanged_until(self) -> int:
        """Up to when the answer at the last tick stands if nothing else happens."""
        if self._stateless:
            return NEVER
        until = self._unchanged_until
        # A tick too many does no harm, and one too few would if the policy rounds otherwise.
        return int(min(max(until, 0.0), in_seconds(NEVER)) * SECOND) - _ROUNDING

    def tick(self) -> bool:
        """Ask the policy and do what it says; whether it would be the same again if nothing else happened."""
        pool = self._pool
        before = len(pool.pods)
        is_settled = not self._outdated or self._rebuild()
        desired = self._desired()
        pods = len(pool.pods)
        wanted = self._bounded(desired, pods)
        if wanted == before == pods:
            return is_settled
        if wanted > pods:
            is_settled &= self._provisioner.make(wanted - pods)
        elif wanted < pods:
            for pod in pool.newest_idle_pods(pods - wanted):
                self._delete(pod, "autoscaler")
        after = len(pool.pods)
        if after != before:
            self._record.decision(pool.number, self._clock.now, before, desired, after)
            pool.waiting.offer()
        return is_settled and after == before

    def _bounded(self, desired: int, pods: int) -> int:
        """What becomes of the policy's answer: the pool's bounds, and the platform's safeguards."""
        guards = self._settings.safeguards
        if guards.freezes and guards.frozen(self._clock.now):
            return 0  # which only those go for that are not in use
        if guards.warm_pods:
            desired = max(desired, self._pool.in_use + guards.warm_pods)
        if guards.hold_while_apply_pending and self._pool.tasks.apply_pending:
            desired = max(desired, pods)
        return min(max(desired, self._min_pods), self._max_pods)

    def _delete(self, pod: EnginePod, by: str) -> None:
        self._pool.remove(pod)
        self._record.pod(pod, self._clock.now, by)

    def outdate(self) -> None:
        """The configuration of pods has changed: those that there are have to be rebuilt."""
        self._outdated = dict(self._pool.pods)

    def _rebuild(self) -> bool:
        """Replace the outdated pods whose slots are all idle; whether nothing of that is left to the next tick."""
        self._outdated = {number: pod for number, pod in self._outdated.items() if not pod.gone}
        idle = [pod for pod in self._outdated.values() if not any(slot.state for slot in pod.slots)]
        for pod in idle:
            if not self._settings.safeguards.frozen(self._clock.now) and not self._provisioner.make(1):
                break  # no pod goes for which there is no other
            del self._outdated[pod.number]
            self._delete(pod, "config_change")
            self._pool.waiting.offer()
        return not idle

    def _desired(self) -> int:
        """The policy's answer. If it has no memory it is asked once for each state of the pool that it could see."""
        state = self._state()
        if not self._stateless:
            view = self.view(state)
            desired = answer_of(self._policy, view)
            self._unchanged_until = unchanged_until(self._policy, view.time)
            return desired
        known = self._answers.get(state)
        if known is not None:
            return known
        if len(self._answers) >= _ANSWERS:
            self._answers.clear()
        self._answers[state] = desired = answer_of(self._policy, self.view(state))
        return desired

    def _state(self) -> _State:
        """Everything that can change and that a view is made of, but for the time."""
        pool, tasks = self._pool, self._pool.tasks
        return (
            len(pool.pods),
            pool.starting,
            pool.running,
            pool.reserved,
            pool.idle_applies,
            tasks.pending,
            tasks.eligible_plan,
            tasks.eligible_plan_and_apply,
            tasks.slotless,
            tasks.slotless_confirmed,
            pool.running_pods,
            pool.in_use,
            tasks.unblocked,
            tasks.unblocked_plan_and_apply,
            tasks.apply_pending,
            pool.elsewhere.apply_pending,
        )

    def view(self, state: _State) -> PoolView:
        """What the policy is shown of a *state*. As it is made of nothing else, equal states give equal views."""
        (
            pods,
            starting_pods,
            running,
            reserved,
            idle_applies,
            pending,
            eligible_plan,
            eligible_plan_and_apply,
            slotless,
            slotless_confirmed,
            running_pods,
            occupied_pods,
            unblocked,
            unblocked_plan_and_apply,
            apply_pending,
            apply_pending_elsewhere,
        ) = state
        slots_per_pod, apply_slots = self._slots_per_pod, self._apply_slots
        slots = pods * slots_per_pod
        idle = slots - running - reserved
        idle_starting = starting_pods * slots_per_pod
        idle_ready = idle - idle_starting
        idle_apply_starting = starting_pods * apply_slots
        idle_apply_ready = idle_applies - idle_apply_starting
        draining_pods = 0  # The engine knows no pods that drain.
        time = in_seconds(self._clock.now)
        # By name it would take three times as long. A test holds these names to the fields of the view.
        return PoolView(
            time,
            self._min_pods,
            self._max_pods,
            self._initial_pods,
            slots_per_pod,
            apply_slots,
            pods,
            starting_pods,
            slots,
            running,
            reserved,
            idle,
            idle_ready,
            idle_starting,
            idle_apply_ready,
            idle_apply_starting,
            pending,
            eligible_plan,
            eligible_plan_and_apply,
            slotless,
            slotless_confirmed,
            self._dispatch_retry,
            running_pods,
            occupied_pods,
            draining_pods,
            unblocked,
            unblocked_plan_and_apply,
            apply_pending,
            apply_pending_elsewhere,
            self._starts_at,
        )
