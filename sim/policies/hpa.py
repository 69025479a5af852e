"""`hpa`: the HorizontalPodAutoscaler of Kubernetes, autoscaling/v2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, with_config
from typing_extensions import TypedDict

from sim.policies.cadence import Cadence
from sim.policies.view import PoolView
from sim.scenario.units import Duration, Period, Ratio

Select = Literal["Max", "Min", "Disabled"]
Kind = Literal["Pods", "Percent"]
PositiveCount = Annotated[int, Field(ge=1)]


class Tolerances(NamedTuple):
    """How far off the ratio of a metric to its target may be."""

    scale_up: float = 0.1
    scale_down: float = 0.1

    def hold(self, ratio: float) -> bool:
        return 1.0 - self.scale_down <= ratio <= 1.0 + self.scale_up


def external_replicas(replicas: int, usage: int, average_value: int, tolerances: Tolerances) -> int:
    """Replicas for an external metric with a target per pod, both in the same unit; *replicas*, if near enough."""
    if replicas and tolerances.hold(usage / (average_value * replicas)):
        return replicas
    return ceil(usage / average_value)


def external_replicas_for_value(current: int, ready: int, usage: int, value: int, tolerances: Tolerances) -> int:
    """Replicas for an external metric with a target for all pods together, both in the same unit.

    Args:
        current: the replicas that are asked for now.
        ready: pods that are ready. The metric's ratio to its target is the factor by which their number changes.
        usage: the metric.
        value: the target.
        tolerances: within these, nothing changes.
    """
    ratio = usage / value
    if current == 0:
        return ceil(ratio)
    return current if tolerances.hold(ratio) else ceil(ratio * ready)


def largest(proposals: Sequence[int | None], current: int) -> int | None:
    """What several metrics recommend together: the largest proposal.

    None if no metric has a figure, or if one has none and the others would remove some of the *current* replicas.
    """
    known = [proposal for proposal in proposals if proposal is not None]
    if not known or (len(known) < len(proposals) and max(known) < current):
        return None
    return max(known)


def resource_replicas(
    current: int, usage: int, request: int, ready: int, unready: int, target: int, tolerances: Tolerances
) -> int | None:
    """Replicas for a resource metric with an average utilisation as target; None if there is no metric.

    Args:
        current: the replicas that are asked for now.
        usage: of all ready pods together.
        request: of one pod, in the same unit.
        ready: pods with a metric.
        unready: pods without. They are left out, but count as idle before anything is scaled up.
        target: in percent of the request.
        tolerances: within these, nothing changes.
    """

    def ratio_over(pods: int) -> float:
        return (100 * usage // (pods * request)) / target

    if not ready:
        return None
    ratio, counted = ratio_over(ready), ready
    if unready and ratio > 1:
        counted += unready
        ratio = ratio_over(counted)
        if ratio < 1:  # counting the unready pods has turned the direction
            return current
    if tolerances.hold(ratio):
        return current
    replicas = ceil(ratio * counted)
    return max(current, replicas) if counted > ready else replicas


@dataclass(frozen=True)
class ScalingPolicy:
    """How much may change within `period` seconds."""

    type: Kind
    value: int
    period: float


@dataclass(frozen=True)
class ScalingRules:
    """What `behavior` says of one direction."""

    policies: tuple[ScalingPolicy, ...]
    stabilization_window: float = 0.0
    select_policy: Select = "Max"


class ScaleEvent(NamedTuple):
    """A recommendation, or by how much the replicas were changed, and when."""

    value: int
    time: float


SCALE_UP = ScalingRules((ScalingPolicy("Percent", 100, 15), ScalingPolicy("Pods", 4, 15)))
SCALE_DOWN = ScalingRules((ScalingPolicy("Percent", 100, 15),), 300)


def store(records: list[ScaleEvent], new: ScaleEvent, window: float) -> None:
    """Keep *new*, in the place of the last record that is older than *window* if there is one."""
    old = [index for index, record in enumerate(records) if record.time < new.time - window]
    if old:
        records[old[-1]] = new
    else:
        records.append(new)


def changed(events: Sequence[ScaleEvent], period: float, now: float) -> int:
    """The replicas added, or removed, within the last *period* seconds."""
    return sum(event.value for event in events if event.time > now - period)


class Controller:
    """What the controller does with a recommendation, and what it remembers for that.

    Args:
        up: `behavior.scaleUp`.
        down: `behavior.scaleDown`.
    """

    def __init__(self, up: ScalingRules = SCALE_UP, down: ScalingRules = SCALE_DOWN) -> None:
        self.up = up
        self.down = down
        self.recommendations: list[ScaleEvent] = []
        self.ups: list[ScaleEvent] = []
        self.downs: list[ScaleEvent] = []

    def reconcile(self, now: float, current: int, recommended: int | None, minimum: int, maximum: int) -> int:
        """One sync: the replicas to ask for, where *current* are asked for and the metric recommends *recommended*."""
        if not self.recommendations:
            self.recommendations.append(ScaleEvent(current, now))
        if current == 0 and minimum != 0:
            return 0  # zero that the HPA did not set means that autoscaling is switched off
        desired = min(max(current, minimum), maximum)
        if desired == current and recommended is not None:
            desired = self.limited(now, current, self.stabilized(now, current, recommended), minimum, maximum)
        if desired > current:
            store(self.ups, ScaleEvent(desired - current, now), max(policy.period for policy in self.up.policies))
        elif desired < current:
            store(self.downs, ScaleEvent(current - desired, now), max(policy.period for policy in self.down.policies))
        return desired

    def stabilized(self, now: float, current: int, recommended: int) -> int:
        """*current*, moved no further than all recommendations of the windows agree on; *recommended* is kept."""
        up, down = self.up.stabilization_window, self.down.stabilization_window
        lowest = min([recommended, *(value for value, time in self.recommendations if time > now - up)])
        highest = max([recommended, *(value for value, time in self.recommendations if time > now - down)])
        store(self.recommendations, ScaleEvent(recommended, now), max(up, down))
        return min(max(current, lowest), highest)

    def limited(self, now: float, current: int, desired: int, minimum: int, maximum: int) -> int:
        """*desired*, as far as the scaling policies and the bounds allow it."""
        if desired > current:
            return min(desired, maximum, max(current, self.limit(now, current, self.up, 1)))
        if desired < current:
            return max(desired, minimum, min(current, self.limit(now, current, self.down, -1)))
        return desired

    def limit(self, now: float, current: int, rules: ScalingRules, sign: int) -> int:
        """The last number of replicas, upwards (*sign* 1) or downwards (-1), that the scaling policies allow."""
        if rules.select_policy == "Disabled":
            return current
        limits = []
        for policy in rules.policies:
            start = current - changed(self.ups, policy.period, now) + changed(self.downs, policy.period, now)
            share = start * (1 + sign * policy.value / 100)
            if policy.type == "Pods":
                limits.append(start + sign * policy.value)
            else:  # away from the present number, so that a small share of few replicas is still one
                limits.append(ceil(share) if sign > 0 else int(share))
        return max(limits) if (sign > 0) == (rules.select_policy == "Max") else min(limits)


class PlainHpa:
    """What the controller does with a recommendation for an HPA without `behavior`: it stabilizes and limits otherwise.

    Args:
        window: seconds; the controller's --horizontal-pod-autoscaler-downscale-stabilization.
    """

    def __init__(self, window: float = 300.0) -> None:
        self.window = window
        self.recommendations: list[ScaleEvent] = []

    def reconcile(self, now: float, current: int, recommended: int | None, minimum: int, maximum: int) -> int:
        """One sync: the replicas to ask for, where *current* are asked for and the metric recommends *recommended*."""
        if not self.recommendations:
            self.recommendations.append(ScaleEvent(current, now))
        if current == 0 and minimum != 0:
            return 0  # zero that the HPA did not set means that autoscaling is switched off
        if not minimum <= current <= maximum:
            return min(max(current, minimum), maximum)
        if recommended is None:
            return current
        return max(minimum, min(self.stabilized(now, recommended), max(2 * current, 4), maximum))

    def stabilized(self, now: float, recommended: int) -> int:
        """The highest recommendation of the window, upwards as well; *recommended* is kept."""
        highest = max([recommended, *(value for value, time in self.recommendations if time >= now - self.window)])
        store(self.recommendations, ScaleEvent(recommended, now), self.window)
        return highest


# The policy

Length = Literal["queued", "demand", "unfinished"]


def length_in(view: PoolView, length: Length) -> int:
    """Tasks that wait; or those and running ones; or those and the ones that hold a reserved slot."""
    return {"queued": view.queued, "demand": view.demand, "unfinished": view.demand + view.reserved}[length]


@with_config(extra="forbid")
class Metric(TypedDict, total=False):
    """One entry of an HPA's `metrics`: what is measured, and one of three targets."""

    length: Length
    average_value: Annotated[float, Field(ge=0.001)]
    value: Annotated[float, Field(ge=0.001)]
    average_utilization: PositiveCount


TARGETS = ("average_value", "value", "average_utilization")


def _policies(*choices: tuple[Kind, int | None, float]) -> tuple[ScalingPolicy, ...]:
    return tuple(ScalingPolicy(kind, value, period) for kind, value, period in choices if value is not None)


@dataclass
class Hpa:
    """Kubernetes' HorizontalPodAutoscaler: metric over target, tolerance, stabilisation windows, scaling policies.

    Every `interval` (the sync period) a metric recommends a number of pods:

    - `external`: an external metric with an AverageValue target, ceil(demand / `average_value`), by default as many
      tasks as a pod has slots. Starting pods count as pods.
    - `utilization`: like a Resource metric, ceil(ready pods * utilisation / `average_utilization`), utilisation being
      the running and reserved slots of the ready pods in whole percent. Starting pods are not ready: they are left
      out, but count as idle ones before anything is scaled up. Without a ready pod nothing changes.

    `metrics` is a list in place of these, of which the largest recommendation counts, for example `[{length: queued,
    value: 20}, {average_utilization: 70}]`. Each has one target: `average_value` or `value` of the tasks that `length`
    says (`queued`, `demand`, which is the default, or `unfinished`: those and reserved slots), or
    `average_utilization`. With `value` the ready pods change by the factor metric / `value`. A metric without a figure
    is left out, and then no pod is removed.

    A ratio within the tolerances changes nothing. Of the recommendations of a stabilization window that one counts
    which changes least; the first is the number of pods there are. Then the scaling policies of the direction limit
    the change per period; select_policy says which of them.

    `min_pods` is minReplicas. 0 means HPAScaleToZero, to zero and from it, with `external` only: with `utilization`
    the API refuses it, and 1 is taken instead. The controller scales from zero only what it scaled to zero itself
    (condition ScaledToZero): with `scaled_to_zero: false` a pool that starts with 0 pods counts as switched off by
    hand, and stays so. A pool that starts below `min_pods` does not, as the platform makes `min_pods` itself. What was
    asked for last counts as the current replicas, even if the platform could not delete that many pods.

    With `behavior: none` it is an HPA whose specification has no `behavior` at all, which is another algorithm: the
    highest recommendation of `scale_down_stabilization_window` counts (the controller's flag, 300 s), upwards, too, and
    a step is limited to max(2 * replicas, 4). The scaling policies are not looked at then.

    Defaults are the documented ones (`average_utilization` 80; for tolerance the controller's flag). Left out: several
    policies of one type, Pods and Object metrics, pods whose metric is missing, the CPU initialization period, and
    the delay of metrics (`view_delay` in a scenario's `control`).

    Sources: kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, and pkg/controller/podautoscaler/
    {horizontal,replica_calculator}.go of github.com/kubernetes/kubernetes (master, as in omerap12/kubernetes@a769d588).
    """

    metric: Literal["external", "utilization"] = "external"
    average_value: Annotated[float, Field(ge=0.001)] | None = None
    average_utilization: PositiveCount = 80
    interval: Period = 15.0
    scale_up_tolerance: Ratio = 0.1
    scale_up_stabilization_window: Duration = 0.0
    scale_up_select_policy: Select = "Max"
    scale_up_percent: PositiveCount | None = 100
    scale_up_percent_period: Period = 15.0
    scale_up_pods: PositiveCount | None = 4
    scale_up_pods_period: Period = 15.0
    scale_down_tolerance: Ratio = 0.1
    scale_down_stabilization_window: Duration = 300.0
    scale_down_select_policy: Select = "Max"
    scale_down_percent: PositiveCount | None = 100
    scale_down_percent_period: Period = 15.0
    scale_down_pods: PositiveCount | None = None
    scale_down_pods_period: Period = 15.0
    behavior: Literal["given", "none"] = "given"
    metrics: list[Metric] | None = None
    scaled_to_zero: bool = True
    _controller: Controller | PlainHpa = field(init=False, repr=False, compare=False)
    _cadence: Cadence = field(init=False, repr=False, compare=False)
    _replicas: int | None = field(init=False, repr=False, compare=False, default=None)
    _switched_off: bool = field(init=False, repr=False, compare=False, default=False)

    def __post_init__(self) -> None:
        if self.metrics == []:
            raise ValueError("expected at least one of metrics, or none of the list")
        for metric in self._metrics(slots_per_pod=1):
            targets = [target for target in TARGETS if target in metric]
            if len(targets) != 1 or ("average_utilization" in metric and "length" in metric):
                raise ValueError(
                    "expected each of the metrics to have one target: average_value or value (of a length), or "
                    "average_utilization"
                )
        up = _policies(
            ("Percent", self.scale_up_percent, self.scale_up_percent_period),
            ("Pods", self.scale_up_pods, self.scale_up_pods_period),
        )
        down = _policies(
            ("Percent", self.scale_down_percent, self.scale_down_percent_period),
            ("Pods", self.scale_down_pods, self.scale_down_pods_period),
        )
        for direction, policies in (("scale_up", up), ("scale_down", down)):
            if not policies:
                raise ValueError(f"expected {direction}_percent or {direction}_pods, even if its policy is Disabled")
        if self.behavior == "none":
            self._controller = PlainHpa(self.scale_down_stabilization_window)
        else:
            self._controller = Controller(
                ScalingRules(up, self.scale_up_stabilization_window, self.scale_up_select_policy),
                ScalingRules(down, self.scale_down_stabilization_window, self.scale_down_select_policy),
            )
        self._cadence = Cadence(self.interval)

    def desired_pods(self, view: PoolView) -> int:
        metrics = self._metrics(view.slots_per_pod)
        external = any("average_utilization" not in metric for metric in metrics)
        minimum = view.min_pods if external else max(view.min_pods, 1)
        if self._replicas is None:
            self._replicas = max(view.pods, minimum)
            self._switched_off = self._replicas == 0 and not self.scaled_to_zero
        if self._cadence.is_due(view.time) and not self._switched_off:
            recommended = largest([self._proposal(metric, view) for metric in metrics], self._replicas)
            self._replicas = self._controller.reconcile(view.time, self._replicas, recommended, minimum, view.max_pods)
        return self._replicas

    @property
    def unchanged_until(self) -> float:
        return self._cadence.next

    def _metrics(self, slots_per_pod: int) -> Sequence[Metric]:
        if self.metrics is not None:
            return self.metrics
        if self.metric == "external":
            return [{"average_value": self.average_value or slots_per_pod}]
        return [{"average_utilization": self.average_utilization}]

    def _proposal(self, metric: Metric, view: PoolView) -> int | None:
        """The replicas that one metric recommends; None if it has no figure. Lengths are in thousandths, as there."""
        assert self._replicas is not None
        tolerances = Tolerances(self.scale_up_tolerance, self.scale_down_tolerance)
        ready = view.pods - view.starting_pods
        usage = 1000 * length_in(view, metric.get("length", "demand"))
        if "average_value" in metric:
            return external_replicas(view.pods, usage, round(1000 * metric["average_value"]), tolerances)
        if "value" in metric:
            value = round(1000 * metric["value"])
            return external_replicas_for_value(self._replicas, ready, usage, value, tolerances)
        busy = view.running + view.reserved
        target = metric["average_utilization"]
        return resource_replicas(
            self._replicas, busy, view.slots_per_pod, ready, view.starting_pods, target, tolerances
        )
