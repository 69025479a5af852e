"""`buildkite`: buildkite-agent-scaler, which sets the capacity of an EC2 Auto Scaling group."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, floor
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from sim.policies.cadence import Cadence
from sim.policies.view import PoolView
from sim.scenario.units import Duration, Period, Share

# The core: the scaler in its own terms


class Metrics(NamedTuple):
    """A queue's jobs and agents, as Buildkite counts them."""

    scheduled: int
    running: int
    waiting: int
    """Jobs that cannot be scheduled before others are done."""
    agents: int
    """Connected ones, idle or busy."""


class Group(NamedTuple):
    """The Auto Scaling group."""

    desired: int
    actual: int
    """Instances in service."""
    min_size: int
    max_size: int

    @property
    def instances(self) -> int:
        return self.actual or self.desired


@dataclass(frozen=True)
class Direction:
    """How to scale in, or out. A factor of 0 is none."""

    disable: bool = False
    cooldown_period: float = 0.0
    factor: float = 0.0


class Events(NamedTuple):
    """When it last scaled in and out; None if it never did."""

    scale_in: float | None = None
    scale_out: float | None = None


@dataclass(frozen=True)
class Scaler:
    """One poll after the other; what is remembered between them is handed in and back."""

    agents_per_instance: int
    include_waiting: bool = False
    instance_buffer: int = 0
    availability_threshold: float = 0.5
    scale_in: Direction = Direction()
    scale_out: Direction = Direction()
    scale_only_after_all_event: bool = False

    def poll(self, metrics: Metrics, group: Group, last: Events, now: float) -> tuple[int, Events]:
        """The group's new desired capacity, and when it last scaled."""
        wanted = self.required(metrics, group) + self._buffer(metrics)
        wanted = max(min(wanted, group.max_size), group.min_size)
        if wanted > group.desired and wanted > group.instances:
            return self._scale_out(wanted, group, last, now)
        if wanted < group.desired or wanted < group.instances:
            return self._scale_in(wanted, group, last, now)
        return group.desired, last

    def required(self, metrics: Metrics, group: Group) -> int:
        """Instances for the jobs, or one more than there are if too few agents have connected."""
        # Waiting jobs come in place of the running ones they are taken to be waiting for, not on top of them.
        started = max(metrics.running, metrics.waiting) if self.include_waiting else metrics.running
        agents = metrics.scheduled + started
        instances = ceil(agents / self.agents_per_instance)
        expected = self.agents_per_instance * group.instances
        has_converged = group.actual == group.desired
        if agents and expected and metrics.agents / expected < self.availability_threshold and has_converged:
            return max(instances, group.desired + 1)
        return instances

    def _buffer(self, metrics: Metrics) -> int:
        jobs = metrics.scheduled + metrics.running + (metrics.waiting if self.include_waiting else 0)
        return min(ceil(jobs / self.agents_per_instance), self.instance_buffer)

    def _scale_out(self, wanted: int, group: Group, last: Events, now: float) -> tuple[int, Events]:
        how = self.scale_out
        if how.disable or self._cools_down(how.cooldown_period, last.scale_out, last.scale_in, now):
            return group.desired, last
        if how.factor:
            wanted = min(group.desired + ceil((wanted - group.desired) * how.factor), group.max_size)
        return wanted, last._replace(scale_out=now)

    def _scale_in(self, wanted: int, group: Group, last: Events, now: float) -> tuple[int, Events]:
        how = self.scale_in
        if how.disable or self._cools_down(how.cooldown_period, last.scale_in, last.scale_out, now):
            return group.desired, last
        if how.factor:
            wanted = max(group.desired + floor((wanted - group.desired) * how.factor), group.min_size)
        return wanted, last._replace(scale_in=now)

    def _cools_down(self, period: float, own: float | None, other: float | None, now: float) -> bool:
        if own is None:
            return False
        since = max(own, other) if self.scale_only_after_all_event and other is not None else own
        return now - since < period


# The policy


@dataclass
class Buildkite:
    """Buildkite agent scaler: as many pods as the queue's jobs need, with factors and cooldowns each way.

    Every `min_poll_interval`

        wanted = ceil((scheduled + running) / agents_per_instance)
                 + min(instance_buffer, ceil((scheduled + running) / agents_per_instance))

    within `min_pods .. max_pods`. With `include_waiting` the first `running` is the larger of running and waiting, and
    the second running + waiting. The step from the capacity set last is multiplied by `scale_out_factor` and rounded
    up, or by `scale_in_factor` and rounded down, that is away from zero both times (0: no factor; the step may
    overshoot what is wanted). After a step there is none in the same direction for that direction's cooldown; with
    `scale_only_after_all_event` there is none either for as long after a later step in the other direction.
    If fewer than `availability_threshold` of the expected agents are connected while there are jobs, and all instances
    are in service, `wanted` without the buffer is at least one more than the capacity.

    **Mapping.** An instance is a pod, an agent a slot, so `agents_per_instance` is `slots_per_pod` if not given.
    Scheduled jobs are the queued tasks, running ones the running tasks, waiting ones the pending tasks that another
    one of their workspace is in the way of. A task that waits for its human is no job (a block step holds no agent),
    so reserved slots are not demand, and the room they take is not made good.
    A starting pod is `pending` to the Auto Scaling group, that is not in service yet. Then the threshold never acts, as
    all agents of a ready pod count as connected (the view does not show which pods are offline). With
    `starting_pods: in_service` a starting pod is in service with no agent connected: the threshold adds a pod at
    each poll while too few pods are ready.

    **Defaults** are those of the Lambda's environment variables. The template it is usually deployed with sets
    `disable_scale_in: true`, `scale_out_cooldown_period: 5m`, `scale_in_cooldown_period: 1h`: there agents end their
    instance themselves after an idle time, which is no part of the scaler. Here the platform deletes idle pods only.

    **A pool like theirs** has `scale_down: drain`, as an instance that is told to go lets its jobs end,
    `on_pod_loss: requeue` if jobs are retried, and `dispatch: notify`: the shipped scenario `like-buildkite`.

    Left out: Elastic CI mode, MAX_INSTANCE_CAP (see `max_pods`), and that Buildkite may ask for slower polls.

    Source: https://github.com/buildkite/buildkite-agent-scaler (README.md, template.yaml, lambda/main.go,
    scaler/scaler.go, scaler/scaling_calculator.go), commit 49c4145 of August 2026, after v1.12.0.
    """

    agents_per_instance: Annotated[int, Field(ge=1)] | None = None
    include_waiting: bool = False
    instance_buffer: Annotated[int, Field(ge=0)] = 0
    availability_threshold: Share = 0.5
    scale_in_factor: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    scale_out_factor: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    scale_in_cooldown_period: Duration = 0.0
    scale_out_cooldown_period: Duration = 0.0
    scale_only_after_all_event: bool = False
    disable_scale_in: bool = False
    disable_scale_out: bool = False
    min_poll_interval: Period = 10.0
    starting_pods: Literal["pending", "in_service"] = "pending"
    _polls: Cadence = field(init=False, repr=False, compare=False)
    _capacity: int | None = field(init=False, repr=False, compare=False, default=None)
    _last: Events = field(init=False, repr=False, compare=False, default=Events())

    def __post_init__(self) -> None:
        self._polls = Cadence(self.min_poll_interval)

    def desired_pods(self, view: PoolView) -> int:
        if self._capacity is None:
            self._capacity = view.initial_pods
        if self._polls.is_due(view.time):
            ready = view.pods - view.starting_pods
            metrics = Metrics(
                scheduled=view.queued,
                running=view.running,
                waiting=view.pending - view.eligible_plan - view.eligible_plan_and_apply,
                agents=ready * view.slots_per_pod,
            )
            in_service = view.pods if self.starting_pods == "in_service" else ready
            group = Group(self._capacity, in_service, view.min_pods, view.max_pods)
            self._capacity, self._last = self._scaler(view).poll(metrics, group, self._last, view.time)
        return self._capacity

    @property
    def unchanged_until(self) -> float:
        return self._polls.next

    def _scaler(self, view: PoolView) -> Scaler:
        return Scaler(
            self.agents_per_instance or view.slots_per_pod,
            self.include_waiting,
            self.instance_buffer,
            self.availability_threshold,
            Direction(self.disable_scale_in, self.scale_in_cooldown_period, self.scale_in_factor),
            Direction(self.disable_scale_out, self.scale_out_cooldown_period, self.scale_out_factor),
            self.scale_only_after_all_event,
        )
