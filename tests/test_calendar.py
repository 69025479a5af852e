"""What depends on the time of the week: freezes and scheduled minimums."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sim
from sim.scenario.weekly import Weekly

from support import Always, Script, plan, run, scenario

DAY, HOUR = 86400, 3600


@pytest.mark.parametrize(
    ("given", "spans"),
    [
        ({"weekdays": ["mon"], "begin": "08:00", "end": "18:00"}, [(8 * HOUR, 18 * HOUR)]),
        ({"weekdays": ["sun"], "begin": "22:00", "end": "06:00"}, [(6 * DAY + 22 * HOUR, 7 * DAY + 6 * HOUR)]),
        ({"weekdays": ["tue"]}, [(DAY, 2 * DAY)]),
    ],
)
def test_a_part_of_the_week(given: dict[str, Any], spans: list[tuple[float, float]]) -> None:
    assert Weekly.model_validate(given).spans() == spans


def test_a_weekly_freeze_is_on_at_that_time_of_the_week() -> None:
    weekly = {"weekdays": ["sun"], "begin": "22:00", "end": "06:00"}
    experiment = scenario(
        start="2026-06-01T05:59+02:00",  # a Monday
        horizon=120,
        pool={"min_pods": 2, "max_pods": 5},
        safeguards={"freezes": [{"weekly": weekly}]},
        workload={"tasks": [plan(1, 0, 1)]},
    )
    for engine in ("simpy", "fast"):
        decisions = sim.run(experiment, [Always(3)], engine=engine).decisions
        assert decisions[["time", "pods_before", "pods_after"]].to_numpy().tolist() == [[5, 2, 0], [60, 0, 3]]


def test_a_policy_with_a_schedule_keeps_that_many_pods_in_those_hours() -> None:
    parts = {"start": "2026-06-05T17:59", "horizon": 130, "pool": {"min_pods": 0, "max_pods": 9, "initial_pods": 0}}
    schedule = [
        {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "begin": "08:00", "end": "18:00", "min_pods": 4},
        {"weekdays": ["fri"], "begin": "18:01", "end": "18:05", "min_pods": 2},
    ]
    for name in ("old", "demand", "static"):
        policy = {"name": name, "schedule": schedule, **({"keep": 0} if name == "demand" else {})}
        experiment = scenario(policies=[policy], workload={"tasks": [plan(1, 500, 1)]}, **parts)
        for engine in ("simpy", "fast"):
            decisions = sim.run(experiment, engine=engine).decisions
            found = decisions[["time", "pods_after"]].to_numpy().tolist()
            # It is Friday, 17:59. `old` gives one pod back at a tick.
            first, *_, last = found
            assert first == [5, 4]
            assert last == [120, 2]
            assert [60, 0] in found or name == "old"


def test_a_scheduled_policy_sees_the_minimum_and_may_ask_for_more() -> None:
    script = Script(1, 5)
    schedule = [{"begin": "00:00", "end": "23:59", "min_pods": 3}]
    from sim.experiment.named_policies import Scheduled
    from sim.scenario.weekly import ScheduledMinimum

    spans = tuple((b, e, 3) for b, e in ScheduledMinimum.model_validate(schedule[0]).spans())
    found = run(
        [plan(1, 0, 1)], Scheduled(script, spans), pool={"min_pods": 1, "max_pods": 9}, horizon=12, engine="simpy"
    )
    assert [view.min_pods for view in script.views] == [3, 3]
    assert found.decisions == [(5, 1, 3), (10, 3, 5)]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("start: yesterday", "start: found 'yesterday', expected a date and a time such as '2026-06-01T06:00+02:00'"),
        (
            "safeguards: {freezes: [{at: 5m}]}",
            "safeguards.freezes[0].duration: found nothing, expected at and duration",
        ),
        ("safeguards: {freezes: [{weekly: {weekdays: [fr]}}]}", "weekdays[0]: found 'fr', expected 'mon', 'tue'"),
        ("policies: [{name: old, schedule: [{begin: '25:00', min_pods: 1}]}]", "found '25:00', expected a time of day"),
        (
            "policies: [{name: old, schedule: [{begin: '05:00', min_pods: 6}]}]",
            "schedule[0].min_pods: found 6, expected at most max_pods (5)",
        ),
        (
            "policies: [{name: old, schedule: [{begin: '05:00'}]}]",
            "schedule[0].min_pods: found nothing, expected a value",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path: Path, parts: str, said: str) -> None:
    text = "name: x\nhorizon: 1h\nworkload: {tasks: [{id: 1, type: plan, workspace: w, arrive: 0, plan: 1}]}\n"
    (tmp_path / "x.yaml").write_text(text + parts + "\n")
    with pytest.raises(sim.InputError) as caught:
        sim.load_scenario(tmp_path / "x.yaml")
    assert said in str(caught.value)
