"""Which part of a long run a timeline shows, and what there is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result_base import ResultBase

PODS = 12
"""A timeline shows no more pods of one policy than this."""

SPANS = 250
"""A timeline shows no more runs of tasks of one policy than about this; where there are more, it shows less time."""


@dataclass(frozen=True)
class TimeWindow:
    """From when to when a timeline shows, in seconds, and whether that is less than the whole run."""

    begin: float
    end: float
    horizon: float

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.begin <= 0 and self.end >= self.horizon

    def cuts(self, frame: pd.DataFrame, begin: str, end: str) -> pd.DataFrame:
        """The rows of *frame* whose span, from column *begin* to column *end* (NaN: for good), is partly in it."""
        return frame[(frame[begin] < self.end) & ~(frame[end] <= self.begin)]


def worst_time_window(result: ResultBase, replication: int) -> TimeWindow:
    """The whole run if it fits into a picture, and otherwise the time around the longest wait of any policy.

    Where nobody waited it is around the first thing that went wrong, or the beginning.
    """
    horizon = result.scenario.end
    tasks = result.tasks[result.tasks.replication == replication]
    busiest = max((int((tasks.policy == label).sum()) for label in result.labels), default=0)
    pods = result.pods[result.pods.replication == replication]
    most = max((int((pods.policy == label).sum()) for label in result.labels), default=0)
    if busiest <= SPANS and most <= 2 * PODS:
        return TimeWindow(0.0, horizon, horizon)
    room = min(max(horizon * SPANS / max(busiest, 1), 600.0) // 60 * 60, horizon)
    waited = tasks[tasks.apply_wait > 0]
    if len(waited):
        longest = waited.nlargest(1, "apply_wait")
        begin = float(longest.confirmed_at.iloc[0])
        end = begin + float(longest.apply_wait.iloc[0])
        # A wait longer than fits is shown from shortly before its beginning on.
        begin -= room / 4 if end - begin > room else (room - (end - begin)) / 2
    else:
        struck = result.incidents[result.incidents.replication == replication]
        begin = float(struck.time.min()) - room / 4 if len(struck) else 0.0
    begin = min(max(begin, 0.0) // 60 * 60, horizon - room)
    return TimeWindow(begin, begin + room, horizon)


def shown_pods(pods: pd.DataFrame, tasks: pd.DataFrame, stretch: TimeWindow) -> tuple[list[int], int]:
    """The numbers of the pods of one policy that a timeline shows, ascending, and how many it leaves out.

    First those of the tasks that wait longest in the stretch, then the oldest.
    """
    there = stretch.cuts(pods, "created_at", "deleted_at").pod.tolist()
    if len(there) <= PODS:
        return there, 0
    waiting = tasks[tasks.apply_wait > 0].sort_values("apply_wait", ascending=False)
    wanted = [int(pod) for pod in [*waiting.plan_pod.dropna(), *waiting.apply_pod.dropna()] if pod in set(there)]
    chosen = list(dict.fromkeys([*wanted, *there]))[:PODS]
    return sorted(chosen), len(there) - len(chosen)
