"""Input that is wrong in ways one does not think of: still one clear line, never a traceback, never for ever."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sim
from sim.experiment.named_policies import named_policies
from sim.scenario import InputError
from sim.traces.load import load_scenario

GENERATED = """\
name: generated
horizon: 2h
workload:
  arrivals: {process: poisson, rate: 20/h, plan: 90s}
"""


def mistake(folder: Path, text: str) -> str:
    """The message about the scenario, without the name of its folder."""
    path = folder / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        named_policies(load_scenario(path))
    message = str(caught.value)
    assert "\n" not in message
    message.encode()
    return message.replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("horizon: 2h", "horizon: 0x" + "f" * 6000, "bad.yaml:2: horizon: found '0xff"),
        ("horizon: 2h", "horizon: " + "9" * 300, "bad.yaml:2: horizon: found a number of more than 20 digits, exp"),
        ("horizon: 2h", "horizon: 1e18", "found 1e+18, expected a duration of at most 36500d, which is a hundred years"),
        ("name: gen", 'description: "\\ud800"\nname: gen', "bad.yaml:1: description: found '\\ud800' as 'str'"),
        ("horizon", '"\\ud800": 1\nhorizon', "bad.yaml:2: found '\\ud800' as 'str', expected a plain value"),
        ("horizon", 'description: "a\\0"\nhorizon', "bad.yaml:2: description: found 'a\\x00' as 'str', expected a plain"),
        ("horizon", "description: \x07\nhorizon", "bad.yaml:2: found the character '\\x07', expected printable text"),
        ("horizon", "a.b: 1\nhorizon", "bad.yaml:2: a.b: found the unknown key 'a.b', expected one of: name"),
        ("horizon", "1.5: 1\nhorizon", "bad.yaml:2: 1.5: found the unknown key 1.5, expected one of: name"),
        ("horizon", "true: 1\nhorizon", "bad.yaml:2: True: found the unknown key True, expected one of: name"),
        ("horizon", "~: 1\nhorizon", "bad.yaml:2: None: found the unknown key nothing, expected one of: name"),
        ("horizon", '"": 1\nhorizon', "bad.yaml:2: found the unknown key '', expected one of: name"),
        ("process: poisson", "process: ~", "bad.yaml:4: workload.arrivals.process: found nothing, expected one of 'poi"),
        ("rate: 20/h", "rate: 1e-320/s", "bad.yaml:4: workload.arrivals.rate: found '1e-320/s', expected a rate above"),
        ("plan: 90s", "plan: {dist: lognormal, mean: 1m, cv: 1e200}", "plan.cv: found 1e+200, expected a number of at m"),
        ("plan: 90s", "plan: {dist: lognormal, mean: 1m, cv: 1e-200}", "plan.cv: found 1e-200, expected a number of at l"),
        ("plan: 90s", "plan: {dist: lognormal, median: 1m, sigma: 1e3}", "plan.sigma: found 1000.0, expected a number of"),
        ("plan: 90s", "plan: {dist: gamma, mean: 1m, cv: 1e200}", "plan.cv: found 1e+200, expected a number of at most"),
        ("plan: 90s", "plan: {dist: weibull, shape: 0.001, scale: 1m}", "plan.shape: found 0.001, expected a number of"),
        ("plan: 90s", "plan: {dist: empirical, values: [1, 2], weights: [1e308, 1e308]}", "plan.weights[0]: found 1e+308"),
        ("plan: 90s", "plan: {dist: gamma, mean: 1m, cv: " + "9" * 300 + "}", "plan.cv: found a number of more than 20"),
        ("workload", "pool: {max_pods: 100000, slots_per_pod: 1000}\nworkload", "pool.max_pods: found 100000, expected at"),
        ("workload", "faults: [{kind: pod_deletion, every: {dist: gamma, mean: 90s, cv: 1e6}, target: any}]\nworkload",
         "faults[0].every.cv: found 1000000.0, expected a number of at most 100"),
        ("workload", "faults: [{kind: pod_deletion, every: 0.001s, target: any}]\nhorizon: 9000h\nworkload",
         "bad.yaml:4: found the key 'horizon' twice"),
        ("2h\nworkload", "36500d\nfaults: [{kind: pod_deletion, every: 1s, target: any}]\nworkload",
         "bad.yaml:3: faults[0].every: found '1s', expected at most 10000000 strikes on average up to the horizon"),
    ],
)  # fmt: skip
def test_a_scenario_that_means_no_good(tmp_path: Path, good: str, bad: str, message: str) -> None:
    assert good in GENERATED
    assert message in mistake(tmp_path, GENERATED.replace(good, bad, 1))


FROM_TRACE = "name: recorded\nhorizon: 1h\nworkload:\n  trace: {file: FILE, plan_and_apply_share: 0}\n"


def refused(folder: Path, file: str) -> str:
    return mistake(folder, FROM_TRACE.replace("FILE", file)).removeprefix("bad.yaml:4: workload.trace: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"arrive,plan\n1,2\n\n3,x\n", "tasks.csv:4: plan: found 'x', expected seconds"),
        (b"\n\narrive,plan\n1,x\n", "tasks.csv:4: plan: found 'x', expected seconds"),
        (b'arrive,plan,workspace\n1,2,"a\nb"\n3,x,c\n', "tasks.csv:4: plan: found 'x', expected seconds"),
        (b"arrive,plan,workspace\n1,2,a\n3,4,\xff\n", "tasks.csv:3: found bytes that are not UTF-8, expected a CSV"),
        (b'arrive,plan,workspace\n1,2,"a\n3,4,b\n', "tasks.csv:2: found unexpected end of data, expected one task per"),
        (b"arrive,plan\n1,2,3\n", "tasks.csv:2: found 3 cells, expected 2, as many as there are columns"),
        (b"arrive,plan\n1\n", "tasks.csv:2: found 1 cells, expected 2, as many as there are columns"),
        (b"arrive,plan\n,2\n", "tasks.csv:2: arrive: found '', expected seconds: a number of 0 or more"),
        (b"arrive\n\n \n", "tasks.csv:3: arrive: found '', expected seconds: a number of 0 or more"),
    ],
)
def test_a_csv_file_that_means_no_good(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "tasks.csv").write_bytes(content)
    assert refused(tmp_path, "tasks.csv").startswith(message)


@pytest.mark.parametrize(
    ("column", "cells", "message"),
    [
        ("plan", [[1], [2]], "tasks.parquet: plan: found a column of type list<"),
        ("plan", pd.array([1, None], dtype="Int64"), "tasks.parquet: row 1: plan: found '', expected seconds"),
        ("plan", ["1", "x"], "tasks.parquet: row 1: plan: found 'x', expected seconds: a number of 0 or more"),
        ("arrive", [b"1", b"2"], "tasks.parquet: arrive: found a column of type binary, expected numbers: seconds"),
        ("arrive", [datetime.date(2026, 1, 1)] * 2, "tasks.parquet: arrive: found a column of type date32[day], expec"),
        ("arrive", [True, False], "tasks.parquet: arrive: found a column of type bool, expected numbers: seconds"),
        ("workspace", [{"a": 1}, {"a": 2}], "tasks.parquet: workspace: found a column of type struct<"),
        ("workspace", [1.5, 2.5], "tasks.parquet: workspace: found a column of type double, expected texts or whole"),
        ("workspace", ["a", None], "tasks.parquet: row 1: workspace: found '', expected the workspace of the task"),
        ("id", [True, False], "tasks.parquet: id: found a column of type bool, expected texts or whole numbers"),
        ("type", [1, 2], "tasks.parquet: type: found a column of type int64, expected texts or whole numbers"),
    ],
)
def test_a_parquet_file_that_means_no_good(tmp_path: Path, column: str, cells: Any, message: str) -> None:
    frame = pd.DataFrame({"arrive": [0.0, 1.0], "plan": [1.0, 2.0]})
    frame[column] = cells
    frame.to_parquet(tmp_path / "tasks.parquet")
    assert refused(tmp_path, "tasks.parquet").startswith(message)


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "tasks.parquet").write_bytes(b"PAR1 and no more")
    assert refused(tmp_path, "tasks.parquet").startswith("tasks.parquet: ")


def test_categories_and_whole_numbers_are_fine(tmp_path: Path) -> None:
    frame = pd.DataFrame({"arrive": [0, 1], "plan": [1, 2], "workspace": pd.Categorical(["b", "a"]), "id": ["x", "y"]})
    frame.to_parquet(tmp_path / "tasks.parquet")
    path = tmp_path / "good.yaml"
    path.write_text(FROM_TRACE.replace("FILE", "tasks.parquet"))
    tasks = sim.run(load_scenario(path), ["static"]).tasks
    assert tasks[["task_id", "workspace", "plan_ended_at"]].values.tolist() == [["x", "b", 1], ["y", "a", 3]]


def test_one_long_name_among_many_costs_only_itself(tmp_path: Path) -> None:
    rows = "".join(f"{n},1,w{n}\n" for n in range(20_000))
    (tmp_path / "tasks.csv").write_text(f"arrive,plan,workspace\n{rows}20000,1,{'long' * 30_000}\n")
    path = tmp_path / "good.yaml"
    path.write_text(FROM_TRACE.replace("FILE", "tasks.csv").replace("1h", "60s"))
    assert len(sim.run(load_scenario(path), ["static"]).tasks) == 60


# On the command line

SMALL = GENERATED.replace("workload", "policies: [old, {name: static, label: '[/b][red]é'}]\nworkload")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path


def ran(here: Path, command: str, **environment: str) -> tuple[int, str, str]:
    """Status, output and errors of a command line of a shell."""
    line = command.replace("SIM", f"{sys.executable} -m sim")
    done = subprocess.run(
        ["bash", "-c", line], cwd=here, capture_output=True, check=False, env={**os.environ, **environment}
    )
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_label_is_no_markup(here: Path) -> None:
    status, out, _ = ran(here, "SIM run small.yaml")
    assert status == 0
    assert "[/b][red]é" in out


def test_a_terminal_that_cannot_show_a_letter(here: Path) -> None:
    status, out, _ = ran(here, "SIM run small.yaml", PYTHONIOENCODING="ascii")
    assert status == 0
    assert "\\xe9" in out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("SIM run small.yaml -p ''", "policy: found '', expected text that is not empty"),
        ("SIM run small.yaml -p $(printf 'x%.0s' {1..300})", "policy: found 'xxx"),
        (r"SIM run small.yaml -p $'\xff'", "policy: found '\\udcff', expected"),
        ("SIM run ''", "'': cannot be read: Is a directory, expected a scenario file"),
        (
            "SIM run small.yaml --seed 9223372036854775808",
            "seed: found 9223372036854775808, expected a number below 92",
        ),
        ("SIM run small.yaml -r 1000001", "replications: found 1000001, expected a number of at most 1000000"),
        ("SIM run - <&-", "<stdin>: cannot be read: it is closed, expected a scenario file"),
        ("SIM run small.yaml > /dev/full", "standard output: No space left on device"),
    ],
)
def test_a_command_that_means_no_good(here: Path, command: str, message: str) -> None:
    status, _, err = ran(here, command)
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith(message)


def test_closed_streams_are_no_defect(here: Path) -> None:
    assert ran(here, "SIM run small.yaml >&-")[0] == 0
    assert ran(here, "SIM run none.yaml 2>&-")[0] == 2


def test_a_folder_whose_name_is_no_text(here: Path) -> None:
    assert ran(here, r"SIM run -q small.yaml -o $'a\xff' && ls a*/generated")[:2] == (
        0, "decisions.parquet\nincidents.parquet\nmanifest.json\npods.parquet\nreservations.parquet\nsummary.json\ntasks.parquet\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    "there",
    [
        "mkdir -p results/generated && echo mine > results/generated/work.py",
        'mkdir -p results/generated && echo \'{"name": "an extension"}\' > results/generated/manifest.json',
        "mkdir results && echo mine > results/generated",
        "mkdir results && mkfifo results/generated",
    ],
)
def test_what_is_no_result_of_ours_is_never_replaced(here: Path, there: str) -> None:
    before = ran(here, f"{there} && ls -lR --time-style=full-iso results")[1]
    status, out, err = ran(here, "SIM run small.yaml")
    assert (status, out) == (2, "")
    assert err.startswith("results/generated: found something that is no result of an earlier run, expected another")
    assert err.count("\n") == 1
    assert ran(here, "ls -lR --time-style=full-iso results")[1] == before


def test_the_folder_of_baselines_is_not_replaced_by_a_scenario_of_that_name(here: Path) -> None:
    assert ran(here, "SIM check -q small.yaml --save-baseline")[0] in (0, 3)
    assert ran(here, "sed 's/name: .*/name: baselines/' small.yaml | SIM run -")[0] == 2
    assert (here / "results/baselines/generated.json").exists()


def test_an_empty_folder_and_a_link_are_replaced(here: Path) -> None:
    assert ran(here, "mkdir -p results/generated mine && SIM run -q small.yaml")[0] == 0
    assert ran(here, "rm -r results/generated && ln -s ../mine results/generated && SIM run -q small.yaml")[0] == 0
    assert (here / "results/generated/summary.json").exists()
    assert not any((here / "mine").iterdir())
