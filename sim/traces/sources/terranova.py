"""`terranova`: the platform's own PostgreSQL database.

| event | where from |
|---|---|
| created | `workspace_tasks.created_at` |
| plan started | the marker `FETCHING BEGIN at ...` in `plan_output`, or the first `task_logs` row of phase plan |
| plan ended | the marker `SAVING_PLAN END at ...` there, or the last `task_logs` row of phase plan |
| decided | `apply_confirmed_at` |
| apply started, ended | `started_at` and `completed_at` of a task that came to its apply |
| ended | `completed_at` of a canceled or failed task |
| pool | the name in `agent_pools` of the workspace's `current_pool_id` |
| execution mode | `workspace_tasks.execution_mode` |

The plan of a task that never came to its apply may also be known by `started_at` and `completed_at`. A task came to
its apply if it is `applied`, or if it was confirmed and started again after that. Markers have no time zone: they are
in the server's, which `--timezone` names (UTC if it does not). Nothing is written: the transaction is read-only, and
rows come in batches.

Source: github.com/w564791/Terranova (backend/internal/models, backend/services/terraform_logger.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sim.scenario.errors import InputError, shown
from sim.traces.events import Account
from sim.traces.moments import zone_of
from sim.traces.sources.objects import frame_of

if TYPE_CHECKING:
    import pandas as pd

SCHEMES = ("postgresql://", "postgres://", "postgresql+psycopg://")
"""How the address of such a database begins."""

BATCH = 5000
"""Rows that are fetched at a time."""

_MARKER = re.compile(r"=+ ([A-Z_]+) (BEGIN|END) at ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+) =+")

# The whole output of a plan can be megabytes; only the lines of markers leave the database.
QUERY = """
SELECT t.id, t.workspace_id, t.task_type, t.status, t.execution_mode, t.created_at, t.started_at, t.completed_at,
       t.apply_confirmed_at, p.name AS pool,
       (SELECT string_agg(line, E'\\n') FROM regexp_split_to_table(coalesce(t.plan_output, ''), E'\\n') AS line
         WHERE line LIKE '%FETCHING BEGIN at %' OR line LIKE '%SAVING_PLAN END at %') AS markers,
       l.first_log, l.last_log
  FROM workspace_tasks t
  LEFT JOIN workspaces w ON w.workspace_id = t.workspace_id
  LEFT JOIN agent_pools p ON p.pool_id = w.current_pool_id
  LEFT JOIN (SELECT task_id, min(created_at) AS first_log, max(created_at) AS last_log
               FROM task_logs WHERE phase = 'plan' GROUP BY task_id) l ON l.task_id = t.id
 ORDER BY t.created_at, t.id
"""


def events_of(address: str, account: Account, timezone: str | None = None) -> pd.DataFrame:
    """The events in the database at *address*.

    Raises:
        InputError: SQLAlchemy or psycopg is missing, the database cannot be reached, or has not these tables.
    """
    try:
        import psycopg  # noqa: F401
        from sqlalchemy import create_engine, text
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, SQLAlchemyError
    except ImportError:
        problem = "found no SQLAlchemy or psycopg, which reading a database needs: pip install 'slotpool-sim[database]'"
        raise InputError("", "", problem) from None

    try:
        url = make_url(address).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise InputError(
            "", "", "found the address of a database that cannot be read, expected postgresql://..."
        ) from None
    where = url.render_as_string(hide_password=True)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            options = {"postgresql_readonly": True, "stream_results": True, "yield_per": BATCH}
            rows = connection.execution_options(**options).execute(text(QUERY))
            return frame_of(list(_events(rows.mappings(), account, timezone)), account)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        problem = f"found a database that cannot be read ({reason}), expected one of the platform, with the tables " \
                  "workspace_tasks, workspaces, agent_pools and task_logs"  # fmt: skip
        raise InputError(where, "", problem) from None
    finally:
        engine.dispose()


def _events(rows: Any, account: Account, timezone: str | None) -> Iterator[dict[str, Any]]:
    by_logs, without = 0, 0
    for row in rows:
        markers = _markers(row["markers"] or "", timezone)
        status, confirmed = row["status"], _seconds(row["apply_confirmed_at"], timezone)
        started, completed = (_seconds(row[name], timezone) for name in ("started_at", "completed_at"))
        applied = status == "applied" or (confirmed is not None and started is not None and started >= confirmed)
        first, last = (_seconds(row[name], timezone) for name in ("first_log", "last_log"))
        plan_started = markers.get("FETCHING BEGIN", first)
        plan_ended = markers.get("SAVING_PLAN END", last)
        by_logs += applied and "FETCHING BEGIN" not in markers and first is not None
        without += applied and plan_started is None
        if not applied:
            plan_started = plan_started if plan_started is not None else started
            plan_ended = completed if plan_ended is None and status != "cancelled" else plan_ended
        yield {
            "id": row["id"],
            "workspace": row["workspace_id"],
            "pool": row["pool"],
            "type": "plan_and_apply" if row["task_type"] in ("plan_and_apply", "apply") else "plan",
            "execution_mode": row["execution_mode"],
            "status": _status(status),
            "created": _seconds(row["created_at"], timezone),
            "plan_started": plan_started,
            "plan_ended": plan_ended,
            "confirmed": confirmed,
            "apply_started": started if applied else None,
            "apply_ended": completed if applied else None,
            "ended": completed,
        }
    if by_logs:
        account.inferred.append(f"{by_logs} plans have no markers in their output: their times are those of their log.")
    if without:
        account.inferred.append(f"{without} applied tasks have neither markers nor a log of their plan.")


def _status(status: Any) -> Any:
    return "underway" if status in ("pending", "waiting", "running", "apply_pending") else status


def _seconds(moment: Any, timezone: str | None) -> float | None:
    """A timestamp of the database as seconds since 1970; without a time zone it is in *timezone*."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise InputError("", "", f"found {shown(moment)}, expected a timestamp")
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=zone_of(timezone) if timezone else UTC)
    return zoned.timestamp()


def _markers(text: str, timezone: str | None) -> dict[str, float]:
    """When stages began and ended: the first of each, by its name."""
    found: dict[str, float] = {}
    for stage, what, moment in _MARKER.findall(text):
        at = datetime.fromisoformat(moment)
        zoned = at.replace(tzinfo=zone_of(timezone) if timezone else UTC)
        found.setdefault(f"{stage} {what}", zoned.timestamp())
    return found
