"""A scenario to start from, written for an imported trace."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from sim.scenario.errors import InputError
from sim.scenario.units import LONGEST
from sim.traces.events import Imported
from sim.traces.moments import zone_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

LATEST = 2e11
"""The latest moment that is written as a date, in seconds since 1970."""

SLOTS_PER_POD, APPLY_SLOTS = 3, 1
"""What a draft assumes of pods, as records do not say it."""

_TEXT = """\
# Drafted by `{command}` from {source}. It runs as it is; what is marked with "check" is not in the records.
name: {name}
description: {kept} tasks recorded from {begin} to {end}.
{start}horizon: {horizon}          # up to the last arrival
drain: 12h             # so that what arrived late can end
{replications}{pools}
control:
  autoscaler_interval: 5s     # check: how often your autoscaler acts
  dispatch: poll              # check: whether waiting tasks poll (poll) or are told (notify)
  dispatch_retry: 10s
  workspace_lock: {lock}

workload:
{workload}

# The first policy is what the others are compared with: put what you run today there. `sim policies` lists them all.
policies: [landed, fixed, demand]

# Only confirmed tasks that wait for their apply cost a waiting_hour; waits to plan cost nothing.
cost: {{pod_hour: 0.40, waiting_hour: 60, currency: EUR}}   # check
slo: {{apply_wait: 60s, plan_wait: 5m}}                     # check: how long tasks may wait

# thresholds:                  # for `sim check`, for example
#   - "demand: apply_wait.p95 < 60s"
#   - "demand: cost.total <= landed"
"""


def draft(imported: Imported, trace: Path, scenario: Path, timezone: str | None = None) -> str:
    """The text of a scenario for the trace that is written to *trace*, to be written to *scenario*."""
    where = os.path.relpath(trace.resolve(), scenario.resolve().parent)
    workload = f"  trace: {json.dumps(where, ensure_ascii=True)}"
    return scenario_text(
        imported.frame, imported.zero, imported.account.source, "sim import", scenario, workload, timezone
    )


def scenario_text(
    frame: pd.DataFrame,
    zero: float,
    source: str,
    command: str,
    scenario: Path,
    workload: str,
    timezone: str | None = None,
    replications: int = 1,
) -> str:
    """The text of a scenario.

    Args:
        frame: the recorded tasks, with the columns of a trace.
        zero: what time 0 is, in seconds since 1970; small numbers are no moment on the calendar.
        source: what the tasks come from.
        command: what drafts it.
        scenario: the file that it is for, whose name becomes the scenario's.
        workload: the lines under `workload:`.
        timezone: in which to write moments; UTC if none is given.
        replications: how many worlds.
    """
    last = float(frame.arrive.max())
    if last > LONGEST or zero > LATEST:
        problem = (
            "found arrivals more than a hundred years apart, or far in the future, expected those of a real system"
        )
        raise InputError(source, "arrive", problem)
    hours = max(ceil((last + 1) / 3600), 1)
    is_calendar = zero > 1e9
    zone = zone_of(timezone or "UTC")
    begin = datetime.fromtimestamp(zero, UTC).astimezone(zone) if is_calendar else None
    end = datetime.fromtimestamp(zero + last, UTC).astimezone(zone) if is_calendar else None
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", scenario.name.partition(".")[0]).strip("-._") or "recorded"
    return _TEXT.format(
        source=json.dumps(Path(source).name or source, ensure_ascii=True),
        name=plain(name[:100]),
        kept=f"{len(frame):,}",
        begin=begin.strftime("%Y-%m-%d %H h %M") if begin else "0 s",
        end=end.strftime("%Y-%m-%d %H h %M") if end else f"{last:.0f} s",
        start=f'start: "{begin.isoformat()}"   # what time 0 is\n' if begin else "",
        horizon=f"{hours}h",
        pools=_pools(frame),
        lock="applies     # check: all, if a plan too waits for earlier tasks of its workspace",
        workload=workload,
        command=command,
        replications=f"replications: {replications}\n" if replications > 1 else "",
    )


def plain(name: str) -> str:
    """A name as YAML, in quotes where it could be read as something else."""
    words = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
    return name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) and name.lower() not in words else json.dumps(name)


def _pools(frame: pd.DataFrame) -> str:
    if "pool" not in frame:
        return f"\npool:\n{_pool(frame, '  ')}"
    blocks = [f"  {plain(str(name))}:\n{_pool(part, '    ')}" for name, part in frame.groupby("pool", sort=True)]
    return "\npools:\n" + "".join(blocks)


def _pool(part: pd.DataFrame, indent: str) -> str:
    here = part[part.execution_mode == "k8s"]
    running, held = most_at_once(here)
    pods = max(ceil(running / SLOTS_PER_POD), ceil(held / APPLY_SLOTS), 2)
    lines = (
        "min_pods: 1            # check",
        f"max_pods: {pods:<12} # check: {running} tasks ran at one time at most, and {held} held a slot for an apply",
        f"slots_per_pod: {SLOTS_PER_POD}       # check",
        f"apply_slots: {APPLY_SLOTS}         # check: how many of a pod's slots take a plan_and_apply",
        "pod_startup: 30s       # check: `sim calibrate --fit pod_startup` looks for it",
    )
    return "".join(f"{indent}{line}\n" for line in lines)


def most_at_once(tasks: pd.DataFrame) -> tuple[int, int]:
    """How many tasks ran at one time at most if none had waited; and how many plan_and_applies held a slot, running or
    waiting for their human.
    """
    import numpy as np

    began = np.where(tasks.recorded_plan_started.notna(), tasks.recorded_plan_started, tasks.arrive)
    ended = began + tasks.plan.to_numpy()
    applies = (tasks.type == "plan_and_apply").to_numpy()
    decided = ended + tasks.confirm.fillna(0).to_numpy()
    applying = applies & tasks["apply"].notna().to_numpy()
    apply_ended = decided + tasks["apply"].fillna(0).to_numpy()
    running = _peak(np.concatenate([began, decided[applying]]), np.concatenate([ended, apply_ended[applying]]))
    held = _peak(began[applies], np.where(applying, apply_ended, decided)[applies])
    return running, held


def _peak(begin: NDArray[np.float64], end: NDArray[np.float64]) -> int:
    import numpy as np

    moments = np.concatenate([begin, end])
    steps = np.concatenate([np.ones(len(begin)), -np.ones(len(end))])
    order = np.lexsort((steps, moments))  # where one ends as another begins, it ends first
    return int(np.cumsum(steps[order]).max(initial=0))
