"""`arc`: GitHub's actions-runner-controller, in its current mode of runner scale sets."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Annotated, ClassVar

from pydantic import Field

from sim.policies.view import PoolView


def desired_runners(assigned: int, min_runners: int, max_runners: int | None) -> int:
    """How many runners a scale set wants.

    Args:
        assigned: jobs that are assigned to it, waiting and running ones.
        min_runners: runners that are to be idle on top of those.
        max_runners: runners there may be in all, if there is a limit.
    """
    wanted = min_runners + assigned
    return wanted if max_runners is None else min(wanted, max_runners)


@dataclass(frozen=True)
class Arc:
    """GitHub ARC runner scale set: a runner for each assigned job, and `min_runners` idle ones.

    Runners are slots: pods = ceil(min(`min_runners` + assigned jobs, `max_runners`) / `slots_per_pod`). Assigned jobs
    are `demand`: queued and running tasks. (Where a job waits for a human GitHub has not given it a runner yet, so a
    reserved slot is none.) Defaults: `min_runners` 0, no `max_runners` other than the pool's `max_pods`. The pool's
    `min_pods` are a lower bound of all pods, not of idle ones.

    The listener acts on every message of GitHub's, which here means at every tick.

    ARC makes a runner for one job and does away with it afterwards. A pool is like that with `ephemeral: true` and
    `slots_per_pod: 1`, and jobs get a runner at once with `dispatch: notify`: the shipped scenario `like-arc` has all
    three. Otherwise runners stay and serve further jobs.

    Left out: ARC takes idle runners away only when nothing happened between two messages and it is at `min_runners`.
    Here the platform takes away idle pods whenever fewer are wanted.

    Sources: https://github.com/actions/actions-runner-controller at 2ee6b3b (gha-runner-scale-set 0.14.2),
    cmd/ghalistener/scaler/scaler.go (up to 0.13 cmd/ghalistener/worker/worker.go), and
    docs/adrs/2023-11-02-min-runners-semantics.md.
    """

    stateless: ClassVar[bool] = True

    min_runners: Annotated[int, Field(ge=0)] = 0
    max_runners: Annotated[int, Field(ge=0)] | None = None

    def __post_init__(self) -> None:
        if self.max_runners is not None and self.max_runners < self.min_runners:
            raise ValueError("max_runners must be at least min_runners")

    def desired_pods(self, view: PoolView) -> int:
        return ceil(desired_runners(view.demand, self.min_runners, self.max_runners) / view.slots_per_pod)
