"""What the columns of a table are, by the names that systems give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

KNOWN: Final[dict[str, tuple[str, ...]]] = {
    "id": ("id", "job_id", "task_id", "run_id", "job", "run", "uuid", "number"),
    "workspace": ("workspace", "workspace_name", "workspace_id", "ws", "repository", "repo", "project", "user"),
    "pool": ("pool", "agent_pool", "pool_name", "agent_pool_name", "queue", "runner_group", "worker_pool", "partition"),
    "type": ("type", "run_type", "task_type", "operation"),
    "execution_mode": ("execution_mode",),
    "status": ("status_final", "conclusion", "status", "state", "final_state", "result", "outcome", "success"),
    "created": ("created_at", "created", "arrive", "arrived_at", "arrival", "submitted_at", "submission_time",
                "submit_time", "submit", "subtime", "queued_at", "enqueued_at", "plan_queued_at", "run_started_at",
                "requested_at", "triggered_at", "scheduled_at", "runnable_at"),
    "plan_started": ("plan_started_at", "planning_at", "plan_start", "started_at", "started", "starting_time",
                     "start_time", "start", "begin", "began", "begin_time"),
    "plan_ended": ("plan_finished_at", "plan_ended_at", "planned_at", "plan_end", "plan_completed_at", "finished_at",
                   "completed_at", "ended_at", "ended", "finish_time", "finishing_time", "finish", "end_time", "end",
                   "updated_at"),
    "confirmed": ("confirmed_at", "apply_confirmed_at", "approved_at", "decided_at", "discarded_at"),
    "apply_started": ("apply_started_at", "applying_at", "apply_start"),
    "apply_ended": ("apply_finished_at", "apply_ended_at", "applied_at", "apply_end", "apply_completed_at"),
    "ended": ("canceled_at", "cancelled_at", "errored_at"),
    "wait": ("waiting_time", "queued_duration", "queue_time", "wait", "wait_time"),
    "plan": ("plan_duration", "duration", "duration_s", "duration_seconds", "run_time", "runtime", "elapsed",
             "execution_time", "execution_time_s"),
}  # fmt: skip
"""What a column may be, and the names that it goes by. Of two that are there the first is taken."""


def guess(columns: Sequence[str]) -> dict[str, str]:
    """Which of the *columns* is what: the keys of `KNOWN` that were found, and the name of the column."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(_plain(column), column)
    found: dict[str, str] = {}
    for role, names in KNOWN.items():
        for name in names:
            if name in by_name and by_name[name] not in found.values():
                found[role] = by_name[name]
                break
    if "created" not in found and "plan_started" in found and "wait" not in found:
        # Nothing says when it was queued: the start is the best there is.
        found["created"] = found["plan_started"]
    return found


def _plain(name: str) -> str:
    """A name as the lists have it: words of `createdAt` or `Created At` with underscores between them."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip().rsplit(".", 1)[-1])
    return re.sub(r"[\s\-]+", "_", spaced).lower()


def in_words(found: dict[str, str]) -> str:
    """What was guessed, in one line."""
    words = {"created": "arrival", "plan_started": "start of the plan", "plan_ended": "end of the plan",
             "confirmed": "decision", "apply_started": "start of the apply", "apply_ended": "end of the apply",
             "ended": "end", "plan": "length of the plan", "wait": "wait for the plan"}  # fmt: skip
    return ", ".join(f"{words.get(role, role.replace('_', ' '))} = {column}" for role, column in found.items())
