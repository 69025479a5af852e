"""`gitlab`: the idle policy of GitLab Runner's instance and Docker autoscaler executors (taskscaler)."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import Annotated

from pydantic import Field

from sim.policies.cadence import Cadence
from sim.policies.view import PoolView
from sim.scenario.units import Duration, Period

# The core: the policy in GitLab's own terms


def idle_capacity(idle_count: int, scale_factor: float, scale_factor_limit: int, in_use: int) -> int:
    """Jobs there should be idle capacity for, with *in_use* jobs running. A limit of 0 is none."""
    scaled = ceil(scale_factor * in_use)
    if scale_factor_limit:
        scaled = min(scaled, scale_factor_limit)
    return max(idle_count, scaled)


def required_instances(acquired: int, unavailable: int, pending: int, idle: int, capacity_per_instance: int) -> int:
    """Instances for the capacity that is in use, that cannot be used, that is waited for and that should be idle."""
    return ceil((acquired + unavailable + pending + idle) / capacity_per_instance)


class IdleInstances:
    """Since when each idle instance is idle, as far as their number tells: the one used last is used again first."""

    def __init__(self) -> None:
        self._since: list[float] = []

    def update(self, now: float, idle: int, removed: int) -> None:
        """There are *idle* ones now, after *removed* were removed as idle; those are the ones idle for longest."""
        self._since = self._since[removed:][:idle]
        self._since += [now] * (idle - len(self._since))

    def expired(self, now: float, idle_time: float) -> int:
        """How many of them have been idle for *idle_time*."""
        return sum(now - since >= idle_time for since in self._since)


# The policy


@dataclass
class Gitlab:
    """GitLab Runner autoscaler: pods for the jobs and an idle reserve; idle pods go after a while.

    At each look

        idle     = max(idle_count, min(ceil(scale_factor * running), scale_factor_limit))
        required = ceil((running + reserved + queued + idle) / capacity_per_instance)

    pods are required (a `scale_factor_limit` of 0 is none). If there are more, those that have been idle for
    `idle_time` since their last task, or since they were ready, are removed down to that number. `idle_count` and
    `scale_factor_limit` are numbers of jobs, not of instances. With `preemptive_mode` a runner asks for jobs only when
    it has an idle instance, so the queue does not count, and only the idle reserve makes the pool grow (where there is
    none, from no pods to none); without it jobs are taken first and capacity is looked for then. If not given, it is on
    where `idle_count` is above 0.

    **Mapping.** An instance is a pod and serves `slots_per_pod` jobs. Capacity in use is the running tasks. A reserved
    slot is unavailable capacity: nobody's job, but nobody else can have it. Queued jobs that the runner has taken are
    the pending ones. The view does not show how long each pod has been idle. It is worked out from the number of pods
    that could be idle throughout, which are the ready ones less ceil((running + reserved) / slots_per_pod), taking it
    that of those the one that was in use last is used first.

    **Defaults.** `idle_time` has no documented one; 20m is that of most examples. Taskscaler looks about once a
    second, as far as its log tells, so `interval`, which is no parameter of GitLab's, is 1 s: here, every tick.

    **A pool like theirs** has `scale_down: drain` and `dispatch: notify`: the shipped scenario `like-gitlab`. `periods`
    are the `schedule` of a scenario's policy, as far as they change the least number of instances.

    Left out: `periods` and `timezone`, as one policy is always in force; `update_interval` (how soon it is noticed
    what became of an instance), as the view is never old; `max_instances` (see `max_pods`), `max_use_count`,
    `scale_throttle` (100 instances a second), and the reservations of job requests to which no job comes.

    Sources: https://docs.gitlab.com/runner/configuration/advanced-configuration/#the-runnersautoscalerpolicy-sections
    and https://docs.gitlab.com/runner/executors/instance/, as of GitLab Runner d79f3e7b of August 2026, and
    `PreemptiveModeEnabled` in its common/config.go. The source of taskscaler itself was out of reach. That `idle` is
    the larger of the two (the documentation also says "on top of") and is rounded up is taken from the runner's
    executors/kubernetes/autoscaler/pause_pod_manager.go, the terms of `required` from what taskscaler logs; it may
    treat them otherwise in detail.
    """

    idle_count: Annotated[int, Field(ge=0)] = 0
    idle_time: Duration = 1200.0
    scale_factor: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    scale_factor_limit: Annotated[int, Field(ge=0)] = 0
    preemptive_mode: bool | None = None
    capacity_per_instance: Annotated[int, Field(ge=1)] | None = None
    interval: Period = 1.0
    _looks: Cadence = field(init=False, repr=False, compare=False)
    _idle: IdleInstances = field(init=False, repr=False, compare=False, default_factory=IdleInstances)
    _answer: int = field(init=False, repr=False, compare=False, default=0)
    _surplus: int = field(init=False, repr=False, compare=False, default=0)
    _ready: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        self._looks = Cadence(self.interval)

    def desired_pods(self, view: PoolView) -> int:
        self._watch(view)
        if self._looks.is_due(view.time):
            is_preemptive = self.idle_count > 0 if self.preemptive_mode is None else self.preemptive_mode
            required = required_instances(
                acquired=view.running,
                unavailable=view.reserved,
                pending=0 if is_preemptive else view.queued,
                idle=idle_capacity(self.idle_count, self.scale_factor, self.scale_factor_limit, view.running),
                capacity_per_instance=self.capacity_per_instance or view.slots_per_pod,
            )
            self._answer = max(required, view.pods - self._idle.expired(view.time, self.idle_time))
        self._surplus = max(0, view.pods - self._answer)
        return self._answer

    def _watch(self, view: PoolView) -> None:
        """Keep the books of idle pods, which is necessary at every tick."""
        ready = view.pods - view.starting_pods
        idle = ready - ceil((view.running + view.reserved) / view.slots_per_pod)
        # Pods that went although they were not to be removed were deleted by a fault, and it is not known which.
        self._idle.update(view.time, idle, removed=min(self._surplus, max(0, self._ready - ready)))
        self._ready = ready
