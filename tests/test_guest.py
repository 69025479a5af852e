"""The library is a guest in the program that uses it: what is not its own it leaves alone."""

from __future__ import annotations

import copy
import io
import json
import multiprocessing
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.cli import main
from sim.experiment.executors import worker_processes
from sim.experiment.named_policies import named_policies
from sim.experiment.spec import RunSpec, runs_of
from sim.model import simulate
from sim.policies import Static
from sim.runs.inputs import RandomInputs
from sim.world.platform import settings_of
from sim.world.world import World

from support import Always, Failing, plan, plan_and_apply, scenario

EXPERIMENT = scenario(
    workload={"tasks": [plan_and_apply(1, 0, 15, 30, 5), plan(2, 3, 9)]}, replications=5, policies=["old", "fixed"]
)


def test_a_run_that_fails_ends_no_processes_but_its_own() -> None:
    other = multiprocessing.get_context("fork").Process(target=signal.pause)
    other.start()
    try:
        with pytest.raises(sim.InputError):
            sim.run(EXPERIMENT, [Failing()], jobs=2)
        assert other.is_alive()
        assert multiprocessing.active_children() == [other]
    finally:
        other.kill()
        other.join()


def test_a_policy_of_ones_own_leaves_the_callers_signals_and_timers_alone() -> None:
    def handler(number: int, frame: object) -> None:
        raise AssertionError

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        sim.run(EXPERIMENT, [Always(1)])
        sim.run(EXPERIMENT, [Always(1)], jobs=2, answer_timeout=10)
        assert signal.getsignal(signal.SIGALRM) is handler
        assert 900 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1000
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_policy_may_take_as_long_as_it_likes_unless_a_limit_is_asked_for() -> None:
    class Slow(Always):
        def desired_pods(self, view: object) -> int:
            limits.append(signal.getitimer(signal.ITIMER_REAL)[0])
            return 1

    limits: list[float] = []
    sim.run(EXPERIMENT, [Slow(1)], engine="simpy")
    assert set(limits) == {0.0}


class Printing(Always):
    def desired_pods(self, view: object) -> int:
        sys.stdout.write("from the policy\n")
        return 1


def test_standard_output_is_the_callers() -> None:
    caught = io.StringIO()
    with redirect_stdout(caught):  # what another thread prints meanwhile would arrive here, too
        sim.run(EXPERIMENT, [Printing(1)], replications=1)
    assert set(caught.getvalue().splitlines()) == {"from the policy"}


def test_specs_settings_and_records_can_be_pickled_and_copied() -> None:
    spec = RunSpec(EXPERIMENT, 1, named_policies(EXPERIMENT)[0], "fast")
    settings = settings_of(EXPERIMENT)
    for again in (pickle.loads(pickle.dumps(spec)), copy.deepcopy(spec)):
        assert again == spec
        one, other = next(runs_of([spec])).record, next(runs_of([again])).record
        assert all((one.tasks[name] == other.tasks[name]).all() for name in one.tasks)
    for again in (pickle.loads(pickle.dumps(settings)), copy.deepcopy(settings)):
        assert again == settings
    assert len(pickle.dumps(spec)) < 10_000
    record = next(runs_of([spec])).record
    assert (pickle.loads(pickle.dumps(record)).pods["pod"] == record.pods["pod"]).all()


@pytest.mark.parametrize("start", ["fork", "fresh"])
def test_workers_give_the_same_however_they_are_started(start: Any) -> None:
    policies = named_policies(EXPERIMENT, ["old", Always(2)])
    specs = [RunSpec(EXPERIMENT, n, policy, "simpy") for n in range(5) for policy in policies]
    with worker_processes(2, start) as execute:
        made = [*execute(specs), *execute(specs[:2])]
    for one, other in zip(made, [*runs_of(specs), *runs_of(specs[:2])], strict=True):
        assert (one.label, one.replication) == (other.label, other.replication)
        assert all((one.record.tasks[name] == other.record.tasks[name]).all() for name in one.record.tasks)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("start", ["fork", "fresh"])
def test_an_error_in_a_worker_is_the_callers_error(start: Any) -> None:
    specs = [RunSpec(EXPERIMENT, n, named_policies(EXPERIMENT, [Failing()])[0], "simpy") for n in range(5)]
    with (
        pytest.raises(sim.InputError, match="policy Failing: at 5 s it raised ZeroDivisionError"),
        worker_processes(2, start) as execute,
    ):
        list(execute(specs))
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("interpreter", "found"),
    [
        ("/bin/false", "a process had ended in the middle of a run"),
        ("/nowhere/python", "/nowhere/python cannot be started"),
        ("", "no interpreter cannot be started"),
    ],
)
def test_a_worker_that_cannot_start_ends_the_run_and_does_not_hang_it(
    monkeypatch: pytest.MonkeyPatch, interpreter: str, found: str
) -> None:
    monkeypatch.setattr(sys, "executable", interpreter)
    specs = [RunSpec(EXPERIMENT, 0, named_policies(EXPERIMENT)[0], "simpy")]
    with pytest.raises(sim.InputError, match=found), worker_processes(1, "fresh") as execute:
        list(execute(specs))


def test_a_trace_that_changes_after_the_last_run_changes_no_names(tmp_path: Path) -> None:
    text = "name: x\nhorizon: 1h\npolicies: [static]\nworkload: {trace: trace.csv}\n"
    rows = "id,type,workspace,arrive,plan\n{0}1,plan,ws-{0},0,5\n{0}2,plan,ws-{0},9,5\n"
    (tmp_path / "x.yaml").write_text(text)
    (tmp_path / "trace.csv").write_text(rows.format("a"))
    result = sim.run(
        sim.load_scenario(tmp_path / "x.yaml"),
        progress=lambda done, of: (tmp_path / "trace.csv").write_text(rows.format("other")) and None,
    )
    assert result.tasks.task_id.tolist() == ["a1", "a2"]
    assert result.tasks.workspace.tolist() == ["ws-a", "ws-a"]


SCRIPT = """
    import {how}
    import sim

    class Mine:
        def desired_pods(self, view):
            return 2

    def work():
        scenario = sim.load_scenario("{path}")
        print(len(sim.run(scenario, ["old", Mine()], replications=3, jobs=2).tasks))

    {call}
"""


@pytest.mark.parametrize(
    ("how", "call"),
    [
        ("sys", "work()"),
        ("threading", "thread = threading.Thread(target=work); thread.start(); thread.join()"),
        ("sys", "sys.settrace(lambda *_: None); work()"),
        ("multiprocessing", "multiprocessing.set_start_method('spawn'); work()"),
    ],
)
def test_a_script_needs_no_guard_in_the_main_thread_in_another_and_under_a_debugger(
    tmp_path: Path, how: str, call: str
) -> None:
    path = Path("scenarios/reserved-pod-deleted.yaml").resolve()
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT).format(how=how, call=call, path=path))
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("12\n", "")


def test_a_policy_that_cannot_be_sent_to_another_process_is_named() -> None:
    class Locked(Always):
        def __init__(self) -> None:
            super().__init__(1)
            self.lock = threading.Lock()

        def __deepcopy__(self, memo: object) -> Locked:
            return self

    with pytest.raises(sim.InputError, match=r"policy Locked: cannot be sent to another process .* expected jobs=1"):
        sim.run(EXPERIMENT, [Locked()], jobs=2)


@pytest.mark.parametrize("engine", ["simpy", "fast"])
def test_a_strike_that_is_not_known_is_a_defect_and_nothing_else(engine: str) -> None:
    from sim.engine.run import simulate as engine_simulate

    inputs = World(EXPERIMENT, 0).inputs()
    odd: Any = type("Odd", (), {"at": 10**9})()
    struck = RandomInputs(inputs.tasks, [[odd]], inputs.pods)
    with pytest.raises(TypeError, match="knows no strike such as"):
        (simulate if engine == "simpy" else engine_simulate)(settings_of(EXPERIMENT), struck, [Static()])


def test_the_manifest_has_the_parameters_of_policies_given_from_python(tmp_path: Path) -> None:
    from sim.policies import Demand
    from sim.results.manifest import manifest

    policies = manifest(sim.run(EXPERIMENT, [Demand(keep=60.0), Always(3)]))["scenario"]["policies"]
    assert policies[0] == {"name": "demand", "label": "Demand", "keep": 60.0, "patience": 30.0, "spare": 1}
    assert policies[1] == {"name": "support:Always", "label": "Always"}


def test_the_manifest_says_which_implementation_ran_and_a_wish_is_granted(tmp_path: Path) -> None:
    from sim.results.manifest import manifest

    task = [plan(1, 0, 5)]
    small, large = scenario(workload={"tasks": task}), scenario(workload={"tasks": task}, horizon="90d")
    chosen = {
        (name, engine): manifest(sim.run(each, engine=engine))["engine"]["name"]
        for name, each, engines in (("small", small, ("auto", "simpy", "fast")), ("large", large, ("auto", "fast")))
        for engine in engines
    }
    assert chosen == {
        ("small", "auto"): "simpy",
        ("small", "simpy"): "simpy",
        ("small", "fast"): "fast",
        ("large", "auto"): "fast",
        ("large", "fast"): "fast",
    }


def test_an_engine_that_there_is_not_is_named() -> None:
    with pytest.raises(sim.InputError, match="engine: found 'quick', expected one of: auto, simpy, fast"):
        sim.run(EXPERIMENT, engine="quick")  # type: ignore[arg-type]


def test_the_engine_is_an_option_of_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[1])
    for engine in ("simpy", "fast"):
        monkeypatch.setattr(
            sys, "argv",
            ["sim", "run", "-q", "scenarios/only-pod-deleted.yaml", "--engine", engine, "-o", str(tmp_path / engine)],
        )  # fmt: skip
        with pytest.raises(SystemExit, match="0"):
            main()
        found = json.loads((tmp_path / engine / "only-pod-deleted" / "manifest.json").read_text())
        assert found["engine"] == {"name": engine, "compiled": False}


def test_mypy_knows_what_there_is_and_what_there_is_not(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import sim\nsim.rnu()\nprint(sim.__version__)\nsim.load_scenario('x').nmae\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", "mine.py"], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert [line.split(": error: ")[1] for line in done.stdout.splitlines()[:-1]] == [
        'Module has no attribute "rnu"  [attr-defined]',
        '"Scenario" has no attribute "nmae"  [attr-defined]',
    ]


def test_the_version_is_that_of_the_package() -> None:
    assert sim.__version__ == version("slotpool-sim")
