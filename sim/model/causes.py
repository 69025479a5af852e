"""Why tasks wait for a slot: for their plan once they are eligible, and for their apply once they are confirmed."""

from __future__ import annotations

from functools import cache

from sim.model.pool import Pool
from sim.model.server import Server
from sim.model.task import Task
from sim.runs.codes import AGENT_OFFLINE, NO_SLOT, POD_STARTING, POLLING, REPLANNING, SERVER_DOWN


def split_waits(server: Server, duration: int) -> None:
    """For *duration* nanoseconds nothing will change. They go to what each task waits for now."""

    @cache  # It is the same for all tasks of one pool and type that have the same number for a random placement.
    def found(pool: int, applies: bool, choice: float) -> int:
        return _cause_without_a_slot(server, server.pools[pool], applies, choice)

    def without_a_slot(task: Task) -> int:
        return found(task.pool, task.applies, server.choice(task))

    for task in server.tasks.awaiting_plan:
        task.plan_waits[without_a_slot(task)] += duration
    for task in server.tasks.awaiting_apply:
        own = _own_cause(server, task)
        task.waits[without_a_slot(task) if own is None else own] += duration


def _own_cause(server: Server, task: Task) -> int | None:
    """What a task that has been confirmed waits for; None if it is what all of them wait for that have no slot."""
    if server.is_down:
        return None
    if not task.is_confirmed:
        return REPLANNING
    reserved = server.slot_of(task)
    if reserved is None:
        return None
    return AGENT_OFFLINE if reserved.pod.is_offline else POLLING


def _cause_without_a_slot(server: Server, pool: Pool, applies: bool, choice: float) -> int:
    """What a task of that type waits for that has no slot; the first that is true counts."""
    if server.is_down:
        return SERVER_DOWN
    found = pool.free_slot(applies, choice)
    if found is not None:
        return AGENT_OFFLINE if found.pod.is_offline else POLLING
    return POD_STARTING if any(not pod.is_ready for pod in pool.pods) else NO_SLOT
