"""Records that mean no good: one line, status 2, and nothing half-written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import sim
from sim.cli.app import cli
from sim.scenario import InputError

HEAD = "id,pool,created_at,started_at,finished_at\n"
ROW = "{id},{pool},2026-06-01T08:00:00Z,2026-06-01T08:00:10Z,2026-06-01T08:02:00Z\n"

CELLS = st.sampled_from(
    ["", "null", "-1", "0", "1e308", "inf", "NaN", "true", "2026-06-01T08:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01",
     "1780000000", "1780000000000", "soon", "90s", "0:01:00", '"', "a\x00b", "\ud800"]
)  # fmt: skip


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=6), st.booleans())
def test_whatever_a_table_holds_it_is_read_or_refused_in_one_line_and_its_draft_runs(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], lock: bool
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    text = HEAD + "".join(",".join(row) + "\n" for row in rows)
    (folder / "t.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
    trace, scenario = folder / "t.parquet", folder / "t.yaml"
    done = CliRunner().invoke(
        cli,
        [
            "import",
            str(folder / "t.csv"),
            "-o",
            str(trace),
            "--scenario",
            str(scenario),
            *([] if lock else ["--no-lock"]),
        ],
    )
    if done.exit_code != 0:
        assert isinstance(done.exception, InputError), done.exc_info
        assert "\n" not in str(done.exception)
        assert not trace.exists()
        assert not scenario.exists()
        return
    sim.run(sim.load_scenario(scenario), ["static"])


@pytest.mark.parametrize("pool", ["null", "true", "1e5", "0x1f", "yes", "12", "a: b", "../x", "ü"])
def test_the_draft_for_any_name_of_a_pool_can_be_read(tmp_path: Path, pool: str) -> None:
    (tmp_path / "t.csv").write_text(HEAD + ROW.format(id=1, pool=f'"{pool}"'))
    for name in ("0x10.yaml", "TRUE.yaml", f"{'y' * 150}.yaml"):
        path = tmp_path / name
        done = CliRunner().invoke(
            cli, ["import", str(tmp_path / "t.csv"), "-o", str(tmp_path / "t.parquet"), "--scenario", str(path)]
        )
        assert done.exit_code == 0, (done.output, done.exception)
        assert len(sim.load_scenario(path).all_pools) == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "gitlab",
            [{"id": 1, "started_at": "2026-01-01T00:00:00Z", "queued_duration": 1, "duration": 3, "tag_list": 5}],
        ),
        ("gitlab", [{"id": "", "started_at": "2026-01-01T00:00:00Z", "queued_duration": 1, "duration": 10**400}]),
        ("gitlab", [{"id": "\ud800", "started_at": "2026-01-01T00:00:00Z", "queued_duration": 1, "duration": 3}]),
        ("buildkite", [{"jobs": [{"id": 1, "type": "script", "runnable_at": "2026-01-01", "agent_query_rules": 5}]}]),
        ("batsim", {"jobs": 3, "profiles": {}}),
        ("batsim", {"jobs": [{"id": 1, "subtime": 0, "profile": "p"}], "profiles": 5}),
        ("batsim", {"jobs": [{"id": 1, "subtime": 0, "profile": "p", "walltime": 9}], "profiles": {"p": "x"}}),
        ("hcp-terraform", {"data": [{"attributes": {"status-timestamps": [1]}}]}),
        ("github", {"jobs": [5]}),
    ],
)
def test_fields_of_another_kind_are_no_traceback(tmp_path: Path, name: Any, data: Any) -> None:
    (tmp_path / "t.json").write_text(json.dumps(data))
    done = CliRunner().invoke(
        cli, ["import", str(tmp_path / "t.json"), "--from", name, "-o", str(tmp_path / "t.parquet")]
    )
    assert done.exception is None or isinstance(done.exception, InputError), done.exc_info
    assert "\n" not in str(done.exception)


def test_a_blank_before_a_name_and_nine_digits_of_seconds_are_fine(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        " id, created_at ,started_at,finished_at\n1,2026-06-01T08:00:00.000000001Z,2026-06-01T08:00:10Z,2026-06-01T08:02:00Z\n"
    )
    assert sim.import_records(tmp_path / "t.csv").frame.plan.tolist() == [110]


def test_a_password_is_never_shown() -> None:
    for address in ("mysql://user:SECRET@host/db", "postgresql://u:SECRET@h:port/d"):
        with pytest.raises(InputError) as caught:
            sim.import_records(address)
        assert "SECRET" not in str(caught.value)


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEAD + ROW.format(id=1, pool="a"))
    trace = tmp_path / "t.parquet"
    assert CliRunner().invoke(cli, ["import", str(tmp_path / "t.csv"), "-o", str(trace)]).exit_code == 0
    before = trace.read_bytes()
    again = CliRunner().invoke(cli, ["import", str(trace), "-o", str(trace)])
    assert "found the file that is read, expected another one" in str(again.exception)
    fitted = CliRunner().invoke(cli, ["fit", str(trace), "--scenario", str(trace)])
    assert "expected a scenario file that ends in .yaml" in str(fitted.exception)
    assert trace.read_bytes() == before
    # A trace that is imported is the same trace.
    copy = CliRunner().invoke(cli, ["import", str(trace), "-o", str(tmp_path / "copy.parquet")])
    assert "It is a trace already" in copy.output
    copied, first = (pd.read_parquet(path).astype({"id": str}) for path in (tmp_path / "copy.parquet", trace))
    pd.testing.assert_frame_equal(copied, first)


def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    for name in ("t.csv", "t.json", "t.csv.gz"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(InputError, match="found no regular file"):
            sim.import_records(tmp_path / name)
    with pytest.raises(InputError):
        sim.import_records("/dev/zero", "gitlab")


def test_a_scenario_that_somebody_may_have_edited_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEAD + ROW.format(id=1, pool="a"))
    command = [
        "import",
        str(tmp_path / "t.csv"),
        "-o",
        str(tmp_path / "t.parquet"),
        "--scenario",
        str(tmp_path / "s.yaml"),
    ]
    assert CliRunner().invoke(cli, command).exit_code == 0
    (tmp_path / "s.yaml").write_text("mine")
    assert "expected a new file: --force writes over it" in str(CliRunner().invoke(cli, command).exception)
    assert (tmp_path / "s.yaml").read_text() == "mine"
    assert CliRunner().invoke(cli, [*command, "--force"]).exit_code == 0
    sim.load_scenario(tmp_path / "s.yaml")


def test_lengths_that_hardly_differ_and_lengths_that_do_not_are_fitted(tmp_path: Path) -> None:
    for lengths in ([1 + i * 1e-15 for i in range(40)], [1e-300 * (i + 1) for i in range(40)], [30.0] * 40):
        frame = pd.DataFrame({"type": "plan", "arrive": np.arange(40) * 60.0, "plan": lengths})
        sim.fit_arrivals(frame)
        frame.to_parquet(tmp_path / "t.parquet")
        done = CliRunner().invoke(cli, ["fit", str(tmp_path / "t.parquet"), "--picture", str(tmp_path / "p.png")])
        assert done.exit_code == 0, (done.output, done.exception)


@pytest.mark.parametrize(
    "source", [None, 5, [1], {"a": 1}, pd.DataFrame([[1, 2]], columns=["arrive", "arrive"]), "no\0such.csv"]
)
def test_from_python_too_what_is_no_table_is_told(source: Any) -> None:
    for read in (sim.read_trace, sim.import_records, sim.fit_arrivals):
        with pytest.raises(InputError):
            read(source)


def test_frames_with_names_and_types_of_any_kind() -> None:
    frame = pd.DataFrame({"arrive": [0.0, 1.0], "plan": [2.0, 3.0], 5: ["x", "y"], None: ["a", "b"]}, index=[7, 7])
    assert sim.read_trace(frame).plan.tolist() == [2, 3]
    moments = pd.Series(pd.to_datetime(["2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"])).astype(
        "timestamp[us, tz=UTC][pyarrow]"
    )
    assert sim.read_trace(pd.DataFrame({"arrive": moments, "plan": [1.0, 1.0]})).arrive.tolist() == [0, 60]
