"""What a run did, as a trace: the tasks with all that was drawn for them, and when things happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.results.result_base import ResultBase
from sim.runs.codes import EXECUTION_MODES, PLAN_RESULTS
from sim.runs.inputs import Times
from sim.runs.time import NEVER, SECOND
from sim.scenario import InputError
from sim.scenario.errors import shown
from sim.world.world import World

if TYPE_CHECKING:
    import pandas as pd

_RECORDED = ("plan_started", "plan_ended", "confirmed", "apply_started", "apply_ended", "ended")


def as_trace(result: ResultBase, label: str | None = None, replication: int = 0) -> pd.DataFrame:
    """One run as a trace, with the columns of `sim.traces.columns`, in order of arrival.

    A scenario with this trace and the settings of the run gives the same run again.

    Args:
        result: has the run.
        label: of the policy, by default the first: when things happened (`recorded_*`) depends on it.
        replication: which world.

    Raises:
        InputError: there is no such run.
    """
    import pandas as pd

    label = result.labels[0] if label is None else label
    if label not in result.labels:
        raise InputError("", "policy", f"found {shown(label)}, expected one of: {', '.join(result.labels)}")
    if not 0 <= replication < result.replications:
        raise InputError("", "replication", f"found {replication}, expected a number below {result.replications}")
    tasks = World(result.scenario, replication).tasks
    mine = result.tasks
    mine = mine[(mine.policy == label) & (mine.replication == replication)].reset_index(drop=True)
    there = tasks.arrive != NEVER
    if int(there.sum()) != len(mine):
        raise InputError("", "", "found results that this version would not give, expected ones that it has written: "
                                 "run the scenario again")  # fmt: skip

    def seconds(times: Times) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.where(times[there] == NEVER, np.nan, times[there] / SECOND)

    applies = tasks.applies[there]
    confirm = np.where(applies, seconds(tasks.confirm), np.nan)
    frame = pd.DataFrame(
        {
            "id": mine.task_id,
            "workspace": mine.workspace.astype(str),
            "pool": mine.pool,
            "type": mine.type,
            "execution_mode": [EXECUTION_MODES[code] for code in tasks.execution_mode[there]],
            "plan_result": [PLAN_RESULTS[code] for code in tasks.plan_result[there]],
            "decision": np.where(applies & tasks.discards[there], "discard", "confirm"),
            "apply_result": np.where(applies & tasks.apply_fails[there], "error", "ok"),
            "arrive": seconds(tasks.arrive),
            "plan": seconds(tasks.plan),
            "confirm": confirm,
            "apply": np.where(np.isnan(confirm), np.nan, seconds(tasks.apply)),
            "cancel": seconds(tasks.cancel),
            **{f"recorded_{name}": mine[f"{name}_at"] for name in _RECORDED},
        }
    )
    return frame.sort_values("arrive", kind="stable", ignore_index=True)
