"""Tables as people have them: formats, delimiters, times, units, and what to say of those that cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sim
from sim.scenario import InputError
from sim.traces.moments import read_times
from sim.traces.recording import recording_of
from sim.traces.table import Table
from sim.traces.tables import read_table

ROWS = [("a", 0, 5, ""), ("b", 1.5, 7, "10")]
CSV = "workspace,arrive,plan,confirm\na,0,5,\nb,1.5,7,10\n"


def compressed(data: bytes, how: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, how) as stream:
        stream.write(data)
    return bytes(sink.getvalue().to_pybytes())


def as_json() -> list[dict[str, Any]]:
    return [
        {"workspace": w, "arrive": a, "plan": p, "confirm": float(c) if c else None} for w, a, p, c in ROWS
    ]  # fmt: skip


FILES = {
    "plain.csv": CSV.encode(),
    "byte-order-mark.csv": b"\xef\xbb\xbf" + CSV.encode(),
    "semicolons.csv": CSV.replace(",", ";").encode(),
    "pipes.csv": CSV.replace(",", "|").encode(),
    "tabs.csv": CSV.replace(",", "\t").encode(),
    "tabs.tsv": CSV.replace(",", "\t").encode(),
    "quoted.csv": b'"workspace","arrive","plan","confirm"\r\n"a","0","5",""\r\n"b","1.5","7","10"\r\n',
    "plain.csv.gz": gzip.compress(CSV.encode()),
    "plain.csv.zst": compressed(CSV.encode(), "zstd"),
    "list.json": json.dumps(as_json()).encode(),
    "within.json": json.dumps({"total": 2, "runs": as_json()}).encode(),
    "lines.jsonl": "\n".join(map(json.dumps, as_json())).encode(),
    "lines.ndjson.gz": gzip.compress("\n\n".join(map(json.dumps, as_json())).encode()),
}


@pytest.mark.parametrize("name", [*FILES, "table.parquet", "table.parquet.zst"])
def test_a_trace_may_have_any_of_these_formats(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name in FILES:
        path.write_bytes(FILES[name])
    else:
        frame = pd.DataFrame(as_json())
        frame.to_parquet(tmp_path / "table.parquet")
        if name.endswith(".zst"):
            path.write_bytes(compressed((tmp_path / "table.parquet").read_bytes(), "zstd"))
    recording = recording_of(scenario_of(tmp_path, f"{{file: {name}, plan_and_apply_share: 1, apply: 1s}}"))
    assert recording is not None
    assert recording.columns["arrive"].tolist() == [0, 1.5]
    assert recording.columns["plan"].tolist() == [5, 7]
    assert recording.columns["workspace"].tolist() == ["a", "b"]
    assert pd.Series(recording.columns["confirm"]).fillna(-1).tolist() == [-1, 10]


def scenario_of(folder: Path, trace: str, more: str = "") -> sim.Scenario:
    path = folder / "recorded.yaml"
    path.write_text(f"name: recorded\nhorizon: 1h\n{more}workload:\n  trace: {trace}\n")
    return sim.load_scenario(path)


@pytest.mark.parametrize(
    ("cells", "seconds", "moments"),
    [
        (["90s", "5 min", "1h", "250 ms"], [90, 300, 3600, 0.25], False),
        (["0:01:00", "1:00:00.5", "00:30"], [60, 3600.5, 1800], False),
        (["2 days 01:00:00", "1 day, 0:00:01"], [176400, 86401], False),
        (["1.5", "", "2e2"], [1.5, None, 200], False),
        (["1700000000", "1700000060"], [1700000000, 1700000060], True),
        (["1700000000000", "1700000060500"], [1700000000, 1700000060.5], True),
        (["1970-01-01T00:01:00Z", "1970-01-01T02:00:00+01:00", ""], [60, 3600, None], True),
        (["1970-01-02", "1970-01-02 00:00:01.5"], [86400, 86401.5], True),
        (["2023-11-14 22:13:20 UTC"], [1700000000], True),
    ],
)
def test_times_are_read_in_the_forms_that_people_write(
    cells: list[str], seconds: list[float | None], moments: bool
) -> None:
    times = read_times(Table("t", pd.DataFrame({"when": cells})), "when")
    assert pd.Series(times.seconds).astype(object).where(pd.notna(times.seconds), None).tolist() == seconds
    assert times.are_moments == moments


def test_a_time_without_a_zone_is_in_the_given_one_and_clocks_that_change_are_said() -> None:
    cells = pd.DataFrame({"when": ["2025-10-26T01:59:59", "2025-10-26T02:30:00", "2025-10-26T03:00:00"]})
    times = read_times(Table("t", cells), "when", "Europe/Berlin")
    assert (times.seconds - 1761436799).tolist() == [0, 1801, 7201]  # the hour from 2 to 3 comes twice
    assert "an hour that the clocks of Europe/Berlin repeat or skip" in times.notes[0]
    spring = pd.DataFrame({"when": ["2025-03-30T02:30:00"]})
    assert read_times(Table("t", spring), "when", "Europe/Berlin").seconds.tolist() == [1743296400]
    assert "taken for UTC" in read_times(Table("t", spring), "when").notes[0]


def test_timestamps_decimals_durations_and_dictionaries_of_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "arrive": pa.array([0, 60_000], pa.timestamp("ms", "UTC")),
            "plan": pa.array([5, 7], pa.int64()).cast(pa.decimal128(21, 1)),
            "type": pa.array(["plan", "plan"]).dictionary_encode(),
            "confirm": pa.array([1000, 2000], pa.duration("ms")),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    recording = recording_of(scenario_of(tmp_path, "{file: t.parquet, apply: 1s}"))
    assert recording is not None
    assert recording.columns["arrive"].tolist() == [0, 60]
    assert recording.columns["plan"].tolist() == [5, 7]
    assert recording.columns["confirm"].tolist() == [1, 2]
    assert recording.zero == 0


COLUMNS = """{file: runs.csv, timezone: Europe/Berlin, where: {queue: [terraform, terraform-large]}, plan_and_apply_share: 1,
    columns: {arrive: created_at, plan: [started_at, planned_at], confirm: [planned_at, confirmed_at], workspace: ws},
    apply: 60s}"""
RUNS = """ws,queue,created_at,started_at,planned_at,confirmed_at
a,terraform,2026-06-01 08:00:00,2026-06-01 08:00:10,2026-06-01 08:01:10,2026-06-01 08:05:00
a,build,2026-06-01 08:00:01,2026-06-01 08:00:10,2026-06-01 08:01:10,
b,terraform-large,2026-06-01 08:00:30,2026-06-01 08:00:31,2026-06-01 08:02:31,
c,terraform,2026-06-01 08:00:40,,,
d,terraform,2026-06-01 08:00:50,2026-06-01 08:01:31,2026-06-01 08:01:30,
"""


def test_the_scenario_may_say_which_column_is_what_and_which_rows_to_keep(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(RUNS)
    recording = recording_of(scenario_of(tmp_path, COLUMNS))
    assert recording is not None
    assert recording.columns["arrive"].tolist() == [0, 30]
    assert recording.columns["plan"].tolist() == [60, 120]
    assert pd.Series(recording.columns["confirm"]).fillna(-1).tolist() == [230, -1]
    assert [note.replace(f"{tmp_path}/runs.csv: ", "") for note in recording.notes] == [
        "1 of 5 rows left out by where",
        "1 rows left out, as they have no length of their plan (first line 5)",
        "1 rows left out, as they have a negative plan (first line 6)",
        "1 runs without a confirm are never decided, and lock their workspace to the end; 'sim import' concludes how "
        "they ended",
    ]


def test_time_0_is_the_start_of_the_scenario_if_it_has_one(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(RUNS)
    recording = recording_of(scenario_of(tmp_path, COLUMNS, "start: 2026-06-01T08:00:20\n"))
    assert recording is not None
    assert recording.columns["arrive"].tolist() == [10]
    assert "1 rows left out, as they arrive before the scenario's start" in recording.notes[-1]


def test_names_that_systems_use_are_guessed_and_the_guess_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(
        RUNS.replace("ws,queue", "workspaceName,team").replace("planned_at", "Planned At")
    )
    recording = recording_of(scenario_of(tmp_path, "runs.csv"))
    assert recording is not None
    assert recording.columns["arrive"].tolist() == [0, 1, 30, 40]
    assert "workspace = workspaceName, arrival = created_at" in recording.notes[0]
    assert any("1 rows left out: a plan that ends before it begins" in note for note in recording.notes)


@pytest.mark.parametrize(
    ("name", "content", "trace", "message"),
    [
        ("t.csv", "arrive,plan\n1700000000000,60\n", "t.csv", "which looks like milliseconds since 1970; expected sec"),
        ("t.csv", "when\n1\n", "t.csv", "t.csv:1: arrive: found only the columns 'when', expected one that says when"),
        (
            "t.csv",
            "arrive,plan\n1,2\n",
            "{file: t.csv, columns: {arrive: at}}",
            "t.csv: at: found no column 'at'; expected one of its columns: arrive, plan",
        ),
        ("t.csv", "arrive,plan\n1,2\n", "{file: t.csv, columns: {plan: plan}}", "expected arrive among them"),
        (
            "t.csv",
            "arrive,plan\n1,2\n",
            "{file: t.csv, columns: {arriv: at}}",
            "found the unknown key 'arriv', expected one of: id, workspace",
        ),
        ("t.csv", "arrive,plan\n1,2\n", "{file: t.csv, columns: {arrive: [a, b]}}", "expected one column, as only"),
        ("t.csv", "arrive,plan\n1,2\n", "{file: t.csv, where: {plan: 3}}", "found no row with plan: '3', expected o"),
        ("t.csv", "arrive,plan\n1,2\n", "{file: t.csv, timezone: Mars}", "timezone: found 'Mars', expected the name"),
        ("t.csv", "arrive,plan\n1,2026-01-01T00:00:00Z\n", "t.csv", "found moments on a calendar, expected lengths"),
        ("t.csv", "arrive,plan\n2026-01-01,2\nsoon,2\n", "t.csv", "t.csv:3: arrive: found 'soon', expected seconds"),
        ("t.jsonl", '{"arrive": 1}\n{"arrive": \n', "t.jsonl", "t.jsonl:2: found text that is no JSON"),
        ("t.jsonl", '{"arrive": 1}\n7\n', "t.jsonl", "t.jsonl:2: found 7, expected an object on each line"),
        ("t.json", '{"a": 1}', "t.json", "t.json: found no list of objects"),
        ("t.json", '[{"arrive": [1]}]', "t.json", "t.json: arrive: found a column of type list"),
        ("t.json", '[{"arrive": 1, "plan": true}]', "t.json", "t.json: plan: found a column of type bool"),
        ("t.swf", "1 2 3\n", "t.swf", "t.swf:1: found 3 fields, expected the 18 of the Standard Workload Format"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(
    tmp_path: Path, name: str, content: str, trace: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        scenario_of(tmp_path, trace)
    assert "\n" not in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.zst", "t.jsonl.gz"])
def test_a_truncated_compressed_file_is_told(tmp_path: Path, name: str) -> None:
    text = "arrive,plan\n" + "".join(f"{n},{n * 7919 % 9973}\n" for n in range(50_000))
    whole = compressed(text.encode(), "gzip" if name.endswith("gz") else "zstd")
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged or incomplete"):
        scenario_of(tmp_path, name)


def test_a_file_of_too_many_rows_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.traces.table.MOST_ROWS", 10)
    pd.DataFrame({"arrive": range(11)}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="found 11 rows, expected at most 10"):
        read_table(tmp_path / "t.parquet")


def test_ids_that_are_written_differently_are_different(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,type,arrive,plan\n01,plan,0,1\n1,plan,1,1\n0,plan,2,1\n")
    recording = recording_of(scenario_of(tmp_path, "t.csv"))
    assert recording is not None
    assert recording.columns["id"].tolist() == ["01", 1, 0]


def test_only_the_columns_that_are_wanted_are_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    assert list(read_table(tmp_path / "t.csv", lambda names: ["b"]).frame) == ["b"]
