"""What happened in one run, written down once. Everything that is reported is computed from a record afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from sim.runs.codes import CAUSES
from sim.runs.inputs import Times

Columns: TypeAlias = dict[str, Any]
"""Arrays of int64 by name. A time is in nanoseconds, and `NEVER` where something did not happen."""

TASK_FIELDS: Final = (
    "index", "pool", "execution_mode", "applies", "workspace", "state", "arrived_at", "eligible_at",
    "plan_started_at", "plan_ended_at", "confirmed_at", "apply_started_at", "apply_ended_at", "final_at",
    *(f"wait_{cause}" for cause in CAUSES),
    *(f"plan_wait_{cause}" for cause in CAUSES),
    "plan_pod", "plan_slot", "apply_pod", "apply_slot",
)  # fmt: skip
POD_FIELDS: Final = ("pool", "pod", "created_at", "ready_at", "draining_at", "deleted_at", "deleted_by", "used")
DECISION_FIELDS: Final = ("pool", "time", "pods_before", "desired", "pods_after")
RESERVATION_FIELDS: Final = ("index", "pool", "pod", "slot", "reserved_at", "released_at")
INCIDENT_FIELDS: Final = ("time", "until", "kind", "pool", "pod")


@dataclass(frozen=True, slots=True)
class Record:
    """The record of one run, each part as columns by name.

    `tasks` has a row per task that arrived, in order of its index; `pods` a row per pod, in order of its pool and its
    number; `decisions` a row each time the autoscaler changed the number of pods of a pool; `reservations` a row per
    time for which a slot was reserved; `incidents` a row per fault that struck something, the last three in order of
    time. `pool` is the number of a pool; -1 where an incident concerns all of them.
    """

    tasks: Columns
    pods: Columns
    decisions: Columns
    reservations: Columns
    incidents: Columns

    def __reduce__(self) -> tuple[Callable[..., Record], tuple[Any, ...]]:
        """Pickle each part as one array of all its columns: many small arrays would take longer between processes."""
        parts = (self.tasks, self.pods, self.decisions, self.reservations, self.incidents)
        return _unpacked, tuple((tuple(part), np.stack(list(part.values()))) for part in parts)


def _unpacked(*parts: tuple[tuple[str, ...], Times]) -> Record:
    return Record(*(dict(zip(names, columns, strict=True)) for names, columns in parts))


def packed(fields: Sequence[str], rows: Sequence[tuple[int, ...]]) -> Times:
    """*rows* with one integer for each of the *fields*, as an array of that shape."""
    return np.array(rows, dtype=np.int64).reshape(-1, len(fields))


def columns_of(fields: Sequence[str], rows: Times, order_by: Sequence[str] = ()) -> Columns:
    """The columns of an array of rows by name, in ascending order of the fields *order_by*, else as they are."""
    if order_by:
        rows = rows[np.lexsort([rows[:, fields.index(field)] for field in reversed(order_by)])]
    return {field: np.ascontiguousarray(rows[:, n]) for n, field in enumerate(fields)}
