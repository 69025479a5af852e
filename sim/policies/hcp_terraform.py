"""`hcp-terraform`: the agent pool autoscaling of HashiCorp's operator for HCP Terraform."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import Annotated

from pydantic import Field

from sim.policies.cadence import Cadence
from sim.policies.view import PoolView
from sim.scenario.units import Duration, Period

# The core: the autoscaling in the operator's own terms


@dataclass(frozen=True)
class Cooldown:
    """How long after a scaling event, in either direction, there is no other. In seconds."""

    period: float = 300.0
    scale_up: float | None = None
    scale_down: float | None = None

    def seconds(self, current: int, desired: int) -> float:
        """What holds for a step from *current* to *desired*."""
        if desired > current and self.scale_up is not None:
            return self.scale_up
        # The operator takes the period for scaling down for both ways if there is no other one for scaling up.
        return self.period if self.scale_down is None else self.scale_down


def desired_replicas(required: int, min_replicas: int, max_replicas: int) -> int:
    """What is required, within the bounds; the lower one counts for more."""
    return max(min(required, max_replicas), min_replicas)


def may_scale(cooldown: Cooldown, current: int, desired: int, since_last: float | None) -> bool:
    """Whether the step may be taken, *since_last* seconds after the last scaling event, of which full ones count."""
    return since_last is None or int(since_last) >= cooldown.seconds(current, desired)


# The policy


@dataclass
class HcpTerraform:
    """HCP Terraform operator: an agent for each run that needs one now, with a cooldown between changes.

    Every `agent_pool_sync_period` the replicas are set to the number of runs that an agent could work on, within
    `min_replicas .. max_replicas`. After any change there is none for `cooldown_period_seconds`; or for
    `scale_down_seconds` if they are given, but for `scale_up_seconds`, if they are, where the step is upwards. (So
    `scale_down_seconds` alone hold for both ways. That is how the operator does it, if not how it is documented.)

    **Runs.** In the operator they are the plan-only runs and the workspaces with another run, except those that are
    pending, that is behind another run of their workspace, or wait for a user (planned, cost estimated, policy
    checked and so on). Here that is `demand`: pending tasks that are eligible, confirmed ones without a slot and
    running ones. A slot that is reserved is no demand, and the room it takes is not made good: in HCP Terraform a run
    that waits for its user holds no agent.

    **Replicas.** An agent works on one run at a time, so it is a slot, and a replica is a pod of `slots_per_pod`
    agents: ceil(runs / slots_per_pod) replicas are required. The bounds are in pods, and those of the pool if not
    given (the operator has no default). As a Deployment does, the policy holds the number set last in between.

    **A pool like theirs** has `slots_per_pod: 1`, `reservation_ttl: 0s` (without it a slot stays reserved while the
    human thinks, and its pod stays for hours), `dispatch: notify`, and `scale_down: kill` with a `termination_grace` of
    15 m: the shipped scenario `like-hcp-terraform`.

    Left out: targetWorkspaces (deprecated), the counting of workspaces for Terraform Enterprise before v202409-1, and
    that further events than the sync period make the operator look.

    Source: https://github.com/hashicorp/hcp-terraform-operator, v2.12.0: docs/agentpool.md,
    api/v1alpha2/agentpool_types.go and internal/controller/agentpool_controller_autoscaling.go.
    """

    min_replicas: Annotated[int, Field(ge=0)] | None = None
    max_replicas: Annotated[int, Field(ge=0)] | None = None
    cooldown_period_seconds: Duration = 300.0
    scale_up_seconds: Duration | None = None
    scale_down_seconds: Duration | None = None
    agent_pool_sync_period: Period = 30.0
    _syncs: Cadence = field(init=False, repr=False, compare=False)
    _replicas: int | None = field(init=False, repr=False, compare=False, default=None)
    _last_event: float | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        low, high = self.min_replicas, self.max_replicas
        if low is not None and high is not None and low > high:
            raise ValueError(f"min_replicas is {low}, expected at most max_replicas, which is {high}")
        self._syncs = Cadence(self.agent_pool_sync_period)

    def desired_pods(self, view: PoolView) -> int:
        if self._replicas is None:
            self._replicas = view.initial_pods
        if self._syncs.is_due(view.time):
            desired = desired_replicas(
                ceil(view.demand / view.slots_per_pod),
                view.min_pods if self.min_replicas is None else self.min_replicas,
                view.max_pods if self.max_replicas is None else self.max_replicas,
            )
            cooldown = Cooldown(self.cooldown_period_seconds, self.scale_up_seconds, self.scale_down_seconds)
            since_last = None if self._last_event is None else view.time - self._last_event
            if desired != self._replicas and may_scale(cooldown, self._replicas, desired, since_last):
                self._replicas = desired
                self._last_event = view.time
        return self._replicas

    @property
    def unchanged_until(self) -> float:
        return self._syncs.next
