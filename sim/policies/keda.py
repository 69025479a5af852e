"""`keda`: a KEDA ScaledObject, which switches on and off what an HPA scales in between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field, with_config
from typing_extensions import TypedDict

from sim.policies.cadence import Cadence
from sim.policies.hpa import (
    SCALE_DOWN,
    SCALE_UP,
    Controller,
    Length,
    PlainHpa,
    Tolerances,
    external_replicas,
    external_replicas_for_value,
    length_in,
)
from sim.policies.view import PoolView
from sim.scenario.units import Duration, Period, Ratio

# The core: what KEDA itself does, and the HPA that it makes


@dataclass(frozen=True)
class ScaledObject:
    """What of a ScaledObject's specification KEDA's own part heeds.

    Args:
        min_replica_count: while it is active; 0 for down to zero.
        idle_replica_count: while it is not, if that is to differ.
        cooldown_period: seconds from the last poll at which it was active to the end of being active.
        initial_cooldown_period: the same from time 0, if it never was.
    """

    min_replica_count: int = 0
    idle_replica_count: int | None = None
    cooldown_period: float = 300.0
    initial_cooldown_period: float = 0.0

    def poll(self, now: float, replicas: int, active: bool, last_active: float | None) -> int:
        """The replicas to ask for after a poll, where *replicas* were asked for before it."""
        idle, minimum = self.idle_replica_count, self.min_replica_count
        if active:
            off = replicas == 0 or (idle is not None and replicas < minimum)
            return max(minimum, 1) if off else replicas
        rest = minimum if idle is None else idle
        if replicas > rest and (idle is not None or minimum == 0):
            return rest if self._has_cooled_down(now, last_active) else replicas
        return max(replicas, rest) if idle is None else replicas  # Nobody raises a target to `idle_replica_count`.

    def _has_cooled_down(self, now: float, last_active: float | None) -> bool:
        # KEDA asks for later than that, but compares with a moment cut to whole seconds, so at that moment it is later.
        if last_active is None:
            return now >= self.initial_cooldown_period
        return now >= last_active + self.cooldown_period


# The policy

QueueLength = Annotated[float, Field(ge=0.001)]
ActivationQueueLength = Annotated[float, Field(ge=0)]


@with_config(extra="forbid")
class Trigger(TypedDict, total=False):
    """One of a ScaledObject's `triggers`; what is not given is as it would be without `triggers`."""

    metric: Length
    queue_length: QueueLength
    activation_queue_length: ActivationQueueLength
    metric_type: Literal["AverageValue", "Value"]


@dataclass
class Keda:
    """KEDA ScaledObject on the queue's length: from and to zero by polling, in between by an HPA.

    Every `polling_interval` KEDA looks whether the metric exceeds `activation_queue_length`.

    - If so, and there are 0 replicas (or fewer than the minimum, with `idle_replica_count`): the minimum, at least 1.
    - If not, for `cooldown_period` since it last was so: `idle_replica_count`, or 0 if that is the minimum. If it never
      was so, `initial_cooldown_period` after time 0.

    Every `hpa_sync_period` the HPA, unless 0 replicas are asked for, recommends ceil(metric / `queue_length`), or as
    many pods as there are if metric / (`queue_length` * pods) is within 1 +- `hpa_tolerance`. The highest
    recommendation of the last `hpa_downscale_stabilization` counts, limited to max(2 * replicas, 4), to the minimum and
    at least 1, and to the maximum. Where both act at one tick, the HPA goes first: what KEDA sets it sees a sync later.

    The metric is `queued` tasks, `demand` (queued and running, as most triggers count messages that are being worked
    on), or `unfinished` (those and reserved slots). `queue_length`, for which every trigger has a default of its own,
    is by default `slots_per_pod`, as a pod works on so many tasks at once. The maximum is `max_pods`, the minimum
    `min_replica_count` or, without it, `min_pods`, below which the platform does not go. An `idle_replica_count` other
    than 0 does not last, as the HPA undoes it; KEDA documents it as not supported.

    `triggers` is a list of several, for example `[{metric: queued, queue_length: 1}, {metric: demand}]`, each with
    `metric`, `queue_length`, `activation_queue_length` and `metric_type`; what one does not say is as given beside the
    list. It is active while any of them is, and the largest recommendation counts. With `metric_type: Value` the ready
    pods change by the factor metric / `queue_length`.

    The other defaults are the documented ones of KEDA and of kube-controller-manager. Left out: scaling modifiers,
    fallback, cached metrics, and pausing. KEDA makes an HPA without `behavior` unless one is given; with
    `hpa_behavior: default` it has one with the documented defaults, as if `behavior: {}` were given.

    Sources, KEDA 2.20.2: https://keda.sh/docs/2.20/reference/scaledobject-spec/,
    https://github.com/kedacore/keda/blob/v2.20.2/pkg/scaling/executor/scale_scaledobjects.go; and horizontal.go in
    https://github.com/kubernetes/kubernetes/tree/master/pkg/controller/podautoscaler.
    """

    queue_length: QueueLength | None = None
    activation_queue_length: ActivationQueueLength = 0
    metric: Length = "demand"
    polling_interval: Period = 30.0
    cooldown_period: Duration = 300.0
    initial_cooldown_period: Duration = 0.0
    min_replica_count: Annotated[int, Field(ge=0)] | None = None
    idle_replica_count: Annotated[int, Field(ge=0)] | None = None
    hpa_sync_period: Period = 15.0
    hpa_tolerance: Ratio = 0.1
    hpa_downscale_stabilization: Duration = 300.0
    hpa_behavior: Literal["none", "default"] = "none"
    triggers: list[Trigger] | None = None
    _polling: Cadence = field(init=False, repr=False, compare=False)
    _syncing: Cadence = field(init=False, repr=False, compare=False)
    _hpa: PlainHpa | Controller = field(init=False, repr=False, compare=False)
    _replicas: int | None = field(init=False, repr=False, compare=False, default=None)
    _last_active: float | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.idle_replica_count is not None and self.idle_replica_count >= (self.min_replica_count or 0):
            raise ValueError("expected idle_replica_count to be less than min_replica_count")
        if self.triggers == []:
            raise ValueError("expected at least one of triggers, or none of the list")
        self._polling = Cadence(self.polling_interval)
        self._syncing = Cadence(self.hpa_sync_period)
        window = self.hpa_downscale_stabilization
        if self.hpa_behavior == "default":
            self._hpa = Controller(SCALE_UP, replace(SCALE_DOWN, stabilization_window=window))
        else:
            self._hpa = PlainHpa(window)

    def desired_pods(self, view: PoolView) -> int:
        replicas = view.pods if self._replicas is None else self._replicas
        minimum = view.min_pods if self.min_replica_count is None else self.min_replica_count
        if minimum > view.max_pods:
            raise ValueError(f"expected min_replica_count of at most max_pods ({view.max_pods}), found {minimum}")
        triggers: list[Trigger] = [{}] if self.triggers is None else self.triggers
        if self._syncing.is_due(view.time):
            recommended = max(self._recommended(trigger, view, replicas) for trigger in triggers)
            replicas = self._hpa.reconcile(view.time, replicas, recommended, max(minimum, 1), view.max_pods)
        if self._polling.is_due(view.time):
            active = any(self._is_active(trigger, view) for trigger in triggers)
            replicas = self._polled(view.time, replicas, active, minimum)
        self._replicas = replicas
        return replicas

    @property
    def unchanged_until(self) -> float:
        return min(self._syncing.next, self._polling.next)

    def _recommended(self, trigger: Trigger, view: PoolView, replicas: int) -> int:
        # in thousandths, as Kubernetes counts
        target = round(1000 * (trigger.get("queue_length") or self.queue_length or view.slots_per_pod))
        length = 1000 * length_in(view, trigger.get("metric", self.metric))
        tolerances = Tolerances(self.hpa_tolerance, self.hpa_tolerance)
        if trigger.get("metric_type") == "Value":
            ready = view.pods - view.starting_pods
            return external_replicas_for_value(replicas, ready, length, target, tolerances)
        return external_replicas(view.pods, length, target, tolerances)

    def _is_active(self, trigger: Trigger, view: PoolView) -> bool:
        threshold = trigger.get("activation_queue_length", self.activation_queue_length)
        return length_in(view, trigger.get("metric", self.metric)) > threshold

    def _polled(self, now: float, replicas: int, active: bool, minimum: int) -> int:
        if active:
            self._last_active = now
        scaled = ScaledObject(minimum, self.idle_replica_count, self.cooldown_period, self.initial_cooldown_period)
        return scaled.poll(now, replicas, active, self._last_active)
