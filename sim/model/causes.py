"""Why confirmed tasks wait for their apply."""

from __future__ import annotations

from sim.model.server import Server
from sim.model.task import Task
from sim.runs.codes import AGENT_OFFLINE, NO_SLOT, POD_STARTING, POLLING, REPLANNING, SERVER_DOWN


def split_waits(server: Server, duration: int) -> None:
    """For *duration* nanoseconds nothing will change. They go to what each confirmed task waits for now."""
    for task in server.tasks.awaiting_apply:
        task.waits[_cause(server, task)] += duration


def _cause(server: Server, task: Task) -> int:
    """What the task waits for; the first that is true of it counts."""
    pool = server.pool
    if server.is_down:
        return SERVER_DOWN
    if not task.is_confirmed:
        return REPLANNING
    slot = pool.slot_of(task) or pool.free_slot(task)
    if slot is not None:
        return AGENT_OFFLINE if slot.pod.is_offline else POLLING
    return POD_STARTING if any(not pod.is_ready for pod in pool.pods) else NO_SLOT
