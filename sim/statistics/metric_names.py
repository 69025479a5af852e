"""What the metrics are called, by the dotted path that each has in the summary. Imports nothing that takes time."""

from __future__ import annotations

from sim.runs.codes import CAUSES

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

COUNT_METRICS = ("tasks", "confirmed", "censored", "failed", "unplanned")
WAIT_METRICS = tuple(f"apply_wait.{name}" for name in ("mean", *QUANTILES, "max"))
CAUSE_METRICS = tuple(f"wait_{cause}" for cause in CAUSES)
COST_METRICS = ("pod_seconds", "peak_pods", "pods_created", "pods_deleted", "overshoot")

METRICS = (*COUNT_METRICS, *WAIT_METRICS, *CAUSE_METRICS, *COST_METRICS)
"""Every metric."""

SHARES = {"censored": "confirmed", "confirmed": "tasks", "failed": "tasks", "unplanned": "tasks"}
"""Metrics that can be compared with a percentage, and what they are a share of."""

BASELINE_METRICS = (*WAIT_METRICS, "confirmed", "censored", "failed", "unplanned", "pod_seconds", "peak_pods")
"""The metrics that a baseline holds."""
