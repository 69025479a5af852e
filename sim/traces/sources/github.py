"""`github`: jobs of GitHub Actions, as the API gives them (`{"jobs": [...]}` pages, lists, JSON lines).

| event | field of a job |
|---|---|
| created | `created_at` |
| plan started, ended | `started_at`; `completed_at` |
| status | `conclusion`, or `status` where there is none yet |
| pool | `runner_group_name`, where a job ran |

A job is a plan: it has no human and no apply. A skipped job never asks for a runner, and is left out.

Source: docs.github.com/rest/actions/workflow-jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.traces.events import Account
from sim.traces.sources.objects import at, frame_of, seconds, without

if TYPE_CHECKING:
    import pandas as pd


def events_of(objects: Sequence[Any], account: Account, source: str, timezone: str | None = None) -> pd.DataFrame:
    """The events in pages of jobs, or in jobs.

    Raises:
        InputError: one of them is no job.
    """
    jobs: list[Any] = []
    for each in objects:
        pages = at(each, "jobs")
        jobs.extend(pages if isinstance(pages, list) else [each])
    asked = without(jobs, lambda job: at(job, "conclusion") == "skipped", "jobs that were skipped", account)
    rows = [_event(job, f"{source}: job {number}", timezone) for number, job in asked]
    return frame_of(rows, account)


def _event(job: Any, where: str, timezone: str | None) -> dict[str, Any]:
    if not isinstance(job, dict):
        raise InputError(where, "", f"found {shown(job)}, expected a job")
    completed = seconds(job.get("completed_at"), where, "completed_at", timezone)
    started = seconds(job.get("started_at"), where, "started_at", timezone)
    return {
        "id": job.get("id"),
        "pool": job.get("runner_group_name") or None,
        "type": "plan",
        "status": job.get("conclusion") or job.get("status"),
        "created": seconds(job.get("created_at"), where, "created_at", timezone) or started,
        "plan_started": started,
        "plan_ended": completed,
        "ended": completed,
    }
