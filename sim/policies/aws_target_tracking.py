"""`aws-target-tracking`: target tracking of AWS Auto Scaling, as far as AWS says how it works."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Annotated, Literal

from pydantic import Field

from sim.policies.cadence import Cadence
from sim.policies.view import PoolView
from sim.scenario.units import Duration, Period, Share

Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Configuration:
    """A target tracking policy, and the two alarms that AWS makes for it."""

    target_value: float
    min_capacity: int
    max_capacity: int
    disable_scale_in: bool = False
    scale_out_cooldown: float = 300.0
    scale_in_cooldown: float = 300.0
    high_datapoints: int = 3
    low_datapoints: int = 15
    low_share: float = 0.9
    scale_in_step: int | None = 1


def capacity_for(instances: int, metric: float, target_value: float) -> int:
    """Instances that bring the metric to its target, rounded up: the safe side in either direction."""
    return ceil(round(instances * metric / target_value, 9))  # 15.000000000000002 is 15


class TargetTracking:
    """The state of the alarms and of the cooldowns."""

    def __init__(self) -> None:
        self._high = 0  # latest datapoints in a row that breach
        self._low = 0
        self._scale_out_until = -inf
        self._scale_in_until = -inf
        self._instances_before = 0

    def observe(
        self, now: float, metric: float | None, instances: int, warming: int, desired: int, config: Configuration
    ) -> int:
        """The desired capacity after one more datapoint.

        Args:
            now: seconds.
            metric: average over the *instances*; None if there are no data.
            instances: in service, warmed up.
            warming: on their way there.
            desired: the desired capacity so far.
            config: of the policy.
        """
        if metric is None:  # alarms without data leave the capacity alone
            self._high = self._low = 0
            return desired
        self._high = self._high + 1 if metric > config.target_value else 0
        self._low = self._low + 1 if metric < config.low_share * config.target_value else 0
        if self._high >= config.high_datapoints:
            return self._scaled_out(now, metric, instances, desired, config)
        if self._low >= config.low_datapoints and not config.disable_scale_in and not warming:
            return self._scaled_in(now, metric, instances, desired, config)
        return desired

    def _scaled_out(self, now: float, metric: float, instances: int, desired: int, config: Configuration) -> int:
        cooling = now < self._scale_out_until
        if cooling:  # what was just added counts towards what is to be added
            instances = min(instances, self._instances_before)
        capacity = min(capacity_for(instances, metric, config.target_value), config.max_capacity)
        if capacity <= desired:
            return desired
        self._instances_before = instances
        self._scale_out_until = now + config.scale_out_cooldown
        self._scale_in_until = -inf
        return capacity

    def _scaled_in(self, now: float, metric: float, instances: int, desired: int, config: Configuration) -> int:
        capacity = max(capacity_for(instances, metric, config.target_value), config.min_capacity)
        if config.scale_in_step is not None:
            capacity = max(capacity, desired - config.scale_in_step)
        if now < self._scale_in_until or capacity >= desired:
            return desired
        self._scale_in_until = now + config.scale_in_cooldown
        return capacity


@dataclass
class AwsTargetTracking:
    """AWS target tracking, an APPROXIMATION: alarms on a metric; out in proportion to it, in step by step.

    AWS does not publish the algorithm. What it documents, or others saw, is put together here:

    - Every `interval` there is a datapoint, the average of a metric. AlarmHigh: the last 3 are above `target_value`.
      AlarmLow: the last 15 are below 90 % of it. An alarm acts at each datapoint for as long as it lasts.
    - Out: to ceil(instances * metric / target_value). During `scale_out_cooldown` what was added last counts as part
      of that, so only a larger scale-out adds something.
    - In: not below ceil(instances * metric / target_value), not while pods start or warm up, not during
      `scale_in_cooldown`, which a scale-out ends. "More gradually" is read as `scale_in_step` pods at a time, as users
      report it (none: all at once).

    Metrics, each over the ready pods that are `estimated_instance_warmup` old:

    - `utilization`: running and reserved slots in percent of the slots of ready pods; target 50, the documentation's
      example. Without such a pod there are no data and nothing changes: a pool at 0 pods stays there.
    - `backlog_per_instance`: queued tasks per pod, AWS' advice for SQS; target `slots_per_pod`. Without such a pod the
      queue is taken as that of one, where AWS' formula divides by 0.

    Cooldowns are those of Application Auto Scaling (ECS services and others); an EC2 group has none, but a warm-up of
    300 s by default: set those for it. How long a pod has been ready cannot be seen; as many count as warmed up as
    there were ready ones throughout that time. Also assumed: the latest datapoint is what the proportion is taken of.
    AWS does not let one set the alarms' parameters; here they can be, to try out what hangs on them. Left out: several
    policies, the delay of metrics, and what EC2 adapts by itself since November 2024.

    Sources, on docs.aws.amazon.com/autoscaling: application/userguide/target-tracking-scaling-policy-overview.html and
    ec2/userguide/{as-scaling-target-tracking,as-using-sqs-queue,ec2-auto-scaling-default-instance-warmup}.html; for the
    datapoints github.com/aws/copilot-cli/issues/4233, for the steps github.com/aws/containers-roadmap/issues/1150.
    """

    metric: Literal["utilization", "backlog_per_instance"] = "utilization"
    target_value: Annotated[float, Field(gt=0)] | None = None
    interval: Period = 60.0
    disable_scale_in: bool = False
    scale_out_cooldown: Duration = 300.0
    scale_in_cooldown: Duration = 300.0
    estimated_instance_warmup: Duration = 0.0
    scale_in_step: Count | None = 1
    alarm_high_datapoints: Count = 3
    alarm_low_datapoints: Count = 15
    alarm_low_share: Share = 0.9
    _tracking: TargetTracking = field(init=False, repr=False, compare=False, default_factory=TargetTracking)
    _cadence: Cadence = field(init=False, repr=False, compare=False)
    _ready: deque[tuple[float, int]] = field(init=False, repr=False, compare=False, default_factory=deque)
    _samples: list[float] = field(init=False, repr=False, compare=False, default_factory=list)
    _desired: int | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        self._cadence = Cadence(self.interval)

    def desired_pods(self, view: PoolView) -> int:
        instances = self._warmed_up(view)
        sample = self._sample(view, instances)
        if sample is not None:
            self._samples.append(sample)
        if self._desired is None:
            self._desired = min(max(view.pods, view.min_pods), view.max_pods)
            self._cadence.is_due(view.time)  # the first period begins
        elif self._cadence.is_due(view.time):
            datapoint = sum(self._samples) / len(self._samples) if self._samples else None
            self._samples.clear()
            warming = view.pods - instances
            self._desired = self._tracking.observe(
                view.time, datapoint, max(instances, 1), warming, self._desired, self._configuration(view)
            )
        return self._desired

    def _warmed_up(self, view: PoolView) -> int:
        self._ready.append((view.time, view.pods - view.starting_pods))
        while self._ready[0][0] < view.time - self.estimated_instance_warmup:
            self._ready.popleft()
        return min(ready for _, ready in self._ready)

    def _sample(self, view: PoolView, instances: int) -> float | None:
        if self.metric == "backlog_per_instance":
            return view.queued / max(instances, 1)
        if not instances:
            return None
        return 100 * (view.running + view.reserved) / (view.slots_per_pod * (view.pods - view.starting_pods))

    def _configuration(self, view: PoolView) -> Configuration:
        usual = 50.0 if self.metric == "utilization" else float(view.slots_per_pod)
        return Configuration(
            self.target_value or usual,
            view.min_pods,
            view.max_pods,
            self.disable_scale_in,
            self.scale_out_cooldown,
            self.scale_in_cooldown,
            self.alarm_high_datapoints,
            self.alarm_low_datapoints,
            self.alarm_low_share,
            self.scale_in_step,
        )
