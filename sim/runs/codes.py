"""What the numbers in a record stand for. This module imports nothing that takes time."""

from __future__ import annotations

from typing import Final

# States of a task (model.md, 1). They are plain integers because the engine checks and notes every transition.
PENDING: Final = 0
PLANNING: Final = 1
PLANNED: Final = 2
APPLY_PENDING: Final = 3
APPLYING: Final = 4
APPLIED: Final = 5
FAILED: Final = 6
PLANNED_AND_FINISHED: Final = 7
ERRORED: Final = 8
DISCARDED: Final = 9
CANCELED: Final = 10

STATES: Final = (
    "pending", "planning", "planned", "apply_pending", "applying", "applied", "failed",
    "planned_and_finished", "errored", "discarded", "canceled",
)  # fmt: skip
"""The names of the states of a task, by number."""

FINAL: Final = (PLANNED, APPLIED, FAILED, PLANNED_AND_FINISHED, ERRORED, DISCARDED, CANCELED)
"""The states from which a task comes to no other."""

EXECUTION_MODES: Final = ("k8s", "agent", "local")
"""Where a task runs, by number. Only with the first it uses the pods of its pool (model.md, 1)."""

# What a task's plan results in.
CHANGES: Final = 0
NO_CHANGES: Final = 1
PLAN_ERROR: Final = 2

PLAN_RESULTS: Final = ("changes", "no_changes", "error")
"""The names of a plan's results, by number."""

# Why a task waits for a slot.
SERVER_DOWN: Final = 0
AGENT_OFFLINE: Final = 1
POLLING: Final = 2
POD_STARTING: Final = 3
NO_SLOT: Final = 4
REPLANNING: Final = 5

CAUSES: Final = ("server_down", "agent_offline", "polling", "pod_starting", "no_slot", "replanning")
"""The names of the causes of a wait, by number.

- `server_down`: the server was down.
- `agent_offline`: the pod of its reserved slot was silent, or of the slot that the search found.
- `polling`: an attempt would have succeeded, but none was due.
- `pod_starting`: no slot could be had, and a pod was starting.
- `no_slot`: no slot could be had, and no pod was starting.
- `replanning`: a confirmed task's reservation was lost and, with `lost_reservation: replan`, it plans and is confirmed
  again. It does not occur before a task's first plan.
"""

INCIDENTS: Final = ("pod_deletion", "pod_offline", "server_restart", "config_change")
"""The kinds of faults that can strike, by number."""

DELETED_BY: Final = (
    "", "autoscaler", "pod_deletion", "connect_timeout", "config_change", "drain", "kill", "ephemeral",
)  # fmt: skip
"""Who or what deletes pods, by number; the first stands for nobody.

A pod that drains is deleted by `drain` if all of its slots have become idle, and by `kill` if its time was over. A pod
of a pool with `ephemeral: true` is deleted by `ephemeral` once its task needs it no more.
"""
