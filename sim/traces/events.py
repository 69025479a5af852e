"""What happened to each task of a real system, and the trace that this is.

Importers bring records into one form, a frame of *events*: when a run was created, when its plan began and ended,
when its human decided, and so on, as seconds since 1970. `trace_of` makes of that the columns of a trace, with the
endings of model.md (2.6 to 2.10), and keeps account of every row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

EVENTS: Final = (
    "created", "plan_started", "plan_ended", "confirmed", "apply_started", "apply_ended", "ended",
)  # fmt: skip
"""The moments of an event frame, float64 seconds since 1970, NaN where there is none.

`confirmed` is when the human decided, to confirm or to discard; `ended` is when the task became final.
"""

NAMES: Final = ("id", "workspace", "pool", "type", "execution_mode", "status")
"""The other columns of an event frame: text, None where nothing is said. `status` is one of `STATUSES`."""

STATUSES: Final = {
    "done": ("applied", "success", "succeeded", "successful", "completed", "complete", "passed", "pass", "finished",
             "ok", "done", "completed_successfully", "true", "yes", "planned_finished"),
    "no_changes": ("planned_and_finished", "no_changes", "noop", "no_op", "planned_and_saved"),
    "discarded": ("discarded", "rejected", "declined", "denied", "policy_soft_failed"),
    "errored": ("errored", "error", "failed", "failure", "fail", "timed_out", "timeout", "broken", "apply_failed",
                "plan_failed", "startup_failure", "completed_failed", "completed_failure", "execution_timeout_reached",
                "completed_walltime_reached", "false", "no"),
    "canceled": ("canceled", "cancelled", "force_canceled", "canceling", "skipped", "aborted", "killed", "stale",
                 "neutral", "blocked_failed", "expired", "manual", "not_run"),
    "underway": ("underway", "pending", "queued", "plan_queued", "planning", "planned", "cost_estimating",
                 "cost_estimated",
                 "policy_checking", "policy_checked", "policy_override", "confirmed", "apply_queued", "applying",
                 "apply_pending", "running", "in_progress", "waiting", "created", "scheduled", "assigned", "accepted",
                 "fetching", "pre_plan_running", "post_plan_running", "waiting_for_resource", "blocked", "preparing"),
}  # fmt: skip
"""What became of a task, and the words that systems have for it. `done` is the usual end."""

STATUS_OF: Final = {word: status for status, words in STATUSES.items() for word in words}

TYPE_OF: Final = {
    **dict.fromkeys(("plan", "plan_only", "speculative", "drift", "drift_detection", "refresh_only"), "plan"),
    **dict.fromkeys(("plan_and_apply", "apply", "destroy", "destroy_run", "plan_and_destroy"), "plan_and_apply"),
}
"""Types of runs, by the words that systems have for them."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that are not in the trace, and why."""

    reason: str
    rows: int
    first: str
    """Where the first of them is, or its id."""


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row that stands out."""

    row: str
    what: str


@dataclass(slots=True)
class Account:
    """What became of every row of the records: `read` = `kept` + those that were left out."""

    source: str
    read: int = 0
    kept: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    inferred: list[str] = field(default_factory=list)
    """What the records do not say and had to be concluded, in whole sentences."""
    odd: list[OddRow] = field(default_factory=list)
    endings: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ran: bool = True
    """Whether the tasks really ran, so that it is known when they began."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A trace in order of arrival, with the columns of `COLUMNS` and `RECORDED`, and the account of its rows.

    `zero` is what time 0 is, in seconds since 1970.
    """

    frame: pd.DataFrame
    account: Account
    zero: float


def words(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Texts as words that can be compared: lower case, with underscores."""
    return cells.astype("str").str.strip().str.lower().str.replace(r"[\s\-]+", "_", regex=True)
