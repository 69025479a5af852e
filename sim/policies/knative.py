"""`knative`: the Knative Pod Autoscaler (KPA), with its panic mode and its way to scale to zero."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from sim.policies.cadence import Cadence
from sim.policies.view import PoolView
from sim.scenario.units import Duration, Period

# The core: the KPA in Knative's own terms

TARGET_MIN = 0.01


def target_value(total: float, percentage: float) -> float:
    """The concurrency per pod to aim for: a percentage of *total*. A percentage of at most 1 is a fraction."""
    return max(TARGET_MIN, total * (percentage / 100 if percentage > 1 else percentage))


def panic_window(stable_window: float, percentage: float) -> float:
    """Seconds of the panic window: whole ones, and at least one."""
    return max(1.0, float(floor(stable_window * percentage / 100 + 0.5)))


class Samples:
    """The concurrency as it was measured, as far back as a window of *longest* seconds reaches."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._samples: deque[tuple[float, float]] = deque()

    def record(self, now: float, value: float) -> None:
        """Notes what the concurrency is at *now*."""
        self._samples.append((now, value))
        while self._samples[0][0] <= now - self._longest:
            self._samples.popleft()

    def mean(self, now: float, window: float) -> float | None:
        """The mean of the samples of the last *window* seconds; none if there are none."""
        values = [value for time, value in self._samples if time > now - window]
        return round(sum(values) / len(values), 6) if values else None


class MaxWindow:
    """The largest of the values recorded in the last *duration*, which is counted in steps of *granularity*."""

    def __init__(self, duration: float, granularity: float) -> None:
        self._steps = ceil(duration / granularity)
        self._granularity = granularity
        self._values: deque[tuple[float, int]] = deque()

    def record(self, now: float, value: int) -> int:
        """Notes *value* and gives the maximum."""
        step = now // self._granularity
        self._values.append((step, value))
        while step - self._values[0][0] >= self._steps:
            self._values.popleft()
        return max(value for _, value in self._values)


@dataclass(frozen=True)
class Spec:
    """What the KPA is told about a revision (its DeciderSpec)."""

    target_value: float
    """Concurrency per pod to aim for."""
    total_value: float
    """Concurrency that a pod can take."""
    target_burst_capacity: float = 211
    panic_threshold: float = 2
    max_scale_up_rate: float = 1000
    max_scale_down_rate: float = 2
    stable_window: float = 60
    scale_down_delay: float = 0
    tick_interval: float = 2
    activation_scale: int = 1


class Decision(NamedTuple):
    """How many pods there should be, and what ready ones can take on top of the burst that is to be covered."""

    desired: int
    excess_burst_capacity: int


class KpaAutoscaler:
    """From the average concurrency to a number of pods: Knative's `autoscaler.Scale`.

    It starts panicking if more than one pod is *ready*: it knows nothing yet, and is not to take them away.
    """

    def __init__(self, spec: Spec, ready: int, now: float) -> None:
        self.spec = spec
        self.panic_time = now if ready > 1 else None
        self.max_panic_pods = ready
        self._delay = MaxWindow(spec.scale_down_delay, spec.tick_interval) if spec.scale_down_delay > 0 else None

    def scale(self, now: float, ready: int, stable: float, panic: float) -> Decision:
        """Decides at *now*, with the averages over the stable and the panic window."""
        spec = self.spec
        base = max(1, ready)
        needed, needed_in_panic = ceil(stable / spec.target_value), ceil(panic / spec.target_value)
        desired, desired_in_panic = self._limited(needed, base), self._limited(needed_in_panic, base)

        if needed_in_panic / base >= spec.panic_threshold:
            self.panic_time = now
        elif self.panic_time is not None and self.panic_time + spec.stable_window < now:
            self.panic_time, self.max_panic_pods = None, 0
        if self.panic_time is not None:
            self.max_panic_pods = max(self.max_panic_pods, desired, desired_in_panic)
            desired = self.max_panic_pods
        if self._delay is not None:
            desired = self._delay.record(now, desired)
        return Decision(desired, self._excess(ready, panic))

    def _limited(self, needed: int, base: int) -> int:
        most, least = ceil(self.spec.max_scale_up_rate * base), floor(base / self.spec.max_scale_down_rate)
        limited = min(max(needed, least), most)
        return max(limited, self.spec.activation_scale) if needed else limited

    def _excess(self, ready: int, panic: float) -> int:
        burst = self.spec.target_burst_capacity
        return floor(ready * self.spec.total_value - burst - panic) if burst > 0 else int(burst)


@dataclass
class ScaleToZero:
    """What becomes of the wish for no pods: Knative's `handleScaleToZero`, and the states it goes by."""

    state: Literal["activating", "active", "inactive"]
    since: float
    """When it came into this state."""
    proxy_since: float | None
    """Since when the activator has been in the path of requests; none if it is not."""
    enabled: bool = True
    stable_window: float = 60
    grace_period: float = 30
    retention_period: float = 0

    def wanted(self, now: float, desired: int) -> tuple[int | None, bool]:
        """How many pods there are to be (none: not known yet), and whether to see to it now."""
        lasted = now - self.since
        if desired:
            return desired, True
        if not self.enabled:
            return 1, True
        if self.state == "activating":
            return None, False
        if self.state == "active":
            return (0, False) if lasted >= self.stable_window else (1, True)
        if lasted < self.retention_period:
            return 0, False
        proxied = 0 if self.proxy_since is None else now - self.proxy_since
        return 0, max(lasted, proxied) >= self.grace_period

    def observe(self, now: float, wanted: int | None, ready: int, excess_burst_capacity: int) -> None:
        """Notes what came of it: the next state, and whether the activator is in the path."""
        if not wanted or excess_burst_capacity < 0:
            self.proxy_since = now if self.proxy_since is None else self.proxy_since
        else:
            self.proxy_since = None
        before = self.state
        if wanted == 0:
            self.state = "inactive"
        elif wanted or self.state != "inactive":
            self.state = "active" if ready else "activating"
        if self.state != before:
            self.since = now


# The policy


@dataclass
class Knative:
    """Knative Pod Autoscaler: pods for the average load of 60 s, or of 6 s in panic, when none is taken away.

    Every `tick_interval`: desired = ceil(average concurrency over `stable_window` / target), within
    floor(ready pods / `max_scale_down_rate`) .. ceil(ready pods * `max_scale_up_rate`), and at least `activation_scale`
    unless 0. The same with the panic window (`panic_window_percentage` of the stable one, in whole seconds): if that
    ceil(...) is at least `panic_threshold_percentage` of the ready pods, it panics until it has not been for
    `stable_window`, and meanwhile wants the largest number it has wanted in this panic. It starts panicking if more
    than one pod is ready. With `scale_down_delay`, the largest number of that time.

    **To zero.** 0 means 1 until the pool has been active for `stable_window`; then it counts as inactive; the last pods
    go once it has been so for `scale_to_zero_pod_retention_period`, and has been so, or the activator (Knative's
    buffer, in the path while ready pods * total - concurrency over the panic window < `target_burst_capacity`; -1:
    always) in the path, for `scale_to_zero_grace_period`. With the default of 211 small pools wait for no grace.

    **Mapping.** Concurrency is `demand`: queued and running tasks. A pod's `containerConcurrency` is `slots_per_pod`;
    `target` can only lower it; that is total, and target is `container_concurrency_target_percentage` of it (a
    percentage of at most 1 is a fraction). Ready pods are those that are not starting. Min and max scale are the
    pool's. Pods with reserved slots stay ready, so by default the number wanted stays at least half of theirs.

    **Differences.** Knative averages buckets of 1 s, in which a missing one counts as 0; this is the mean of the
    samples that the platform's ticks give (12 and 2 of them at 5 s). As in Knative there are none while there is
    neither a ready pod nor a request, so that the first ones after that are not diluted. Left out: requests per second
    as the metric, weighted averages, initial scale, the time after which an activation has failed, unreachable
    revisions, and that the first request at zero brings about a tick of its own.

    Defaults and steps: https://github.com/knative/serving at 98e5ef9 (1.23), pkg/autoscaler/scaling/autoscaler.go,
    pkg/reconciler/autoscaling/kpa/scaler.go and kpa.go, config/core/configmaps/autoscaler.yaml; in words:
    https://knative.dev/docs/serving/autoscaling/kpa-specific/
    """

    target: Annotated[float, Field(ge=TARGET_MIN)] | None = None
    container_concurrency_target_percentage: Annotated[float, Field(gt=0, le=100)] = 70.0
    target_burst_capacity: Annotated[float, Field(ge=-1)] = 211.0
    stable_window: Annotated[Period, Field(ge=6, le=3600)] = 60.0
    panic_window_percentage: Annotated[float, Field(ge=1, le=100)] = 10.0
    panic_threshold_percentage: Annotated[float, Field(ge=110, le=1000)] = 200.0
    max_scale_up_rate: Annotated[float, Field(gt=1)] = 1000.0
    max_scale_down_rate: Annotated[float, Field(gt=1)] = 2.0
    enable_scale_to_zero: bool = True
    scale_to_zero_grace_period: Period = 30.0
    scale_to_zero_pod_retention_period: Duration = 0.0
    scale_down_delay: Duration = 0.0
    activation_scale: Annotated[int, Field(ge=1)] = 1
    tick_interval: Period = 2.0
    _ticks: Cadence = field(init=False, repr=False, compare=False)
    _samples: Samples = field(init=False, repr=False, compare=False)
    _autoscaler: KpaAutoscaler | None = field(default=None, init=False, repr=False, compare=False)
    _to_zero: ScaleToZero = field(init=False, repr=False, compare=False)
    _decision: Decision | None = field(default=None, init=False, repr=False, compare=False)
    _answer: int = field(default=0, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if -1 < self.target_burst_capacity < 0:
            raise ValueError("target_burst_capacity must be at least 0, or -1 for no limit")
        self._ticks = Cadence(self.tick_interval)
        self._samples = Samples(self.stable_window)

    def desired_pods(self, view: PoolView) -> int:
        ready = view.pods - view.starting_pods
        if ready or view.demand:
            self._samples.record(view.time, view.demand)
        if self._ticks.is_due(view.time):
            self._tick(view, ready)
        return self._answer

    def _tick(self, view: PoolView, ready: int) -> None:
        autoscaler = self._autoscaler or self._start(view, ready)
        stable = self._samples.mean(view.time, self.stable_window)
        if stable is not None:
            window = panic_window(self.stable_window, self.panic_window_percentage)
            panic = self._samples.mean(view.time, window) or 0.0
            self._decision = autoscaler.scale(view.time, ready, stable, panic)
        if self._decision is not None:
            wanted, now = self._to_zero.wanted(view.time, max(self._decision.desired, view.min_pods))
            if now and wanted is not None:
                self._answer = wanted
            self._to_zero.observe(view.time, wanted, ready, self._decision.excess_burst_capacity)

    def _start(self, view: PoolView, ready: int) -> KpaAutoscaler:
        total = min(self.target or view.slots_per_pod, float(view.slots_per_pod))
        spec = Spec(
            target_value=target_value(total, self.container_concurrency_target_percentage),
            total_value=total,
            target_burst_capacity=self.target_burst_capacity,
            panic_threshold=self.panic_threshold_percentage / 100,
            max_scale_up_rate=self.max_scale_up_rate,
            max_scale_down_rate=self.max_scale_down_rate,
            stable_window=self.stable_window,
            scale_down_delay=self.scale_down_delay,
            tick_interval=self.tick_interval,
            activation_scale=self.activation_scale,
        )
        self._answer = view.pods
        self._to_zero = ScaleToZero(
            "active",
            since=view.time,
            proxy_since=view.time,
            enabled=self.enable_scale_to_zero,
            stable_window=self.stable_window,
            grace_period=self.scale_to_zero_grace_period,
            retention_period=self.scale_to_zero_pod_retention_period,
        )
        self._autoscaler = KpaAutoscaler(spec, ready, view.time)
        return self._autoscaler
