"""`keda-jobs`: a KEDA ScaledJob, which makes jobs and never takes one away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from sim.policies.cadence import Cadence
from sim.policies.hpa import Length, length_in
from sim.policies.view import PoolView
from sim.scenario.units import Period, Ratio

# The core: ScaledJobs in KEDA's own terms


class Jobs(NamedTuple):
    """What a strategy is told."""

    max_scale: int
    """Jobs the queue asks for, at most `max_replica_count`."""
    running: int
    """Jobs that have not ended, pending ones included, less `minReplicaCount`."""
    pending: int
    """Those of them whose pod does not run yet."""
    max_replica_count: int
    """Jobs there may be, less `minReplicaCount`."""


Strategy = Callable[[Jobs], int]
"""From the jobs there are to how many may be made now; nothing is made if that is below 1."""


def default_strategy(jobs: Jobs) -> int:
    """For a queue whose length includes what jobs are working on."""
    return jobs.max_scale - jobs.running


def custom_strategy(queue_length_deduction: int, running_job_percentage: float) -> Strategy:
    """Deducts a constant and a share of the running jobs. The maximum only limits what is made at once."""

    def strategy(jobs: Jobs) -> int:
        deducted = queue_length_deduction + int(jobs.running * running_job_percentage)
        return min(jobs.max_scale - deducted, jobs.max_replica_count)

    return strategy


def accurate_strategy(jobs: Jobs) -> int:
    """For a queue whose length leaves out what jobs are working on."""
    if jobs.max_scale + jobs.running - jobs.pending > jobs.max_replica_count:
        return jobs.max_replica_count - jobs.running
    return jobs.max_scale - jobs.pending


def eager_strategy(jobs: Jobs) -> int:
    """One for everything that waits, as far as there is room. Pending jobs take room twice, being running ones too."""
    return min(jobs.max_replica_count - jobs.running - jobs.pending, jobs.max_scale)


def jobs_to_make(
    strategy: Strategy,
    queue_length: float,
    target: float,
    running: int,
    pending: int,
    min_replica_count: int,
    max_replica_count: int,
    activation: float = 0,
) -> int:
    """How many jobs KEDA makes at one look.

    Args:
        strategy: one of the above.
        queue_length: the metric.
        target: what one job is for of it.
        running: jobs that have not ended.
        pending: those of them whose pod does not run yet.
        min_replica_count: jobs there are at least, in addition to those that the queue asks for.
        max_replica_count: jobs there are at most, those included; not below *min_replica_count*.
        activation: up to here the queue counts as empty.
    """
    if running < min_replica_count:
        return min_replica_count - running
    if queue_length <= activation:
        return 0
    room = max_replica_count - min_replica_count
    max_scale = ceil(min(queue_length / target, room))
    may = strategy(Jobs(max_scale, running - min_replica_count, pending, room))
    # A target below 1 asks for more jobs than there are messages; only `eager` makes them.
    asked = room if strategy is eager_strategy else ceil(queue_length)
    return max(0, min(asked, may))


# The policy


@dataclass
class KedaJobs:
    """KEDA ScaledJob: new pods for what waits in the queue, by one of four strategies; idle pods end.

    Every `polling_interval`, with max_scale = ceil(min(metric / queue_length, max)), as many new pods as

    - `default`: max_scale - running
    - `custom`: min(max_scale - custom_scaling_queue_length_deduction
      - int(running * custom_scaling_running_job_percentage), max); without a percentage it is `default`
    - `accurate`: max_scale - pending, or max - running if max_scale + running - pending > max
    - `eager`: min(max - running - pending, max_scale)

    but none while the metric is at most `activation_queue_length`. max is `max_pods - min_pods`, and `min_pods` is
    deducted from running, for KEDA has `minReplicaCount` jobs in addition to what the queue asks for.

    **Jobs and pods.** A job is a pod. It takes `slots_per_pod` tasks at once, which is why that is the default of
    `queue_length`, and further ones as slots fall free, like a job that reads a queue until it is empty. Running jobs
    are all pods, pending ones the starting pods. To end is the jobs' own affair, not KEDA's. With `ephemeral: true` and
    `slots_per_pod: 1` in the pool each job ends with its task, as most do: the shipped scenario `like-keda-jobs` has a
    pool like that. Without it, at each tick at which nothing is queued and no pod is starting, all pods that are idle
    throughout end, down to `min_pods`. (While something is queued, an idle pod is one that the dispatcher has not come
    to yet. And while pods are starting the platform would take those first, so an idle one stays.)

    **The metric** is `queued` tasks, `demand` (queued and running) or `unfinished` (those and reserved slots). In KEDA
    it depends on the trigger whether messages that are being worked on count, and so does which strategy fits. The
    default is `unfinished` for `default` and `custom`, which deduct the jobs that hold such messages (a reserved slot
    holds one: it keeps its pod from ending), and `queued` for `accurate` and `eager`.

    Left out: several triggers, rollout, the history of ended jobs, pendingPodConditions (of a pod it is only known
    whether it is starting), and that Kubernetes replaces a deleted pod of a job (its tasks have failed). `custom` may
    ask for more than `max_pods`, as in KEDA; here the platform does not allow it.

    Sources, KEDA 2.20.2: https://keda.sh/docs/2.20/reference/scaledjob-spec/ and
    https://github.com/kedacore/keda/blob/v2.20.2/pkg/scaling/executor/scale_jobs.go. They differ in the condition of
    `accurate`, where the documentation has no `- pending`; the code, which has it since 2.19, is followed.
    """

    queue_length: Annotated[float, Field(gt=0)] | None = None
    strategy: Literal["default", "custom", "accurate", "eager"] = "default"
    custom_scaling_queue_length_deduction: int | None = None
    custom_scaling_running_job_percentage: Ratio | None = None
    activation_queue_length: Annotated[float, Field(ge=0)] = 0
    metric: Length | None = None
    polling_interval: Period = 30.0
    _polling: Cadence = field(init=False, repr=False, compare=False)
    _made_jobs: bool = field(init=False, repr=False, compare=False, default=False)

    def __post_init__(self) -> None:
        custom = self.custom_scaling_queue_length_deduction, self.custom_scaling_running_job_percentage
        if self.strategy != "custom" and custom != (None, None):
            raise ValueError("custom_scaling_... parameters need strategy: custom")
        self._polling = Cadence(self.polling_interval)

    def desired_pods(self, view: PoolView) -> int:
        new = self._new(view) if self._polling.is_due(view.time) else 0
        self._made_jobs = new > 0
        if new or view.queued or view.starting_pods:
            return view.pods + new
        return ceil((view.running + view.reserved) / view.slots_per_pod)

    @property
    def unchanged_until(self) -> float:
        return 0.0 if self._made_jobs else self._polling.next

    def _new(self, view: PoolView) -> int:
        waiting_only = self.strategy in ("accurate", "eager")
        return jobs_to_make(
            self._strategy(),
            queue_length=length_in(view, self.metric or ("queued" if waiting_only else "unfinished")),
            target=self.queue_length or view.slots_per_pod,
            running=view.pods,
            pending=view.starting_pods,
            min_replica_count=view.min_pods,
            max_replica_count=view.max_pods,
            activation=self.activation_queue_length,
        )

    def _strategy(self) -> Strategy:
        percentage = self.custom_scaling_running_job_percentage
        if self.strategy == "custom" and percentage is not None:
            return custom_strategy(self.custom_scaling_queue_length_deduction or 0, percentage)
        return {"accurate": accurate_strategy, "eager": eager_strategy}.get(self.strategy, default_strategy)
