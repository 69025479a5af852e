"""The control loop: its grid, what it shows the policy, and what it does with the answer (model.md, 3)."""

from __future__ import annotations

from math import isnan, nan
from numbers import Real
from operator import index
from typing import TYPE_CHECKING, Final

from sim.model.clock import FAULT, NEVER, SECOND, TICK, Alarm, Clock, seconds
from sim.model.creation import Creation
from sim.model.errors import PolicyError
from sim.model.pool import Pod, Pool
from sim.model.record import Record
from sim.model.settings import Settings
from sim.model.tasks import Tasks
from sim.model.waiting import Waiting
from sim.policies.view import Policy, PoolView

if TYPE_CHECKING:
    from sim.model.server import Server


_ANSWERS: Final = 10_000
"""How many of a policy's answers to keep."""

_ROUNDING: Final = 1000
"""Nanoseconds by which a policy's sum of times in seconds may be wrong."""


class Autoscaler:
    """Asks the policy at every tick that matters, and makes and deletes pods.

    A policy without memory gives the same answer until something changes, and if that answer changed nothing it
    changes nothing again. So after such a tick the loop sleeps until something else happens, whatever it is, and then
    ticks at the next point of its grid. With a policy that has memory it sleeps no longer than the policy says that its
    answer is unchanged. In *literal* mode it ticks at every point.

    Args:
        clock: the time.
        settings: the bounds and the interval.
        policy: what it asks.
        pool: what it looks at, with *tasks*; and where pods go.
        creation: makes pods.
        tasks: see *pool*.
        server: whether it is down, and since when it is not.
        waiting: told when pods have come or gone.
        record: where it notes what it did.
        literal: whether to tick at every point of the grid.
    """

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        policy: Policy,
        pool: Pool,
        creation: Creation,
        tasks: Tasks,
        server: Server,
        waiting: Waiting,
        record: Record,
        literal: bool,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._policy = policy
        self._pool = pool
        self._creation = creation
        self._tasks = tasks
        self._server = server
        self._waiting = waiting
        self._record = record
        self._literal = literal
        self._stateless = bool(getattr(policy, "stateless", False))
        self._alarm = Alarm(self._due)
        self._interval = settings.autoscaler_interval
        self._outdated: dict[int, Pod] = {}
        self._answers: dict[tuple[int, ...], int] = {}

    def begin(self) -> None:
        """Have the loop tick from now on, and look again whenever a freeze begins or ends."""
        self._next_tick(0)
        for window in self._settings.safeguards.freezes:
            for edge in window:
                self._clock.schedule(Alarm(lambda _: None), edge, FAULT)

    def _next_tick(self, earliest: int) -> None:
        """Tick at the first point of the grid that is to come and not before *earliest*."""
        earliest = max(earliest, self._clock.now + 1)
        self._clock.schedule(self._alarm, earliest + (self._server.up_since - earliest) % self._interval, TICK)

    def _due(self, _: Alarm) -> None:
        clock, server = self._clock, self._server
        past = clock.now - server.up_since
        if server.is_down:
            # The grid begins when it comes up.
            clock.schedule(self._alarm, server.back_at + self._interval, TICK)
        elif past == 0 or past % self._interval:
            self._next_tick(0)  # was set before a restart, and the grid is another one now
        else:
            clock.take_turn(TICK)
            is_settled = self._tick()
            earliest = self._asleep_until() if is_settled else 0
            self._next_tick(0 if self._literal else earliest)

    def _asleep_until(self) -> int:
        """After a tick that changed nothing: until when no other tick does."""
        next_at = self._clock.next_at()
        if self._stateless:
            return next_at
        given = getattr(self._policy, "unchanged_until", 0.0)
        try:
            until = float(given) if isinstance(given, Real) else nan
        except Exception:
            until = nan
        if isnan(until):
            problem = f"it said that its answer is unchanged until {_in_words(given)}, expected a time in seconds"
            raise PolicyError(f"at {seconds(self._clock.now):g} s {problem}")
        # A tick too many does no harm, and one too few would if the policy rounds otherwise.
        return min(next_at, int(min(max(until, 0.0), seconds(NEVER)) * SECOND) - _ROUNDING)

    def _tick(self) -> bool:
        """Ask the policy and do what it says; whether it would be the same again if nothing else happened."""
        pool = self._pool
        before = len(pool.pods)
        is_settled = not self._outdated or self._rebuild()
        desired = self._desired()
        pods = len(pool.pods)
        wanted = self._bounded(desired, pods)
        if wanted == before == pods:
            return is_settled
        if wanted > pods:
            is_settled &= self._creation.make(wanted - pods)
        elif wanted < pods:
            for pod in pool.newest_idle_pods(pods - wanted):
                self._delete(pod, "autoscaler")
        after = len(pool.pods)
        if after != before:
            self._record.decision(self._clock.now, before, desired, after)
            self._waiting.offer()
        return is_settled and after == before

    def _bounded(self, desired: int, pods: int) -> int:
        """What becomes of the policy's answer: the pool's bounds, and the platform's safeguards."""
        settings, guards = self._settings, self._settings.safeguards
        if guards.freezes and guards.frozen(self._clock.now):
            return 0  # which only those go for that are not in use
        if guards.warm_pods:
            desired = max(desired, self._pool.in_use + guards.warm_pods)
        if guards.hold_while_apply_pending and (self._pool.reserved or self._tasks.slotless):
            desired = max(desired, pods)
        return min(max(desired, settings.min_pods), settings.max_pods)

    def _delete(self, pod: Pod, by: str) -> None:
        self._pool.remove(pod)
        self._record.pod(pod, self._clock.now, by)

    def outdate(self) -> None:
        """The configuration of pods has changed: those that there are have to be rebuilt."""
        self._outdated = dict(self._pool.pods)

    def _rebuild(self) -> bool:
        """Replace the outdated pods whose slots are all idle; whether nothing of that is left to the next tick."""
        self._outdated = {number: pod for number, pod in self._outdated.items() if not pod.gone}
        idle = [pod for pod in self._outdated.values() if not any(slot.state for slot in pod.slots)]
        for pod in idle:
            if not self._settings.safeguards.frozen(self._clock.now) and not self._creation.make(1):
                break  # no pod goes for which there is no other
            del self._outdated[pod.number]
            self._delete(pod, "config_change")
            self._waiting.offer()
        return not idle

    def _desired(self) -> int:
        """The policy's answer. If it has no memory it is asked once for each state of the pool that it could see."""
        if self._literal or not self._stateless:
            return self._ask(self.view())
        pool, tasks = self._pool, self._tasks
        state = (
            len(pool.pods),
            pool.starting,
            pool.running,
            pool.reserved,
            pool.busy_apply,
            tasks.pending,
            tasks.eligible_plan,
            tasks.eligible_plan_and_apply,
            tasks.slotless,
            tasks.slotless_confirmed,
        )
        desired = self._answers.get(state)
        if desired is None:
            if len(self._answers) >= _ANSWERS:
                self._answers.clear()
            self._answers[state] = desired = self._ask(self.view())
        return desired

    def _ask(self, view: PoolView) -> int:
        try:
            answer = self._policy.desired_pods(view)
        except (Exception, SystemExit, GeneratorExit) as error:
            found = _in_words(error)
            raise PolicyError(f"at {view.time:g} s it raised {found}, expected a number of pods") from error
        if type(answer) is int and answer >= 0:
            return answer
        try:
            desired = None if isinstance(answer, bool) else index(answer)
        except Exception:
            desired = None
        if desired is None or desired < 0:
            found = _in_words(answer)
            raise PolicyError(f"at {view.time:g} s it answered {found}, expected a whole number of at least 0")
        return desired

    def view(self) -> PoolView:
        """What the policy is shown."""
        settings, pool, tasks = self._settings, self._pool, self._tasks
        slots_per_pod, apply_slots = settings.slots_per_pod, settings.apply_slots
        pods, starting, running, reserved = len(pool.pods), pool.starting, pool.running, pool.reserved
        idle = pods * slots_per_pod - running - reserved
        # By position, in the order of its fields: by name it would take three times as long.
        return PoolView(
            seconds(self._clock.now),
            settings.min_pods,
            settings.max_pods,
            settings.initial_pods,
            slots_per_pod,
            apply_slots,
            pods,
            starting,
            pods * slots_per_pod,
            running,
            reserved,
            idle,
            idle - starting * slots_per_pod,
            starting * slots_per_pod,
            (pods - starting) * apply_slots - pool.busy_apply,
            starting * apply_slots,
            tasks.pending,
            tasks.eligible_plan,
            tasks.eligible_plan_and_apply,
            tasks.slotless,
            tasks.slotless_confirmed,
            seconds(settings.dispatch_retry),
        )


def _in_words(found: object) -> str:
    """What a policy answered or raised, in a line that is not long; it may be such that it cannot be written."""
    try:
        if isinstance(found, BaseException):
            words = f"{type(found).__name__}: {found}" if str(found) else type(found).__name__
        else:
            words = repr(found)
    except Exception:
        words = f"something of type {type(found).__name__}"
    return words if len(words) <= 200 else words[:197] + "..."
