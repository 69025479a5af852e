"""What the metrics are called, by the dotted path that each has in the summary. Imports nothing that takes time."""

from __future__ import annotations

from collections.abc import Sequence

from sim.runs.codes import CAUSES

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

UNNAMED = ("default",)
"""The pools of a scenario that gives its one pool no name."""

WAITS = ("apply_wait", "plan_wait", "blocked_wait")
"""What tasks wait for: for a slot once their human has confirmed, for one before they ran at all, and for an earlier
task of their workspace.
"""

TYPES = ("plan", "plan_and_apply")

COUNTS_BY_TYPE = ("tasks", "completed", "in_progress", "unplanned")
"""Counts that there are of each type of task, too."""

COUNT_METRICS = (
    "tasks",
    "confirmed",
    "censored",
    "failed",
    "unplanned",
    "completed",
    "planned_and_finished",
    "errored",
    "discarded",
    "canceled",
    "canceled_waiting",
    "in_progress",
    "elsewhere",
    *(f"{kind}.{count}" for kind in TYPES for count in COUNTS_BY_TYPE),
)
WAIT_METRICS = tuple(f"{wait}.{name}" for wait in WAITS for name in ("mean", *QUANTILES, "max"))
SLO_METRICS = tuple(f"{wait}.within_slo" for wait in WAITS)
CAUSES_OF = {
    "apply_wait": tuple(f"wait_{cause}" for cause in CAUSES),
    "plan_wait": tuple(f"plan_wait_{cause}" for cause in CAUSES),
}
"""The metrics by which a kind of wait is split."""

CAUSE_METRICS = (*CAUSES_OF["apply_wait"], *CAUSES_OF["plan_wait"])
USE_METRICS = ("busy_share", "reserved_share", "idle_share")
MONEY_METRICS = ("cost.pods", "cost.waiting", "cost.total")
COST_METRICS = ("pod_seconds", "peak_pods", "pods_created", "pods_deleted", "overshoot", *USE_METRICS)

METRICS = (*COUNT_METRICS, *WAIT_METRICS, *SLO_METRICS, *CAUSE_METRICS, *COST_METRICS, *MONEY_METRICS)
"""Every metric. Those of a service level or of money are there only if the scenario gives it."""

SECONDS_METRICS = (*WAIT_METRICS, *CAUSE_METRICS, "pod_seconds")
"""Those that are a time in seconds."""

SHARE_METRICS = (*SLO_METRICS, *USE_METRICS)
"""Those that are a share, from 0 to 1."""

SHARES = {
    **dict.fromkeys(("censored", "canceled_waiting"), "confirmed"),
    **dict.fromkeys(
        (
            "confirmed",
            "failed",
            "unplanned",
            "completed",
            "planned_and_finished",
            "errored",
            "discarded",
            "canceled",
            "in_progress",
        ),
        "tasks",
    ),
}
"""Metrics that can be compared with a percentage, and what they are a share of."""

BASELINE_METRICS = (
    *WAIT_METRICS,
    "confirmed",
    "censored",
    "failed",
    "unplanned",
    "completed",
    "pod_seconds",
    "peak_pods",
)
"""The metrics that a baseline holds."""

REGRESSION_METRICS = tuple(metric for metric in BASELINE_METRICS if metric not in ("confirmed", "completed"))
"""Those of them of which more is worse."""


def bare(metric: str) -> str:
    """A metric without the pool that it is of: `apply_wait.p95` for `pools.infra.apply_wait.p95`."""
    parts = metric.split(".", 2)
    return parts[2] if len(parts) == 3 and parts[0] == "pools" else metric


def of_pool(pool: str, metric: str) -> str:
    """What a metric is called that is of one pool alone."""
    return f"pools.{pool}.{metric}"


def share_of(metric: str) -> str | None:
    """What a metric is a share of if it is compared with a percentage, in the same pool; None if it is no such one."""
    whole = SHARES.get(bare(metric))
    return None if whole is None else metric.removesuffix(bare(metric)) + whole


def named(pools: Sequence[str]) -> bool:
    """Whether the scenario gave its pools names: it has `pools` in place of a `pool`."""
    return tuple(pools) != UNNAMED


def known_metrics(pools: Sequence[str]) -> tuple[str, ...]:
    """All metrics of a scenario with these *pools*. Those of single pools are there if pools have names."""
    if not named(pools):
        return METRICS
    return (*METRICS, *(of_pool(pool, metric) for pool in pools for metric in METRICS))
