"""The control loop: its grid, what it shows the policy, and what it does with the answer (model.md, 3)."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Final

from simpy.events import ProcessGenerator

from sim.model.clock import FAULT, SECOND, TICK, Alarm, Clock, place
from sim.model.creation import Creation
from sim.model.pool import Pod, Pool
from sim.model.record import Record
from sim.model.settings import Settings
from sim.model.tasks import Tasks
from sim.model.waiting import Waiting
from sim.policies.view import Policy, PoolView

if TYPE_CHECKING:
    from sim.model.server import Server


_TICK: Final = place(TICK)


class PolicyError(Exception):
    """A policy did what no policy may: it raised, or answered with something that is not a number of pods."""


class Autoscaler:
    """Asks the policy at every tick that matters, and makes and deletes pods.

    A policy without memory gives the same answer until something changes, and if that answer changed nothing it
    changes nothing again. So after such a tick the loop sleeps until something has changed, and then ticks at the
    next point of its grid. In *literal* mode, and with a policy that may have memory, it ticks at every point.

    Args:
        clock: the time.
        settings: the bounds and the interval.
        policy: what it asks.
        record: where it notes what it did.
        literal: whether to tick at every point of the grid.
    """

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        policy: Policy,
        record: Record,
        literal: bool,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._policy = policy
        self._record = record
        self._may_sleep = not literal and bool(getattr(policy, "stateless", False))
        self._alarm = Alarm(clock, self._due)
        self._interval = settings.autoscaler_interval
        self.is_set = False
        """Whether a tick is to come."""
        self._outdated: dict[int, Pod] = {}

    def attach(self, pool: Pool, creation: Creation, tasks: Tasks, server: Server, waiting: Waiting) -> None:
        """Tell it what it looks at; they in turn have to tell it when they change, so they are made after it."""
        self._pool = pool
        self._creation = creation
        self._tasks = tasks
        self._server = server
        self._waiting = waiting

    def wake(self) -> None:
        """Something has changed: the next point of the grid matters."""
        if not self.is_set:
            self.is_set = True
            now, up_since = self._clock.now, self._server.up_since
            past = (now - up_since) % self._interval
            if past == 0 and now > up_since and self._clock.turn_taken() < _TICK:
                self._alarm.set(now, _TICK)
            else:
                self._alarm.set(now + self._interval - past, _TICK)

    def _due(self, _: Alarm) -> None:
        """The next tick of the control loop."""
        self.is_set = False
        now, up_since = self._clock.now, self._server.up_since
        if self._server.is_down:
            return  # lost; whoever brings it up wakes the loop
        if now == up_since or (now - up_since) % self._interval:
            self.wake()  # was set before a restart, and the grid is another one now
            return
        self._clock.take_turn(_TICK)
        self._tick()
        if not self._may_sleep:
            self.wake()

    def _tick(self) -> None:
        pool, settings, now = self._pool, self._settings, self._clock.now
        before = len(pool.pods)
        self._creation.begin_tick()
        if self._outdated:
            self._rebuild()
        desired = self._ask(self.view())
        pods = len(pool.pods)
        wanted = settings.safeguards.wanted(
            desired,
            (settings.min_pods, settings.max_pods),
            pods,
            pool.in_use,
            pool.reserved + self._tasks.slotless,
            now,
        )
        if wanted == before == pods:
            return
        if wanted > pods and not self._creation.make(wanted - pods):
            self.wake()  # to try again, though nothing may have changed
        for _ in range(wanted, pods):
            pod = pool.newest_idle_pod()
            if pod is None:
                break
            self._delete(pod, "autoscaler")
        after = len(pool.pods)
        if after != before:
            self._record.decision(now, before, desired, after)
            self._waiting.offer()

    def _delete(self, pod: Pod, by: str) -> None:
        self._pool.remove(pod)
        self._record.pod(pod, self._clock.now, by)

    def outdate(self) -> None:
        """The configuration of pods has changed: those that there are have to be rebuilt."""
        self._outdated = dict(self._pool.pods)
        self.wake()

    def _rebuild(self) -> None:
        """Replace the outdated pods whose slots are all idle."""
        self._outdated = {number: pod for number, pod in self._outdated.items() if not pod.gone}
        idle = [pod for pod in self._outdated.values() if not any(slot.state for slot in pod.slots)]
        for pod in idle:
            if not self._settings.safeguards.frozen(self._clock.now) and not self._creation.make(1):
                self.wake()  # no pod goes for which there is no other
                break
            del self._outdated[pod.number]
            self._delete(pod, "config_change")
            self._waiting.offer()

    def freezes(self) -> ProcessGenerator:
        """The process that has the loop look when a freeze begins and ends."""
        for window in self._settings.safeguards.freezes:
            for edge in window:
                yield Alarm(self._clock).set(edge, place(FAULT))
                self.wake()

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
        pods = len(pool.pods)
        slots = pods * settings.slots_per_pod
        starting, running, reserved = pool.starting, pool.running, pool.reserved
        # By position, in the order of its fields: by name it would take three times as long.
        return PoolView(
            self._clock.now / SECOND,
            settings.min_pods,
            settings.max_pods,
            settings.initial_pods,
            settings.slots_per_pod,
            settings.apply_slots,
            pods,
            starting,
            slots,
            running,
            reserved,
            slots - running - reserved,
            pool.idle_ready,
            starting * settings.slots_per_pod,
            pool.idle_apply_ready,
            starting * settings.apply_slots,
            tasks.pending,
            tasks.eligible_plan,
            tasks.eligible_plan_and_apply,
            tasks.slotless,
            tasks.slotless_confirmed,
            settings.dispatch_retry / SECOND,
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
