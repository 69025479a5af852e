"""`swf`: the Standard Workload Format of the Parallel Workloads Archive.

| event | field |
|---|---|
| created | 2, submit time (seconds) |
| plan started | submit time + 3, wait time |
| plan ended | start + 4, run time |
| status | 11: 1 completed, 0 failed, 5 canceled |
| workspace, pool | every job has its own workspace; 15, the queue, if there is more than one |

A value of -1 says that it is not known. Jobs are plans: they have no human and no apply. Processors are not looked at:
a job takes one slot. Source: www.cs.huji.ac.il/labs/parallel/workload/swf.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.traces.events import EVENTS, NAMES, Account
from sim.traces.table import Table

if TYPE_CHECKING:
    import pandas as pd


def events_of(table: Table, account: Account, timezone: str | None = None) -> pd.DataFrame:
    """The events in a Standard Workload file.

    Raises:
        InputError: a field is no number.
    """
    import numpy as np
    import pandas as pd

    def numbers(field: str) -> pd.Series[float]:
        cells = table.frame[field]
        found = pd.to_numeric(cells, errors="coerce")
        if found.isna().any():
            raise table.mistake(int(np.argmax(found.isna().to_numpy())), field, "a number")
        return found.astype(float).where(found >= 0)

    created, wait, run = numbers("submit"), numbers("wait"), numbers("run")
    processors = numbers("processors")
    if (processors > 1).any():
        most = int(processors.max())
        account.notes.append(f"Jobs ran on up to {most} processors each; here every job takes one slot.")
    frame = pd.DataFrame({event: np.full(len(table), np.nan) for event in EVENTS})
    frame["created"] = created
    frame["plan_started"] = created + wait
    frame["plan_ended"] = created + wait + run
    frame["ended"] = frame.plan_ended
    for name in NAMES:
        frame[name] = pd.Series([None] * len(table), dtype=object)
    frame["id"] = table.frame.job
    frame["type"] = "plan"
    status = table.frame.status.astype(str)
    frame["status"] = status.map({"1": "done", "0": "errored", "5": "canceled"}).astype(object).fillna("done")
    if table.frame.queue.nunique() > 1:
        frame["pool"] = "queue-" + table.frame.queue.astype(str)
    return frame
