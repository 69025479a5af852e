"""`arc-busy`: GitHub's actions-runner-controller in its legacy mode, by the percentage of busy runners."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, inf, nan
from typing import Annotated, Literal

from pydantic import Field

from sim.policies.cadence import Cadence
from sim.policies.view import PoolView
from sim.scenario.units import Duration, Period, Share

# The core: the HorizontalRunnerAutoscaler in ARC's own terms

SCALE_UP_FACTOR = 1.3
SCALE_DOWN_FACTOR = 0.7


@dataclass(frozen=True)
class PercentageRunnersBusy:
    """The metric's settings. An adjustment other than 0 takes the place of the factor."""

    scale_up_threshold: float = 0.8
    scale_down_threshold: float = 0.3
    scale_up_factor: float = SCALE_UP_FACTOR
    scale_down_factor: float = SCALE_DOWN_FACTOR
    scale_up_adjustment: int = 0
    scale_down_adjustment: int = 0

    def suggested(self, desired_before: int, busy: int) -> int | None:
        """How many runners the metric suggests; none if that would be none.

        The share is of the runners that were desired, not of those that there are.
        """
        # As Go divides: at no runners no threshold is reached, unless some are busy all the same.
        share = busy / desired_before if desired_before else inf if busy else nan
        if share >= self.scale_up_threshold:
            up = desired_before + self.scale_up_adjustment
            suggested = up if self.scale_up_adjustment else ceil(desired_before * self.scale_up_factor)
        elif share < self.scale_down_threshold:
            down = desired_before - self.scale_down_adjustment
            suggested = down if self.scale_down_adjustment else int(desired_before * self.scale_down_factor)
        else:
            suggested = desired_before
        return suggested if suggested > 0 else None


@dataclass
class RunnerAutoscaler:
    """Bounds what is suggested, and holds back from fewer runners for a while after there became more."""

    scale_down_delay: float
    """That while, in seconds."""
    desired: int | None = None
    """What it wanted last; none if it has wanted nothing yet."""
    last_scale_out: float | None = None
    """When it last wanted more than before."""

    def decide(self, now: float, suggested: int | None, min_replicas: int, max_replicas: int) -> int:
        """How many runners there are to be from *now* on; `min_replicas` if nothing is suggested."""
        new = min_replicas if suggested is None else max(min_replicas, min(suggested, max_replicas))
        before, last = self.desired, self.last_scale_out
        if before is not None and last is not None and new <= before and last + self.scale_down_delay > now:
            new = before
        # Its first number counts as more than before, even where there were runners.
        if new > (1 if before is None else before):
            self.last_scale_out = now
        self.desired = new
        return new


# The policy


@dataclass
class ArcBusy:
    """GitHub ARC, legacy: 1.3 times the runners when 80 % of them are busy, 0.7 times when fewer than 30 % are.

    Every `sync_period`, with busy = busy runners / runners desired so far:

    - busy >= `scale_up_threshold`: ceil(desired * `scale_up_factor`), or desired + `scale_up_adjustment` if that is set
    - busy < `scale_down_threshold`: int(desired * `scale_down_factor`), or desired - `scale_down_adjustment`
    - otherwise: desired

    within the bounds, and not fewer than before until `scale_down_delay_seconds_after_scale_out` after there were
    last to be more. If that gives 0, it is the lower bound; or with `queued_and_in_progress` (the secondary metric
    TotalNumberOfQueuedAndInProgressWorkflowRuns, which only then counts) the queued and running tasks. Without it, or
    `min_pods`, the pool stays at 0 once it is there, as in ARC. With `metric: queued_and_in_progress` the queued and
    running tasks are the only metric: what ARC asks for where runners are ephemeral (`ephemeral: true` in the pool).

    Runners are slots: pods = ceil(runners / `slots_per_pod`), and the bounds are the slots of `min_pods` and of
    `max_pods`. It starts from the slots there are. A runner is busy if it can take no other task: running and reserved
    slots.

    Defaults are those of the code, 80 % among them; the examples of the documentation say 75 %. Its very first decision
    counts as one for more, so nothing is taken away for 10 minutes after it. Left out: webhooks, scheduled overrides,
    busy runners that are terminating, and that ARC looks again at once after it has changed the number.

    Sources: https://github.com/actions/actions-runner-controller at 2ee6b3b, docs/automatically-scaling-runners.md, and
    autoscaling.go and horizontalrunnerautoscaler_controller.go of controllers/actions.summerwind.net.
    """

    scale_up_threshold: Share = 0.8
    scale_down_threshold: Share = 0.3
    scale_up_factor: Annotated[float, Field(ge=1)] = SCALE_UP_FACTOR
    scale_down_factor: Share = SCALE_DOWN_FACTOR
    scale_up_adjustment: Annotated[int, Field(ge=0)] = 0
    scale_down_adjustment: Annotated[int, Field(ge=0)] = 0
    scale_down_delay_seconds_after_scale_out: Duration = 600.0
    queued_and_in_progress: bool = False
    sync_period: Period = 60.0
    metric: Literal["percentage_runners_busy", "queued_and_in_progress"] = "percentage_runners_busy"
    _metric: PercentageRunnersBusy = field(init=False, repr=False, compare=False)
    _autoscaler: RunnerAutoscaler = field(init=False, repr=False, compare=False)
    _syncs: Cadence = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.scale_up_adjustment and self.scale_up_factor != SCALE_UP_FACTOR:
            raise ValueError("scale_up_adjustment and scale_up_factor cannot be given together")
        if self.scale_down_adjustment and self.scale_down_factor != SCALE_DOWN_FACTOR:
            raise ValueError("scale_down_adjustment and scale_down_factor cannot be given together")
        self._metric = PercentageRunnersBusy(
            self.scale_up_threshold,
            self.scale_down_threshold,
            self.scale_up_factor,
            self.scale_down_factor,
            self.scale_up_adjustment,
            self.scale_down_adjustment,
        )
        self._autoscaler = RunnerAutoscaler(self.scale_down_delay_seconds_after_scale_out)
        self._syncs = Cadence(self.sync_period)

    def desired_pods(self, view: PoolView) -> int:
        desired = view.slots if self._autoscaler.desired is None else self._autoscaler.desired
        if self._syncs.is_due(view.time):
            suggested = None
            if self.metric == "percentage_runners_busy":
                suggested = self._metric.suggested(desired, view.running + view.reserved)
            if suggested is None and (self.queued_and_in_progress or self.metric == "queued_and_in_progress"):
                suggested = view.demand
            least, most = view.min_pods * view.slots_per_pod, view.max_pods * view.slots_per_pod
            desired = self._autoscaler.decide(view.time, suggested, least, most)
        return ceil(desired / view.slots_per_pod)

    @property
    def unchanged_until(self) -> float:
        return self._syncs.next
