"""The rows of one policy in one replication, with the pods of all pools numbered through, for pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result_base import ResultBase


def waited_until(tasks: pd.DataFrame) -> pd.Series[Any]:
    """When each wait to apply was over: at the start of the apply, or when the task was canceled; NaN if it was not."""
    return tasks.apply_started_at.fillna(tasks.ended_at.where(tasks.state == "canceled"))


class OneRun:
    """The frames of one policy in one replication.

    In `tasks`, `pods`, `reservations` and `incidents` pods have one number through all pools, which is that of the pod
    if there is one pool. `pod_names` says what each is called, and `slots` how many slots it has.

    Args:
        result: has the frames.
        label: the policy.
        replication: which world, from 0.
    """

    def __init__(self, result: ResultBase, label: str, replication: int) -> None:
        def own(frame: pd.DataFrame) -> pd.DataFrame:
            return frame[(frame.policy == label) & (frame.replication == replication)]

        pools = result.scenario.all_pools
        pods = own(result.pods)
        made = [int((pods.pool == name).sum()) for name in pools]
        self._first = dict(zip(pools, np.cumsum([0, *made[:-1]]).tolist(), strict=True))
        self.pods = self._numbered(pods, "pod")
        self.reservations = self._numbered(own(result.reservations), "pod")
        self.incidents = self._numbered(own(result.incidents), "pod")
        self.tasks = self._numbered(self._numbered(own(result.tasks), "plan_pod"), "apply_pod")
        several = len(pools) > 1
        self.pod_names = [
            f"{row.pool} {row.pod}" if several else f"pod {row.pod}" for row in pods.itertuples(index=False)
        ]
        self.slots = [pools[pool].slots_per_pod for pool in pods.pool]

    def _numbered(self, frame: pd.DataFrame, column: str) -> pd.DataFrame:
        first: Any = frame.pool.map(self._first)
        return frame.assign(**{column: frame[column] + first.astype(frame[column].dtype)})
