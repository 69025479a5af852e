"""`hcp-terraform`: runs of HCP Terraform or Terraform Enterprise, as their API gives them.

| event | field of a run |
|---|---|
| created | `created-at`, or the earliest of its status timestamps |
| plan started, ended | `planning-at`; `planned-at`, `planned-and-finished-at` or `planned-and-saved-at` |
| decided | `confirmed-at`, or `discarded-at` |
| apply started, ended | `applying-at`; `applied-at` |
| ended | `errored-at`, `canceled-at`, `force-canceled-at`, `discarded-at` |
| type | `plan` if `plan-only` is true |
| workspace | `relationships.workspace.data.id` |
| pool | `relationships.agent-pool.data.id`, where it is included |

Status timestamps are read with and without `-at`. An errored run without `planned-at` ended its plan when it errored,
one with `applying-at` its apply. Pages of the API (`{"data": [...]}`), lists of runs and JSON lines of either are read.

Source: developer.hashicorp.com/terraform/cloud-docs/api-docs/run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.traces.events import Account
from sim.traces.sources.objects import at, frame_of, seconds

if TYPE_CHECKING:
    import pandas as pd


def events_of(objects: Sequence[Any], account: Account, source: str, timezone: str | None = None) -> pd.DataFrame:
    """The events in pages of runs, or in runs.

    Raises:
        InputError: one of them is no run.
    """
    rows = [_event(run, f"{source}: run {number}", timezone) for number, run in enumerate(_runs(objects))]
    return frame_of(rows, account)


def _runs(objects: Sequence[Any]) -> list[Any]:
    """The runs on all pages; a run that stands alone is one, too."""
    runs: list[Any] = []
    for each in objects:
        data = each.get("data") if isinstance(each, dict) else each
        if isinstance(data, list):
            runs.extend(data)
        else:
            runs.append(data if isinstance(data, dict) else each)
    return runs


def _event(run: Any, where: str, timezone: str | None) -> dict[str, Any]:
    attributes = at(run, "attributes")
    if not isinstance(attributes, dict):
        raise InputError(where, "attributes", f"found {shown(attributes)}, expected the attributes of a run")
    given = attributes.get("status-timestamps") or {}
    if not isinstance(given, dict):
        raise InputError(where, "status-timestamps", f"found {shown(given)}, expected a mapping")
    stamps: dict[str, float] = {}
    for name, value in given.items():
        moment = seconds(value, where, name, timezone)
        if moment is not None:
            stamps[name.removesuffix("-at")] = moment

    def first(*names: str) -> float | None:
        return next((stamps[name] for name in names if name in stamps), None)

    created = attributes.get("created-at")
    status = attributes.get("status")
    errored = first("errored")
    applying, planned = first("applying"), first("planned", "planned-and-finished", "planned-and-saved")
    return {
        "id": run.get("id"),
        "workspace": at(run, "relationships", "workspace", "data", "id"),
        "pool": at(run, "relationships", "agent-pool", "data", "id"),
        "type": "plan" if attributes.get("plan-only") else "plan_and_apply",
        "status": status,
        "created": seconds(created, where, "created-at", timezone) if created else min(stamps.values(), default=None),
        "plan_started": first("planning"),
        "plan_ended": planned if planned is not None or applying is not None else errored,
        "confirmed": first("confirmed") if status != "discarded" else first("discarded"),
        "apply_started": applying,
        "apply_ended": first("applied") if applying is None or errored is None else errored,
        "ended": first("canceled", "force-canceled", "discarded", "errored", "applied", "planned-and-finished"),
    }
