"""`sim import postgresql://...`: the platform's own database, in a PostgreSQL that is started for this."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.scenario import InputError
from sim.traces.records import import_records

SCHEMA = """
CREATE TABLE agent_pools (pool_id varchar(50) PRIMARY KEY, name varchar(100) NOT NULL);
CREATE TABLE workspaces (id serial PRIMARY KEY, workspace_id varchar(50), current_pool_id varchar(50));
CREATE TABLE workspace_tasks (
  id serial PRIMARY KEY, workspace_id varchar(50), task_type text, status text, execution_mode text,
  created_at timestamptz, started_at timestamptz, completed_at timestamptz, apply_confirmed_at timestamptz, plan_output text);
CREATE TABLE task_logs (id serial PRIMARY KEY, task_id int, phase varchar(20), created_at timestamptz);
INSERT INTO agent_pools VALUES ('pool-1', 'infra');
INSERT INTO workspaces (workspace_id, current_pool_id) VALUES ('ws-a', 'pool-1'), ('ws-b', NULL);
"""

TASKS = """
INSERT INTO workspace_tasks
  (id, workspace_id, task_type, status, execution_mode, created_at, started_at, completed_at, apply_confirmed_at, plan_output)
VALUES
  -- With markers, which are in the time of the server (two hours ahead of UTC), among other lines.
  (1, 'ws-a', 'plan_and_apply', 'applied', 'k8s', '2026-06-01 10:00:00+00', '2026-06-01 10:10:20+00',
   '2026-06-01 10:12:20+00', '2026-06-01 10:10:00+00',
   E'noise\\n========== FETCHING BEGIN at 2026-06-01 12:00:10.500 ==========\\nmore\\n'
   '========== SAVING_PLAN END at 2026-06-01 12:01:10.500 ==========\\nnoise'),
  -- Without markers: the log of the plan says when.
  (2, 'ws-a', 'plan_and_apply', 'applied', 'k8s', '2026-06-01 11:00:00+00', '2026-06-01 11:20:00+00',
   '2026-06-01 11:20:30+00', '2026-06-01 11:19:00+00', NULL),
  (3, 'ws-b', 'plan', 'success', 'local', '2026-06-01 12:00:00+00', '2026-06-01 12:00:01+00',
   '2026-06-01 12:00:31+00', NULL, NULL),
  (4, 'ws-b', 'plan_and_apply', 'planned_and_finished', 'agent', '2026-06-01 13:00:00+00', '2026-06-01 13:00:01+00',
   '2026-06-01 13:00:31+00', NULL, NULL),
  (5, 'ws-b', 'plan_and_apply', 'failed', 'k8s', '2026-06-01 14:00:00+00', '2026-06-01 14:05:10+00',
   '2026-06-01 14:05:40+00', '2026-06-01 14:05:00+00', NULL),
  (6, 'ws-b', 'plan_and_apply', 'cancelled', 'k8s', '2026-06-01 15:00:00+00', NULL, '2026-06-01 15:00:40+00', NULL, NULL),
  (7, 'ws-a', 'plan_and_apply', 'apply_pending', 'k8s', '2026-06-01 16:00:00+00', '2026-06-01 16:00:05+00', NULL, NULL, NULL),
  (8, 'ws-a', 'drift_check', 'failed', 'k8s', '2026-06-01 17:00:00+00', '2026-06-01 17:00:05+00',
   '2026-06-01 17:00:25+00', NULL, NULL);
INSERT INTO task_logs (task_id, phase, created_at) VALUES
  (2, 'plan', '2026-06-01 11:00:10+00'), (2, 'plan', '2026-06-01 11:00:50+00'), (2, 'apply', '2026-06-01 11:20:00+00'),
  (5, 'plan', '2026-06-01 14:00:10+00'), (5, 'plan', '2026-06-01 14:00:30+00'),
  (7, 'plan', '2026-06-01 16:00:05+00'), (7, 'plan', '2026-06-01 16:00:45+00');
"""


def _tool(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(installed[-1]) if installed else shutil.which(name)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of an empty database of a PostgreSQL of our own, which listens on a socket only."""
    initdb, control, psql = _tool("initdb"), _tool("pg_ctl"), _tool("psql")
    if initdb is None or control is None or psql is None:
        pytest.skip("there is no PostgreSQL on this machine: the import of its database is not tested")
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # the name of a socket may not be long
    user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        try:
            owner = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        user = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]

    def run(*command: str) -> None:
        done = subprocess.run([*user, *command], capture_output=True, text=True, cwd=folder, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    data = str(folder / "data")
    run(initdb, "-D", data, "-U", "sim", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
    run(control, "-D", data, "-w", "-l", str(folder / "log"), "-o", f"-c listen_addresses='' -k {folder}", "start")
    try:
        run(psql, "-h", str(folder), "-U", "sim", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", SCHEMA + TASKS)
        yield f"postgresql://sim@/postgres?host={folder}"
    finally:
        run(control, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def test_the_platforms_tasks(address: str) -> None:
    imported = import_records(address, None, "Europe/Berlin")
    tasks = imported.frame.set_index("id")
    found = {
        int(number): {
            name: value
            for name, value in row.items()
            if name in ("pool", "type", "plan", "confirm", "apply", "cancel", "execution_mode") and value == value
        }
        | {"ends": f"{row['plan_result']}, {row['decision']}, {row['apply_result']}"}
        for number, row in tasks.to_dict("index").items()
    }
    usual = "changes, confirm, ok"
    both = {"type": "plan_and_apply", "execution_mode": "k8s"}
    assert found == {
        1: {**both, "pool": "infra", "plan": 60, "confirm": 529.5, "apply": 120, "ends": usual},
        2: {**both, "pool": "infra", "plan": 40, "confirm": 1090, "apply": 30, "ends": usual},
        3: {"pool": "none", "type": "plan", "execution_mode": "local", "plan": 30, "ends": usual},
        4: {
            "pool": "none",
            "type": "plan_and_apply",
            "execution_mode": "agent",
            "plan": 30,
            "ends": "no_changes, confirm, ok",
        },
        5: {**both, "pool": "none", "plan": 20, "confirm": 270, "apply": 30, "ends": "changes, confirm, error"},
        6: {**both, "pool": "none", "plan": 30, "cancel": 40, "ends": usual},
        7: {**both, "pool": "infra", "plan": 40, "ends": usual},
        8: {"pool": "infra", "type": "plan", "execution_mode": "k8s", "plan": 20, "ends": "error, confirm, ok"},
    }
    assert tasks.arrive.tolist() == [3600 * hour for hour in range(8)]
    assert tasks.recorded_apply_started[:2].tolist() == [620, 4800]
    assert tasks.recorded_plan_started["1"] == 10.5
    account = imported.account
    assert account.read == account.kept == 8
    assert any(
        "2 plans have no markers in their output: their times are those of their log" in i for i in account.inferred
    )


def test_the_database_is_only_read_and_its_password_is_never_shown(address: str) -> None:
    with pytest.raises(InputError) as caught:
        import_records(address.replace("/postgres?", "/nothing?").replace("sim@", "sim:secret@"))
    assert "secret" not in str(caught.value)
    assert 'database "nothing" does not exist' in str(caught.value)


def test_a_database_without_the_platforms_tables_is_told_in_one_line(address: str) -> None:
    with pytest.raises(InputError, match="expected one of the platform, with the tables workspace_tasks") as caught:
        import_records(address.replace("/postgres?", "/template1?"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [None, "terranova"])
def test_an_address_of_another_kind_is_refused(kind: object) -> None:
    with pytest.raises(InputError, match="expected that of a database: postgresql://"):
        import_records("mysql://x", kind)  # type: ignore[arg-type]
