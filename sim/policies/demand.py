"""`demand`: our proposal. As many pods as waiting tasks need, and no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Annotated

from pydantic import Field

from sim.policies.view import PoolView
from sim.scenario.units import Duration


@dataclass
class Demand:
    """Our proposal: a slot for every task that waits for one or will need one, and no more pods than that takes.

    Every task needs a slot that takes it: `plan_and_apply` and `apply_pending` ones an apply slot. Idle slots, on
    starting pods too, are counted against that, and what is lacking is made at once:

        lack = max(ceil((tasks that need an apply slot - idle apply slots) / apply_slots),
                   ceil((tasks that need any slot      - idle slots)       / slots_per_pod))
        desired = pods + lack

    A negative lack is pods that nobody needs. They are given back once they have not been needed for `keep`.

    A task that is `apply_pending` and has lost its slot counts even before its human confirms: its reservation was
    its claim to a slot, and the pod that replaces it should be there when the human is. `spare` bounds how many slots
    are kept for all such tasks together (null: as many as there are tasks). They confirm one by one, and whoever takes
    the slot has the next one made; without a bound those who never confirm would each keep a slot for ever.

    The platform does not show which pods are silent (model.md, 4). An idle slot that stays idle for `patience`, and for
    three times `dispatch_retry`, while a task that needs one waits is not counted: nobody can reach it.
    """

    keep: Duration = 300.0
    patience: Duration = 30.0
    spare: Annotated[int, Field(ge=0)] | None = 1

    _spare_since: float | None = field(default=None, init=False, repr=False, compare=False)
    _spare_pods: int = field(default=0, init=False, repr=False, compare=False)
    _kept_until: float = field(default=inf, init=False, repr=False, compare=False)
    _stuck: tuple[Stuck, Stuck] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._stuck = (Stuck(), Stuck())

    def desired_pods(self, view: PoolView) -> int:
        desired = view.pods + self._given_back_late(self._lack(view), view.time)
        return min(max(desired, view.min_pods), view.max_pods)

    @property
    def unchanged_until(self) -> float:
        return min(self._kept_until, *(stuck.unchanged_until for stuck in self._stuck))

    def _lack(self, view: PoolView) -> int:
        """How many pods are lacking; below 0: how many there are too many."""
        # Where no slot takes an apply, no pod helps those who need one.
        waiting = view.eligible_plan_and_apply + view.slotless_confirmed if view.apply_slots else 0
        thinking = view.slotless - view.slotless_confirmed if view.apply_slots else 0
        patience = max(self.patience, 3 * view.dispatch_retry)
        apply_stuck = self._stuck[0].slots(view.time, patience, waiting, view.idle_apply_ready)
        any_stuck = self._stuck[1].slots(view.time, patience, waiting + view.eligible_plan, view.idle_ready)
        needs_apply = waiting + (thinking if self.spare is None else min(thinking, self.spare))
        needs_any = needs_apply + view.eligible_plan
        lack = ceil_div(needs_any - (view.idle - max(any_stuck, apply_stuck)), view.slots_per_pod)
        if view.apply_slots:
            idle_apply = view.idle_apply_ready + view.idle_apply_starting - apply_stuck
            lack = max(lack, ceil_div(needs_apply - idle_apply, view.apply_slots))
        return lack

    def _given_back_late(self, lack: int, now: float) -> int:
        """*lack*, but 0 until as many pods have been too many for `keep`."""
        if lack >= 0:
            self._spare_since, self._kept_until = None, inf
            return lack
        if self._spare_since is None:
            self._spare_since, self._spare_pods = now, -lack
        self._spare_pods = min(self._spare_pods, -lack)
        self._kept_until = self._spare_since + self.keep
        if now - self._spare_since < self.keep:
            return 0
        self._spare_since = None
        return -self._spare_pods


class Stuck:
    """How many idle slots nobody can reach: as many as were idle for so long while somebody waited for one.

    Whoever waits asks every `dispatch_retry`, so a slot that could be had would have been taken.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._least = self._stuck = 0
        self.unchanged_until = inf
        """Before when the answer is the same if what is seen is."""

    def slots(self, now: float, patience: float, waiting: int, idle: int) -> int:
        """From what is seen *now*: the tasks *waiting* for a slot of a kind, and the *idle* slots of that kind."""
        if not (waiting and idle):
            self._since, self._stuck, self.unchanged_until = None, 0, inf
            return 0
        if self._since is None:
            self._since, self._least = now, idle
        self._least = min(self._least, idle)
        if now - self._since >= patience:
            self._stuck = self._least
            self._since, self._least = now, idle
        self.unchanged_until = self._since + patience
        return min(self._stuck, idle)


def ceil_div(number: int, by: int) -> int:
    """*number* divided by *by*, rounded up; towards 0 if *number* is negative."""
    return -(-number // by)
