"""`batsim`: workloads (JSON) and results (CSV) of the Batsim simulator.

A workload's jobs have `id`, `subtime` (seconds) and a `profile`; a profile of type `delay` says how long it takes,
others (`parallel`, `parallel_homogeneous`) how much work it is, which here counts as one second for each 10^9
operations of its busiest processor unless the job's `walltime` is shorter. A results table (`_jobs.csv`) has
`submission_time`, `starting_time`, `finish_time` and `success`, and is read by these names. Jobs are plans.

Source: batsim.readthedocs.io, input workload and output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.traces.events import EVENTS, NAMES, Account

if TYPE_CHECKING:
    import pandas as pd

OPERATIONS_PER_SECOND = 1e9


def events_of_workload(data: Any, account: Account, source: str) -> pd.DataFrame:
    """The events in a workload: when its jobs arrive and how long they would take.

    Raises:
        InputError: it has no jobs, or one of them has no time or profile.
    """
    import numpy as np
    import pandas as pd

    profiles = data.get("profiles", {})
    if not isinstance(profiles, dict) or not isinstance(data["jobs"], list):
        raise InputError(
            source, "", "found jobs or profiles of another kind, expected a list of jobs and their profiles"
        )
    created, lengths, ids = [], [], []
    worked = 0
    for number, job in enumerate(data["jobs"]):
        submitted = job.get("subtime") if isinstance(job, dict) else None
        if not isinstance(submitted, int | float):
            raise InputError(source, f"jobs[{number}].subtime", f"found {shown(submitted)}, expected seconds")
        length, is_work = _length(job, profiles)
        worked += is_work
        created.append(float(submitted))
        lengths.append(length)
        ids.append(str(job.get("id", number)))
    if worked:
        account.inferred.append(
            f"{worked} jobs have an amount of work in place of a length: one second is taken for each 1e9 operations."
        )
    frame = pd.DataFrame({event: np.full(len(ids), np.nan) for event in EVENTS})
    for name in NAMES:
        frame[name] = pd.Series([None] * len(ids), dtype=object)
    # A workload was never run: the plan is said to begin on arrival, so that its length is known, and nothing more.
    frame["created"], frame["plan_started"] = created, created
    frame["plan_ended"] = frame.created + np.array(lengths, dtype=np.float64)
    frame["id"], frame["type"], frame["status"] = ids, "plan", "done"
    account.ran = False
    account.notes.append("A workload does not say when its jobs began: it cannot be used to calibrate.")
    return frame


def _length(job: dict[str, Any], profiles: dict[str, Any]) -> tuple[float, bool]:
    """How many seconds a job takes (NaN if nothing says), and whether that was concluded from an amount of work."""
    profile = profiles.get(str(job.get("profile")))
    profile = profile if isinstance(profile, dict) else {}
    walltime = job.get("walltime")
    if isinstance(profile.get("delay"), int | float):
        return float(profile["delay"]), False
    work = profile.get("cpu")
    amounts = work if isinstance(work, list) else [work]
    numbers = [float(each) for each in amounts if isinstance(each, int | float)]
    if not numbers:
        return (float(walltime) if isinstance(walltime, int | float) and walltime > 0 else float("nan")), False
    seconds = max(numbers) / OPERATIONS_PER_SECOND
    return (min(seconds, float(walltime)) if isinstance(walltime, int | float) and walltime > 0 else seconds), True
