"""What an autoscaler may look at, and what it is."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable


class PoolView(NamedTuple):
    """The pool at one tick of the autoscaler. A starting pod counts as a pod, and its slots as idle ones."""

    time: float
    """Seconds since the start."""
    min_pods: int
    max_pods: int
    initial_pods: int
    """The pods there were at time 0."""
    slots_per_pod: int
    apply_slots: int
    """Slots of each pod that take a plan_and_apply."""
    pods: int
    """All pods, starting ones included."""
    starting_pods: int
    slots: int
    """Slots of all pods."""
    running: int
    """Slots on which a task runs."""
    reserved: int
    """Slots reserved for an apply."""
    idle: int
    """Slots that are neither, on ready and on starting pods."""
    idle_ready: int
    """Those of them on ready pods."""
    idle_starting: int
    """Those of them on starting pods."""
    idle_apply_ready: int
    """Idle slots that take a plan_and_apply, on ready pods."""
    idle_apply_starting: int
    """The same on starting pods."""
    pending: int
    """Tasks in state pending, of any type, eligible or not."""
    eligible_plan: int
    """Pending plans that no other task of their workspace is in the way of (model.md, 2.1)."""
    eligible_plan_and_apply: int
    """Pending plan_and_applies, likewise."""
    slotless: int
    """Tasks in state apply_pending for which no slot is reserved."""
    slotless_confirmed: int
    """Those of them that their human has confirmed."""
    dispatch_retry: float = 10.0
    """Seconds between the attempts of a waiting task."""
    running_pods: int = 0
    """Pods with a running slot."""
    occupied_pods: int = 0
    """Pods with a running or a reserved slot."""
    draining_pods: int = 0
    """Pods that have been told to go once they are done. They count nowhere else."""
    unblocked: int = 0
    """Pending tasks before which no task of their workspace, of either type, is short of a final state."""
    unblocked_plan_and_apply: int = 0
    """The plan_and_applies among them."""
    apply_pending: int = 0
    """Tasks in state apply_pending, with and without a slot."""
    apply_pending_elsewhere: int = 0
    """Tasks in state apply_pending that never use the pool's pods. They count nowhere else."""
    starts_at: float = 0.0
    """How many seconds after Monday midnight time 0 is."""

    @property
    def queued(self) -> int:
        """Tasks that could run now and have no slot: what an autoscaler of the field calls the queue's length."""
        return self.eligible_plan + self.eligible_plan_and_apply + self.slotless_confirmed

    @property
    def demand(self) -> int:
        """Slots that are wanted now: `queued` and `running`. A reserved slot waits for a human, and is not wanted."""
        return self.queued + self.running


def at_another_time(view: PoolView, time: float) -> PoolView:
    """The same view, shown at another *time* in seconds."""
    return view._replace(time=time)


@runtime_checkable
class Policy(Protocol):
    """An autoscaler: from what the pool looks like to how many pods it should have.

    A policy may have memory: every run gets a copy of its own. What it says of it saves much time, and changes nothing:

    - `stateless = True` if its answer depends on nothing but the view, and not on the view's `time`. Then it may be
      asked only once for equal views.
    - `unchanged_until`, an attribute or property that is read after each answer: the time in seconds before which it
      would give that answer again as long as nothing but the view's `time` is another; and what it answers later does
      not depend on whether it was asked meanwhile. Without it, it is asked at every tick.
    """

    def desired_pods(self, view: PoolView) -> int:
        """The number of pods there should be. The platform clamps it to `min_pods .. max_pods`."""
        ...
