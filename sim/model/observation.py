"""What the policy is shown of its pool (model.md, 3)."""

from __future__ import annotations

from sim.model.instant import PlatformEnvironment
from sim.model.pod import IDLE, RESERVED, RUNNING
from sim.model.pool import Pool
from sim.model.server import Server
from sim.policies.view import PoolView, at_another_time
from sim.runs.codes import APPLY_PENDING, PENDING
from sim.runs.settings import PlatformSettings
from sim.runs.time import in_seconds


def view_of(env: PlatformEnvironment, settings: PlatformSettings, server: Server, pool: Pool) -> PoolView:
    """The pool as it is now. Draining pods do not count, and neither do tasks that run elsewhere."""
    config, tasks = pool.config, server.tasks
    mine = [task for task in tasks.open if task.pool == pool.number]
    here = [task for task in mine if not task.elsewhere]
    pending = [task for task in here if task.state == PENDING]
    eligible = [task for task in pending if tasks.is_eligible(task)]
    unblocked = [task for task in pending if tasks.is_unblocked(task)]
    apply_pending = [task for task in here if task.state == APPLY_PENDING]
    with_slot = {slot.task for slot in pool.slots}
    slotless = [task for task in apply_pending if task not in with_slot]
    counted = pool.counted
    ready = [pod for pod in counted if pod.is_ready]
    starting = len(counted) - len(ready)
    slots = [slot for pod in counted for slot in pod.slots]
    idle_ready = sum(slot.state == IDLE for pod in ready for slot in pod.slots)
    return PoolView(
        time=in_seconds(env.now),
        min_pods=config.min_pods,
        max_pods=config.max_pods,
        initial_pods=config.initial_pods,
        slots_per_pod=config.slots_per_pod,
        apply_slots=config.apply_slots,
        pods=len(counted),
        starting_pods=starting,
        slots=len(slots),
        running=sum(slot.state == RUNNING for slot in slots),
        reserved=sum(slot.state == RESERVED for slot in slots),
        idle=idle_ready + starting * config.slots_per_pod,
        idle_ready=idle_ready,
        idle_starting=starting * config.slots_per_pod,
        idle_apply_ready=sum(pod.idle_applies for pod in ready),
        idle_apply_starting=starting * config.apply_slots,
        pending=len(pending),
        eligible_plan=sum(not task.applies for task in eligible),
        eligible_plan_and_apply=sum(task.applies for task in eligible),
        slotless=len(slotless),
        slotless_confirmed=sum(task.is_confirmed for task in slotless),
        dispatch_retry=in_seconds(settings.dispatch_retry),
        running_pods=sum(pod.has(RUNNING) for pod in counted),
        occupied_pods=sum(pod.has(RUNNING, RESERVED) for pod in counted),
        draining_pods=len(pool.pods) - len(counted),
        unblocked=len(unblocked),
        unblocked_plan_and_apply=sum(task.applies for task in unblocked),
        apply_pending=len(apply_pending),
        apply_pending_elsewhere=sum(task.elsewhere and task.state == APPLY_PENDING for task in mine),
        starts_at=settings.starts_at,
    )


class DelayedViews:
    """What the policy would have been shown earlier: with `view_delay` it is shown that.

    Args:
        delay: how old a view has to be at least, in nanoseconds.
        first: the view of the pool at time 0, which is shown as long as no tick is so long ago.
    """

    def __init__(self, delay: int, first: PoolView) -> None:
        self._delay = delay
        self._ticks: list[tuple[int, PoolView]] = [(0, first)]

    def shown(self, now: int, view: PoolView) -> PoolView:
        """What to show at the tick at the time *now*, at which the pool looks like *view*."""
        self._ticks.append((now, view))
        while len(self._ticks) > 1 and self._ticks[1][0] <= now - self._delay:
            del self._ticks[0]
        return at_another_time(self._ticks[0][1], view.time)
