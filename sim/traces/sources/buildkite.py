"""`buildkite`: builds of Buildkite, as the REST API gives them (lists, pages in files, or JSON lines).

| event | field |
|---|---|
| created | a job's `runnable_at`, or `scheduled_at`, or `created_at` |
| plan started, ended | `started_at`; `finished_at` |
| decided | `unblocked_at` of the block step that follows the job |
| apply started, ended | `started_at` and `finished_at` of the job after the block step |
| workspace | the pipeline's `slug` |
| pool | the `queue=` of `agent_query_rules` |

The script job before a block step and the one after it are one plan_and_apply; every other script job is a plan. Where
nobody unblocked, nobody decided. Waiters and triggers run on no agent and are left out.

Source: buildkite.com/docs/apis/rest-api/builds and /jobs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.traces.events import Account, LeftOut
from sim.traces.sources.objects import at, frame_of, seconds

if TYPE_CHECKING:
    import pandas as pd


def events_of(objects: Sequence[Any], account: Account, source: str, timezone: str | None = None) -> pd.DataFrame:
    """The events in builds.

    Raises:
        InputError: one of them is no build.
    """
    rows: list[dict[str, Any]] = []
    others, applies = 0, 0
    for number, build in enumerate(objects):
        where = f"{source}: build {number}"
        if not isinstance(at(build, "jobs"), list):
            raise InputError(where, "jobs", f"found {shown(at(build, 'jobs'))}, expected the jobs of a build")
        found = list(_tasks(build, where, timezone))
        rows.extend(found)
        scripts = sum(at(job, "type") == "script" for job in build["jobs"])
        others += len(build["jobs"]) - scripts
        applies += scripts - len(found)
    account.read = len(rows) + applies + others
    if others:
        account.left_out.append(LeftOut("block steps, waiters and triggers, which run on no agent", others, "-"))
    if applies:
        what = "jobs after a block step, which are the apply of the job before it and no task of their own"
        account.left_out.append(LeftOut(what, applies, "-"))
    return frame_of(rows, account)


def _tasks(build: dict[str, Any], where: str, timezone: str | None) -> Iterator[dict[str, Any]]:
    """The tasks of a build: a job before a block step waits for its human, and the job after it is its apply."""
    task: dict[str, Any] | None = None
    blocked = False
    for job in build["jobs"]:
        if not isinstance(job, dict):
            raise InputError(where, "jobs", f"found {shown(job)}, expected a job")
        if job.get("type") == "manual" and task is not None and not blocked:
            blocked = True
            task |= {
                "type": "plan_and_apply",
                "confirmed": seconds(job.get("unblocked_at"), where, "unblocked_at", timezone),
            }
            if task["confirmed"] is None and task["status"] in ("passed", "finished"):
                task["status"] = "planned"
        if job.get("type") != "script":
            continue
        started = seconds(job.get("started_at"), where, "started_at", timezone)
        finished = seconds(job.get("finished_at"), where, "finished_at", timezone)
        if task is not None and blocked:
            ended = started is not None
            if ended:
                task |= {"apply_started": started, "apply_ended": finished, "status": job.get("state")}
            yield task
            task, blocked = None, False
            continue
        if task is not None:
            yield task
        given = job.get("agent_query_rules")
        rules = [str(rule) for rule in given] if isinstance(given, list) else []
        created = job.get("runnable_at") or job.get("scheduled_at") or job.get("created_at")
        task = {
            "id": job.get("id"),
            "workspace": at(build, "pipeline", "slug"),
            "pool": next((rule.partition("=")[2] for rule in rules if rule.startswith("queue=")), None),
            "type": "plan",
            "status": job.get("state"),
            "created": seconds(created, where, "runnable_at", timezone),
            "plan_started": started,
            "plan_ended": finished,
            "ended": None,
        }
    if task is not None:
        yield task
