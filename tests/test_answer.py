"""The answer above the table: from figures to sentences."""

from __future__ import annotations

from typing import Any

import pytest

import sim
from sim.report.answer import answer, worse_than_another

from support import plan, scenario


class Told:
    """A result with these figures."""

    def __init__(
        self, replications: int = 1, varies: bool = True, verdict: str = "less", **policies: dict[str, Any]
    ) -> None:
        self.labels = tuple(policies)
        self.replications = replications
        self.varies = varies
        self.scenario = scenario(workload={"tasks": [plan(1, 0, 1)]}, **policies.pop("parts", {}))
        self.labels = tuple(policies)
        figures = {label: metrics(replications, **given) for label, given in policies.items()}
        change = {"value": -1, "verdict": verdict}
        apart = {"apply_wait": {"p95": change}, "plan_wait": {"p95": change}, "pod_seconds": change}
        self.summary = {"policies": figures, "comparisons": dict.fromkeys(self.labels[1:], apart)}


def metrics(
    replications: int, done: float = 100, apply: float | str = 0, plan: float | str = 0, hours: float = 10,
    applies: float = 50, confirmed: float = 40, seen: int | None = None, money: float | None = None,
    within: float | None = None, tasks: float = 100,
) -> dict[str, Any]:  # fmt: skip
    def wait(value: float | str) -> dict[str, Any]:
        bound = isinstance(value, str)
        number = {"value": float(str(value).lstrip(">")), **({"lower_bound": True} if bound else {})}
        number["replications"] = replications if seen is None else seen
        return {"p95": number, "p99": number, **({} if within is None else {"within_slo": {"value": within}})}

    return {
        "tasks": {"value": tasks}, "completed": {"value": done},
        "errored": {"value": 0}, "discarded": {"value": 0}, "canceled": {"value": 0}, "confirmed": {"value": confirmed},
        "plan_and_apply": {"tasks": {"value": applies}}, "apply_wait": wait(apply), "plan_wait": wait(plan),
        "pod_seconds": {"value": hours * 3600}, **({} if money is None else {"cost": {"total": {"value": money}}}),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("result", "sentences"),
    [
        (
            Told(old={"apply": 5000}, fixed={"hours": 20}),
            [
                "It is a choice between cost and waits. old is the cheapest: 100 of 100 tasks are finished, 95 % of applies "
                "start within 5,000 s (83.3 min) and 95 % of plans at once, for 10.00 pod-hours. fixed is the quickest: 100 of "
                "100 tasks are finished, 95 % of applies and of plans start at once, for 20.00 pod-hours.",
                "This is one world: an anecdote. -r 50 shows what other worlds do.",
            ],
        ),
        (
            Told(50, old={"done": 60, "apply": ">9000", "hours": 5}, fixed={"plan": 900, "hours": 30}, demand={"plan": 30}),
            [
                "demand does best: 100 of 100 tasks are finished, 95 % of applies start at once and 95 % of plans within "
                "30 s, for 10.00 pod-hours.",
                "fixed serves no better and costs 30.00 pod-hours.",
                "old (60) is out: it finishes fewer tasks than demand (100), so its waits and cost are for less work.",
                "In 50 worlds demand differs from old beyond chance in apply waits, plan waits and pod-hours.",
            ],
        ),
        (
            Told(20, verdict="cannot tell", old={}, fixed={"hours": 12}),
            [
                "old does best: 100 of 100 tasks are finished, 95 % of applies and of plans start at once, for 10.00 pod-hours.",
                "fixed serves no better and costs 12.00 pod-hours.",
                "In 20 worlds fixed differs from old in apply waits, plan waits and pod-hours that may be chance "
                "(-r 80 halves the doubt).",
            ],
        ),
        (
            Told(20, old={"done": 10}, cheap={"apply": 90}, quick={"hours": 20}),
            [
                "It is a choice between cost and waits. cheap is the cheapest: 100 of 100 tasks are finished, 95 % of applies "
                "start within 90 s and 95 % of plans at once, for 10.00 pod-hours. quick is the quickest: 100 of 100 tasks are "
                "finished, 95 % of applies and of plans start at once, for 20.00 pod-hours.",
                "old (10) is out: it finishes fewer tasks than cheap (100), so its waits and cost are for less work.",
                "In 20 worlds cheap and quick differ from old beyond chance in apply waits, plan waits and pod-hours.",
                "How sure the difference between cheap and quick is, -p cheap -p quick tells.",
            ],
        ),
        (
            Told(3, only={"applies": 0, "confirmed": 0, "plan": ">7200", "done": 20}),
            [
                "Under only 20 of 100 tasks are finished, 95 % of plans start not even within 7,200 s (2 h), for 10.00 "
                "pod-hours.",
                "3 worlds are too few to say how sure this is; -r 50 would tell.",
            ],
        ),
        (
            Told(old={"done": 20, "plan": ">900"}, new={"done": 50, "plan": ">800"}),
            [
                "No policy copes. The least bad is new: 50 of 100 tasks are finished, 95 % of applies start at once and 95 % "
                "of plans not even within 800 s (13.3 min), for 10.00 pod-hours.",
                "old (20) is out: it finishes fewer tasks than new (50), so its waits and cost are for less work.",
                "This is one world: an anecdote. -r 50 shows what other worlds do.",
            ],
        ),
        (
            Told(varies=False, a={"confirmed": 0}),
            [
                "Under a 100 of 100 tasks are finished, no task was confirmed, and 95 % of plans start at once, for 10.00 "
                "pod-hours.",
                "Nothing in this scenario is random: another run gives the same.",
            ],
        ),
        (
            Told(20, a={"seen": 1}),
            [
                "Under a 100 of 100 tasks are finished, a task was confirmed in only 1 of 20 worlds, and 95 % of plans "
                "start at once, for 10.00 pod-hours.",
                "These are means of 20 worlds.",
            ],
        ),
        (Told(a={"tasks": 0, "done": 0}), ["No task arrived, so there is nothing to compare."]),
        (
            Told(
                varies=False, parts={"cost": {"pod_hour": 1, "waiting_hour": 2}, "slo": {"apply_wait": "60s"}},
                dear={"money": 90, "within": 1, "hours": 9}, cheap={"money": 20, "within": 0.5, "hours": 99},
            ),
            [
                "cheap does best: 100 of 100 tasks are finished, 95 % of applies start at once (50.0 % within 60 s) and 95 % of "
                "plans at once, for 20.00 EUR.",
                "dear serves no better and costs 90.00 EUR.",
                "Nothing in this scenario is random: another run gives the same.",
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_said(result: Any, sentences: list[str]) -> None:
    assert answer(result) == sentences


def test_fourteen_policies_are_told_in_as_few_sentences_as_two() -> None:
    policies: dict[str, Any] = {f"p{n}": {"hours": 10 + n, "plan": 10 * n} for n in range(12)}
    result: Any = Told(50, **policies, poor={"done": 50, "hours": 1}, poorer={"done": 0, "hours": 0})
    told = answer(result)
    assert (
        told[0]
        == "p0 does best: 100 of 100 tasks are finished, 95 % of applies and of plans start at once, for 10.00 pod-hours."
    )
    assert told[1].startswith(
        "p1, p2, p3, p4, p5, p6, p7, p8, p9, p10 and p11 serve no better and cost 11.00 pod-hours to 21.00 pod-hours"
    )
    assert told[2].startswith("poor (50) and poorer (0) are out: they finish fewer tasks than p0 (100)")
    assert len(told) == 4
    assert worse_than_another(result.summary, result.labels) == {f"p{n}": "p0" for n in range(1, 12)}


def test_a_policy_that_finishes_fewer_tasks_is_never_praised() -> None:
    result: Any = Told(old={"done": 40, "hours": 1}, new={"done": 90, "apply": 7000, "hours": 50})
    told = answer(result)
    assert told[0].startswith("new does best")
    assert told[1].startswith("old (40) is out: it finishes fewer tasks than new (90)")


def test_the_case_in_which_a_policy_lets_everybody_queue() -> None:
    """Three long jobs run and three more arrive: whoever deducts the running ones makes no pod for them."""
    tasks = [plan(n, 10 if n < 3 else 600, 3 * 3600) for n in range(6)]
    experiment = scenario(
        workload={"tasks": tasks}, horizon="4h",
        pool={"min_pods": 0, "max_pods": 10, "slots_per_pod": 1, "pod_startup": 5},
        policies=[{"name": "keda-jobs", "label": "queued", "metric": "queued"}, {"name": "keda-jobs", "label": "all"}],
    )  # fmt: skip
    result = sim.run(experiment)
    assert answer(result)[:2] == [
        "all does best: 6 of 6 tasks are finished, 95 % of plans start within 30 s, for 18.01 pod-hours.",
        "queued (3) is out: it finishes fewer tasks than all (6), so its waits and cost are for less work.",
    ]
    assert result.summary["policies"]["queued"]["plan_wait"]["max"]["value"] == 10240


def test_notes_name_who_kept_others_from_running() -> None:
    undecided = [{**plan(n, 60 * (n - 1), 10), "type": "plan_and_apply", "workspace": "stuck"} for n in range(1, 9)]
    tasks = [*undecided, plan(9, 4000, 1)]
    result = sim.run(scenario(workload={"tasks": tasks}))
    notes = result.summary["notes"]
    assert notes[0].startswith("1 of 9 tasks do not arrive before the horizon (1 h) and are left out")
    assert "7 tasks never became eligible" in notes[1]
    assert "task 1 of workspace stuck kept 7 others from running" in notes[1]
    frame = result.tasks.set_index("task_id")
    assert frame.blocked_by[[2, 8]].tolist() == [1, 1]
    assert frame.blocked_wait[2] == 3540
    assert frame.blocked_censored[2]
    assert frame.plan_wait.isna()[2]
