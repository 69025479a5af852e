"""The control loop: its grid, what it shows the policy, and what it does with the answer (model.md, 3)."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING

from simpy.events import ProcessGenerator

from sim.model.clock import NEVER, POD_READY, SECOND, TICK, Alarm, Clock, place
from sim.model.pool import Pod, Pool
from sim.model.record import Record
from sim.model.settings import Circumstances, Settings
from sim.model.tasks import Tasks
from sim.model.waiting import Waiting
from sim.policies.view import Policy, PoolView

if TYPE_CHECKING:
    from sim.model.server import Server


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
        circumstances: how long pods take to start.
        policy: what it asks.
        record: where it notes what it did.
        literal: whether to tick at every point of the grid.
    """

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        circumstances: Circumstances,
        policy: Policy,
        record: Record,
        literal: bool,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._startup = circumstances.startup
        self._policy = policy
        self._record = record
        self._may_sleep = not literal and bool(getattr(policy, "stateless", False))
        self._alarm = Alarm(clock)
        self._is_set = False

    def attach(self, pool: Pool, tasks: Tasks, server: Server, waiting: Waiting) -> None:
        """Tell it what it looks at; they in turn have to tell it when they change, so they are made after it."""
        self._pool = pool
        self._tasks = tasks
        self._server = server
        self._waiting = waiting

    def wake(self) -> None:
        """Something has changed: the next point of the grid matters."""
        if not self._is_set:
            self._is_set = True
            now, interval = self._clock.now, self._settings.autoscaler_interval
            past = (now - self._server.up_since) % interval
            may_tick_now = past == 0 and now > self._server.up_since and self._clock.turn_taken() < place(TICK)
            self._alarm.set(now if may_tick_now else now + interval - past, place(TICK))

    def loop(self) -> ProcessGenerator:
        """The process of the control loop."""
        self.wake()
        while True:
            yield self._alarm.wait()
            self._is_set = False
            now, up_since = self._clock.now, self._server.up_since
            if self._server.is_down:
                continue  # lost; whoever brings it up wakes the loop
            if now == up_since or (now - up_since) % self._settings.autoscaler_interval:
                self.wake()  # was set before a restart, and the grid is another one now
                continue
            self._clock.take_turn(place(TICK))
            self._tick()
            if not self._may_sleep:
                self.wake()

    def _tick(self) -> None:
        before = len(self._pool.pods)
        desired = self._ask(self.view())
        wanted = min(max(desired, self._settings.min_pods), self._settings.max_pods)
        for _ in range(before, wanted):
            self._clock.process(self._life(self._pool.make_pod()))
        for _ in range(wanted, before):
            pod = self._pool.newest_idle_pod()
            if pod is None:
                break
            self._pool.remove(pod)
            self._record.pod(pod, self._clock.now, "autoscaler")
        after = len(self._pool.pods)
        if after != before:
            self._record.decision(self._clock.now, before, desired, after)
            self._waiting.offer()

    def _ask(self, view: PoolView) -> int:
        try:
            answer = self._policy.desired_pods(view)
        except Exception as error:
            found = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise PolicyError(f"at {view.time:g} s it raised {found}, expected a number of pods") from error
        try:
            desired = None if isinstance(answer, bool) else index(answer)
        except TypeError:
            desired = None
        if desired is None or desired < 0:
            raise PolicyError(f"at {view.time:g} s it answered {answer!r}, expected a whole number of at least 0")
        return desired

    def view(self) -> PoolView:
        """What the policy is shown."""
        settings, pool, tasks = self._settings, self._pool, self._tasks
        pods = len(pool.pods)
        slots = pods * settings.slots_per_pod
        return PoolView(
            time=self._clock.now / SECOND,
            min_pods=settings.min_pods,
            max_pods=settings.max_pods,
            initial_pods=settings.initial_pods,
            slots_per_pod=settings.slots_per_pod,
            pods=pods,
            starting_pods=pool.starting,
            slots=slots,
            running=pool.running,
            reserved=pool.reserved,
            idle=slots - pool.running - pool.reserved,
            idle_ready=pool.idle_ready,
            idle_starting=pool.starting * settings.slots_per_pod,
            idle_apply_ready=pool.idle_apply_ready,
            idle_apply_starting=pool.starting * settings.apply_slots,
            pending=tasks.pending,
            eligible_plan=tasks.eligible_plan,
            eligible_plan_and_apply=tasks.eligible_plan_and_apply,
            slotless=tasks.slotless,
            slotless_confirmed=tasks.slotless_confirmed,
        )

    def _life(self, pod: Pod) -> ProcessGenerator:
        """The process of a pod's life up to when its agent has connected; from then on it is slots that live."""
        startup = min(self._startup(pod.number), NEVER)
        yield Alarm(self._clock).set(self._clock.now + startup, place(POD_READY, pod.number))
        if not pod.gone:
            self._pool.make_ready(pod)
            self._waiting.offer()
