"""`gitlab`: jobs of GitLab CI, as the jobs API gives them (lists, pages in files, or JSON lines).

| event | field of a job |
|---|---|
| created | `started_at` - `queued_duration`: when it could run; `created_at` if it never started |
| plan started, ended | `started_at`; `finished_at`, or `started_at` + `duration` |
| status | `status`: success, failed, canceled, skipped, ... |
| pool | the first of `tag_list`, where jobs have tags |

A job is a plan: it has no human and no apply, and no workspace that could be locked. `created_at` is no arrival, as a
job is created with its pipeline and waits for its stage. Skipped jobs and jobs that wait to be started by hand never
ask for a runner, and are left out.

Source: docs.gitlab.com/api/jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.traces.events import Account
from sim.traces.sources.objects import at, frame_of, number, seconds, without

if TYPE_CHECKING:
    import pandas as pd


def events_of(objects: Sequence[Any], account: Account, source: str, timezone: str | None = None) -> pd.DataFrame:
    """The events in jobs.

    Raises:
        InputError: one of them is no job.
    """
    why = "jobs that were skipped, or never asked for a runner"
    asked = without(objects, lambda job: at(job, "status") in ("skipped", "manual", "created"), why, account)
    rows = [_event(job, f"{source}: job {number}", timezone) for number, job in asked]
    return frame_of(rows, account)


def _event(job: Any, where: str, timezone: str | None) -> dict[str, Any]:
    if not isinstance(job, dict):
        raise InputError(where, "", f"found {shown(job)}, expected a job")
    started = seconds(job.get("started_at"), where, "started_at", timezone)
    finished = seconds(job.get("finished_at"), where, "finished_at", timezone)
    length = number(job.get("duration"), where, "duration")
    queued = number(job.get("queued_duration"), where, "queued_duration")
    created = seconds(job.get("created_at"), where, "created_at", timezone)
    tags = job.get("tag_list")
    return {
        "id": job.get("id"),
        "pool": tags[0] if isinstance(tags, list) and tags else None,
        "type": "plan",
        "status": job.get("status"),
        "created": created if started is None or queued is None else started - queued,
        "plan_started": started,
        "plan_ended": finished if finished is not None or started is None or length is None else started + length,
        "ended": finished,
    }
