"""The commands, as someone in a terminal or a script meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from sim.cli import main

SCENARIO = """\
name: small
horizon: 2h
pool: {min_pods: 1, max_pods: 5, initial_pods: 2}
workload:
  tasks:
    - {id: 598, type: plan_and_apply, workspace: ws-a, arrive: 0s, plan: 60s, confirm: 10m, apply: 120s}
    - {id: 599, type: plan_and_apply, workspace: ws-b, arrive: 1s, plan: 60s, confirm: 90m, apply: 120s}
faults:
  - {kind: pod_deletion, at: 5m, target: 0}
"""

ENDLESS = """\
name: endless
horizon: 100d
workload:
  arrivals: {process: poisson, rate: 2000/h, plan_and_apply_share: 0.5, plan: 90s, confirm: 5m, apply: 2m}
replications: 4
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SCENARIO)
    return tmp_path


def sim(*words: str) -> int:
    """The exit status of a command."""
    sys.argv = ["sim", *words]
    with pytest.raises(SystemExit) as leaving:
        main()
    return int(leaving.value.code or 0)


def test_run_prints_the_comparison_and_writes_the_results(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sim("run", "small.yaml") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert {"longest 4,930 s 0 s", "pod-hours 2.08 7.96", "most pods at once 2 5", "finished 2 2"} <= set(lines)
    folder = here / "results" / "small"
    assert sorted(path.name for path in folder.iterdir()) == [
        "decisions.parquet", "incidents.parquet", "manifest.json", "pods.parquet", "reservations.parquet",
        "summary.json", "tasks.parquet",
    ]  # fmt: skip
    assert [path.name for path in (here / "results").iterdir()] == ["small"]
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["policies"]["old"]["apply_wait"]["max"] == {"value": 4930}
    assert summary["comparisons"]["fixed"]["pod_seconds"] == {"value": 21140}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["scenario"]["horizon"] == 7200
    assert set(manifest) >= {"scenario", "seed", "versions", "git_commit"}


def test_the_columns_of_the_files(here: Path) -> None:
    assert sim("run", "-q", "small.yaml") == 0
    columns = {
        "tasks": "policy replication task_id pool workspace type state arrived_at eligible_at plan_started_at plan_ended_at "
        "confirmed_at apply_started_at apply_ended_at ended_at plan_wait blocked_wait apply_wait censored "
        "plan_censored blocked_censored blocked_by execution_mode "
        "wait_server_down wait_agent_offline wait_polling wait_pod_starting wait_no_slot wait_replanning "
        "plan_wait_server_down plan_wait_agent_offline plan_wait_polling plan_wait_pod_starting plan_wait_no_slot "
        "plan_wait_replanning "
        "plan_pod plan_slot apply_pod apply_slot",
        "pods": "policy replication pool pod created_at ready_at deleted_at deleted_by draining_at",
        "decisions": "policy replication pool time pods_before desired pods_after",
        "reservations": "policy replication task_id pool pod slot reserved_at released_at",
        "incidents": "policy replication time until kind pool pod",
    }
    for name, expected in columns.items():
        frame = pd.read_parquet(here / "results/small" / f"{name}.parquet")
        assert list(frame.columns) == expected.split()
        times = [name for name in frame.columns if name.endswith(("_at", "wait", "time"))]
        assert (frame[times].dtypes == "float64").all()
    tasks = pd.read_parquet(here / "results/small/tasks.parquet")
    assert tasks.task_id.dtype == "int64"


def test_results_are_replaced_as_a_whole(here: Path) -> None:
    sim("run", "-q", "small.yaml")
    (here / "results/small/stale.txt").write_text("from an older run")
    assert sim("run", "-q", "small.yaml", "-p", "static") == 0
    assert not (here / "results/small/stale.txt").exists()
    assert list(json.loads((here / "results/small/summary.json").read_text())["policies"]) == ["static"]


def test_json_is_the_summary_and_nothing_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sim("run", "small.yaml", "--json", "-o", "elsewhere") == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads((here / "elsewhere/small/summary.json").read_text())
    assert err == ""


def test_jobs_change_nothing_in_the_files(here: Path) -> None:
    (here / "small.yaml").write_text(SCENARIO + "replications: 3\nseed: 5\n")
    for jobs in ("1", "2"):
        assert sim("run", "-q", "small.yaml", "-j", jobs, "-o", jobs) == 0
    for name in ("tasks", "pods", "decisions"):
        one, two = (pd.read_parquet(here / jobs / "small" / f"{name}.parquet") for jobs in "12")
        pd.testing.assert_frame_equal(one, two, check_exact=True)
        assert one.replication.unique().tolist() == [0, 1, 2] or name == "decisions"


def test_options_take_the_place_of_the_file(here: Path) -> None:
    assert sim("run", "-q", "small.yaml", "-r", "2", "--seed", "9", "-p", "fixed", "-p", "old") == 0
    manifest = json.loads((here / "results/small/manifest.json").read_text())
    assert (manifest["seed"], manifest["replications"], manifest["policies"]) == (9, 2, ["fixed", "old"])


def test_standard_input_is_a_scenario(here: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "sim", "run", "-q", "-"], input=SCENARIO.encode(), check=False)
    assert done.returncode == 0
    assert (here / "results/small/summary.json").exists()


def test_several_scenarios(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "other.yaml").write_text(SCENARIO.replace("name: small", "name: other"))
    assert sim("run", "small.yaml", "other.yaml", "--json") == 0
    assert list(json.loads(capsys.readouterr().out)) == ["small", "other"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("run none.yaml", "none.yaml: cannot be read: No such file or directory, expected a scenario file"),
        (
            "run small.yaml -p odl",
            "policy: found the policy 'odl', expected one of: old, fixed, landed, demand, static, hpa",
        ),
        ("run small.yaml --bogus", "sim run: No such option"),
        ("run small.yaml -r 0", "sim run: Invalid value for '-r' / '--replications': 0 is not in the range x>=1."),
        ("run small.yaml -j x", "sim run: Invalid value for '-j' / '--jobs': 'x' is not a valid integer range."),
        ("run", "sim run: Missing argument 'SCENARIO...'."),
        ("bogus", "sim: No such command 'bogus'."),
        ("run small.yaml same.yaml", "same.yaml:1: name: found 'small', which is the name in small.yaml too; expected"),
        ("run small.yaml -o small.yaml", "small.yaml: cannot be written: "),
        ("run small.yaml -o small.yaml/x", "small.yaml/x: cannot be written: "),
        ("run small.yaml -p sim.policies:Old", "policy: found 'sim.policies:Old', expected --allow-plugins"),
        ("run small.yaml --allow-plugins -p sim.none:Old", "policy: found 'sim.none:Old', which cannot be loaded"),
        ("run small.yaml --allow-plugins -p os:path", "policy: found 'os:path', which cannot be made"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    here: Path, capsys: pytest.CaptureFixture[str], words: str, message: str
) -> None:
    (here / "same.yaml").write_text(SCENARIO)
    assert sim(*words.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1
    assert not (here / "results").exists()


def test_a_mistake_in_the_last_scenario_is_found_before_the_first_runs(here: Path) -> None:
    (here / "bad.yaml").write_text(SCENARIO.replace("2h", "2x"))
    assert sim("run", "small.yaml", "bad.yaml") == 2
    assert not (here / "results").exists()


def test_a_policy_of_ones_own_from_a_module(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "mine_for_the_test.py").write_text("class Three:\n    def desired_pods(self, view):\n        return 3\n")
    monkeypatch.syspath_prepend(here)
    assert sim("run", "-q", "small.yaml", "--allow-plugins", "-p", "old", "-p", "mine_for_the_test:Three") == 0
    assert "mine_for_the_test:Three" in json.loads((here / "results/small/summary.json").read_text())["policies"]


def test_a_policy_that_fails_ends_the_run_with_one_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "bad_for_the_test.py").write_text("class Bad:\n    def desired_pods(self, view):\n        return 1 / 0\n")
    monkeypatch.syspath_prepend(here)
    assert sim("run", "small.yaml", "--allow-plugins", "-p", "bad_for_the_test:Bad") == 2
    assert capsys.readouterr().err.startswith("policy bad_for_the_test:Bad: at 5 s it raised ZeroDivisionError")
    assert not (here / "results").exists()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_policy_prints_is_not_our_output(here: Path, jobs: str) -> None:
    (here / "loud.py").write_text(
        "class Loud:\n    def desired_pods(self, view):\n        print('hello')\n        return view.pods\n"
    )
    command = [
        sys.executable,
        "-m",
        "sim",
        "run",
        "small.yaml",
        "--json",
        "--allow-plugins",
        "-p",
        "loud:Loud",
        "-j",
        jobs,
    ]
    done = subprocess.run(
        [*command, "-r", "2"], cwd=here, env={**os.environ, "PYTHONPATH": str(here)}, capture_output=True, check=True
    )
    assert "policies" in json.loads(done.stdout)
    assert b"hello" in done.stderr


def test_validate_policies_and_schema(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sim("validate", "small.yaml") == 0
    assert capsys.readouterr().out == "small.yaml: small is fine\n"
    assert sim("policies") == 0
    assert "pods: whole number" in capsys.readouterr().out
    assert sim("schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Scenario"
    assert not (here / "results").exists()


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing_behind(here: Path, jobs: str, number: signal.Signals, status: int) -> None:
    (here / "endless.yaml").write_text(ENDLESS)
    # Where the tests run in the background, SIGINT may be ignored, and children inherit that.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from sim.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "endless.yaml", "-j", jobs]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    try:
        while not (here / "results").exists():  # it takes its place before the simulation begins
            assert process.poll() is None
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == status
    assert b"Traceback" not in err
    assert not (here / "results").exists()


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from sim.cli import app, main

class Dying:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(1000))

def command(**_):
    {what}

app.cli.main = command
sys.argv = ["sim", "run", "x.yaml"]
main()
"""


@pytest.mark.parametrize(
    "what",
    [
        "os.kill(os.getpid(), signal.SIGINT)",
        # An import that is interrupted raises whatever it likes.
        "try:\n        os.kill(os.getpid(), signal.SIGINT)\n    except BaseException:\n        raise ValueError('half')",
        # Python drops what is raised while an object is deleted, so the command goes on, up to its next step.
        "Dying()\n    from sim.cli.progress import progress\n"
        "    with progress('x', True) as advance:\n        advance(1, 2)\n    print('went on')",
        # And if it has no next step it ends as it would have, but with the status of an interruption.
        "Dying()",
    ],
)
def test_ctrl_c_ends_with_130_wherever_it_comes(what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(what=what)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.splitlines()[-1] == "interrupted"


def test_a_reader_who_has_had_enough_is_no_defect(here: Path) -> None:
    command = f"{sys.executable} -m sim schema | head -c 1"
    done = subprocess.run(["bash", "-c", command + '; echo "${PIPESTATUS[0]}"'], capture_output=True, check=True)
    assert done.stderr == b""
    assert done.stdout in (b"{141\n", b"{0\n")  # it may have been quicker


def test_quick_commands_import_nothing_heavy() -> None:
    code = "import sys; from sim.cli import main; sys.argv = ['sim', '--help']\ntry: main()\nexcept SystemExit: pass\n"
    heavy = "print([name for name in ('numpy', 'pandas', 'pydantic', 'rich', 'simpy', 'scipy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + heavy], capture_output=True, check=True)
    assert done.stdout.endswith(b"[]\n")
