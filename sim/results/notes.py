"""What a reader of the figures has to be told, because the figures themselves do not show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sim.experiment.spec import Run
from sim.runs.record import Columns
from sim.runs.time import NEVER, SECOND
from sim.scenario import Scenario
from sim.statistics.task_waits import blocked_by, blocked_waits
from sim.traces.recording import recording_of
from sim.world.names import Names

UNEQUAL = "The policies do not finish equally many"

WORTH_SAYING = 0.1
"""The share of the horizon for which a workspace has to be blocked to be named."""


def late_arrivals(scenario: Scenario) -> Iterator[str]:
    """Tasks that are in the scenario or its trace and arrive too late to be simulated."""
    recording, listed = recording_of(scenario), scenario.workload.tasks
    if recording is not None and scenario.workload.trace is not None and scenario.workload.trace.resample is not None:
        return
    if recording is not None:
        arrivals = recording.columns["arrive"]
    elif listed is not None:
        arrivals = np.array([task.arrive for task in listed])
    else:
        return
    late = int(np.count_nonzero(arrivals >= scenario.horizon))
    if late:
        hours, last = scenario.horizon / 3600, float(np.max(arrivals)) / 3600
        yield (
            f"{late:,} of {len(arrivals):,} tasks do not arrive before the horizon ({hours:g} h) and are left out; "
            f"the last arrives at {last:,.1f} h."
        )


@dataclass(frozen=True, slots=True)
class _Blocker:
    """A task that nobody decided, and what it kept from running."""

    blocked: int
    index: int
    workspace: int
    run: Run


def undecided_blockers(scenario: Scenario, runs: Sequence[Run], names: Names) -> Iterator[str]:
    """Workspaces that wait for more than a tenth of the horizon for a task that nobody decided; the worst is named."""
    found = [blocker for run in runs for blocker in _blockers(run, scenario)]
    if not found:
        return
    worst = max(found, key=lambda blocker: blocker.blocked)
    tasks = sum(blocker.blocked for blocker in found) / len(runs)
    workspace = names.workspaces[worst.workspace] if names.workspaces is not None else f"ws-{worst.workspace + 1}"
    task = worst.index if names.ids is None else names.ids[worst.index]
    share = f"{tasks:,.3g}" if len(runs) > 1 else f"{int(tasks):,}"
    yield (
        f"{share} tasks{' per run' if len(runs) > 1 else ''} never became eligible, as an earlier task of their "
        f"workspace was planned and nobody decided on it. The worst: task {task} of workspace {workspace} kept "
        f"{worst.blocked} others from running (under {worst.run.label}). They wait for that task, and for no slot."
    )


def _blockers(run: Run, scenario: Scenario) -> Iterator[_Blocker]:
    tasks = run.record.tasks
    by = blocked_by(tasks, scenario.control.workspace_lock == "all")
    blocked = np.flatnonzero(blocked_waits(tasks, round(scenario.end * SECOND)).censored & (by >= 0))
    rows, counts = np.unique(by[blocked], return_counts=True)
    for row, count in zip(rows.tolist(), counts.tolist(), strict=True):
        if _is_undecided(tasks, row, scenario):
            yield _Blocker(count, int(tasks["index"][row]), int(tasks["workspace"][row]), run)


def _is_undecided(tasks: Columns, row: int, scenario: Scenario) -> bool:
    """Whether the task's plan ended long before the horizon, and nobody has decided on it since."""
    waited = round(scenario.horizon * SECOND) - int(tasks["plan_ended_at"][row])
    return int(tasks["confirmed_at"][row]) == NEVER and waited > WORTH_SAYING * scenario.horizon * SECOND


def unequal_work(completed: dict[str, float], tasks: float) -> Iterator[str]:
    """Policies that finish so few tasks that the waits of those which they did finish cannot be compared."""
    most = max(completed.values(), default=0.0)
    fewer = [label for label, count in completed.items() if most - count > 0.01 * tasks]
    if fewer:
        told = ", ".join(f"{label} {count:,.0f}" for label, count in completed.items())
        yield (
            f"{UNEQUAL} of the {tasks:,.0f} tasks: {told}. The waits of a policy that "
            "finishes fewer leave out those who never got so far."
        )
