"""Replications, intervals, paired comparisons, precision and warm-up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sim
from sim.experiment.precision import is_reached, next_look
from sim.report.table import notes
from sim.scenario.scenario import Precision
from sim.statistics.intervals import difference, figure
from sim.statistics.waits import Estimate
from sim.statistics.warmup import mser5

from support import plan, plan_and_apply, scenario


def exact(*values: float | None) -> list[Estimate]:
    return [Estimate(value) for value in values]


# Intervals. t(0.975) is 4.303 with 2 degrees of freedom and 2.776 with 4 (any table of Student's t).


def test_the_interval_of_a_mean_is_students() -> None:
    found = figure(exact(1, 2, 3), 0.95)
    assert found.value == 2
    assert (found.ci_low, found.ci_high) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-4)
    assert not found.lower_bound


def test_one_replication_has_no_interval() -> None:
    found = figure(exact(7), 0.95)
    assert (found.value, found.ci_low, found.ci_high) == (7, None, None)


def test_without_data_there_is_no_figure_and_replications_without_data_do_not_count() -> None:
    assert figure(exact(None, None), 0.95).value is None
    assert figure(exact(1, None, 3), 0.95).value == 2


def test_a_lower_bound_stays_one_in_the_interval() -> None:
    found = figure([Estimate(1), Estimate(2), Estimate(3, lower_bound=True)], 0.95)
    assert found.lower_bound
    assert found.value == 2
    assert found.ci_low is not None
    assert found.ci_high is None


def test_differences_are_paired_by_replication() -> None:
    found = difference(exact(11, 22, 33), exact(10, 20, 30), 0.95)
    assert found.value == 2
    assert (found.ci_low, found.ci_high) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-4)
    assert found.gain == pytest.approx((121 + 100) / 1)
    assert found.direction == 0
    assert difference(exact(11, 12.1, 12.9), exact(10, 11, 12), 0.95).direction == 1
    assert difference(exact(9, 10.1, 10.9), exact(10, 11, 12), 0.95).direction == -1


def test_a_difference_from_a_lower_bound_is_at_most_what_it_seems() -> None:
    reference = [Estimate(100, lower_bound=True), Estimate(110)]
    found = difference(exact(10, 20.5), reference, 0.8)
    assert found.upper_bound
    assert not found.lower_bound
    assert found.ci_low is None
    assert found.ci_high is not None
    assert found.direction == -1
    turned = difference(reference, exact(10, 20.5), 0.8)
    assert turned.lower_bound
    assert turned.ci_high is None
    assert turned.direction == 1
    both = difference(reference, [Estimate(10, lower_bound=True), Estimate(20)], 0.8)
    assert both.value is None
    assert both.direction == 0


# Whole experiments


def confirmed_at(n: int, at: float) -> dict[str, Any]:
    return plan_and_apply(n, 0, 10, at - 10, 5)


class Starves:
    """Serves the first half of the tasks at once and the others never: it makes no pod once it has lost one."""

    def desired_pods(self, view: sim.PoolView) -> int:
        return view.pods


class Late:
    """Serves everyone, late."""

    def desired_pods(self, view: sim.PoolView) -> int:
        return 4 if view.time >= 2500 else view.pods


def test_a_policy_that_starves_is_never_better_than_one_that_serves_late() -> None:
    deletions = [
        {"kind": "pod_deletion", "at": {"dist": "uniform", "low": low, "high": low + 20}, "target": n}
        for n, low in enumerate((20, 20, 70, 70))
    ]
    experiment = scenario(
        workload={"tasks": [confirmed_at(n, 100 if n < 2 else 50) for n in range(4)]},
        pool={"min_pods": 0, "max_pods": 4, "initial_pods": 4},
        faults=deletions,
        horizon=4000,
        replications=5,
    )
    result = sim.run(experiment, [Late, Starves])
    frame = result.compare().set_index("metric")
    waits = frame[frame.index.str.startswith("apply_wait")]
    assert not waits.verdict.isin(["shorter"]).any()
    assert waits.loc[["apply_wait.mean", "apply_wait.max"], "bound"].tolist() == ["lower", "lower"]
    assert waits.loc["apply_wait.mean", "verdict"] == "longer"


def busy(**parts: Any) -> sim.Scenario:
    arrivals = {"process": "poisson", "rate": "40/h", "workspaces": 20, "plan_and_apply_share": 0.5, "plan": "60s",
                "confirm": {"dist": "exponential", "mean": "5m"}, "apply": "60s"}  # fmt: skip
    return scenario(
        **{
            "horizon": "4h",
            "workload": {"arrivals": arrivals},
            "pool": {"min_pods": 2, "max_pods": 8},
            "faults": [{"kind": "pod_deletion", "every": {"dist": "exponential", "mean": "30m"}, "target": "random"}],
            "policies": ["old", "fixed", "static"],
            "replications": 6,
            **parts,
        }
    )


def test_compare_has_a_row_per_other_policy_and_metric() -> None:
    frame = sim.run(busy()).compare()
    assert frame.policy.unique().tolist() == ["fixed", "static"]
    assert frame.metric[0] == "tasks"
    tasks = frame[frame.metric == "tasks"]
    assert (tasks.difference == 0).all()
    assert set(frame.verdict) <= {"shorter", "longer", "less", "more", "cannot tell"}
    pods = frame[frame.metric == "pod_seconds"]
    assert ((pods.value - pods.reference - pods.difference).abs() < 1e-6).all()
    assert (pods.pairing_gain.dropna() > 0).all()


def test_intervals_of_several_comparisons_hold_jointly() -> None:
    three, two = sim.run(busy()).summary, sim.run(busy(), ["old", "fixed"]).summary
    width = [s["comparisons"]["fixed"]["pod_seconds"] for s in (three, two)]
    joint, single = (entry["ci_high"] - entry["ci_low"] for entry in width)
    assert joint / single == pytest.approx(3.1634 / 2.5706, rel=1e-3)  # t(0.9875) and t(0.975), 5 degrees of freedom


def test_a_higher_confidence_makes_wider_intervals() -> None:
    at = [sim.run(busy(), ["old"], confidence=level).summary["policies"]["old"]["tasks"] for level in (0.9, 0.99)]
    assert at[0]["ci_high"] - at[0]["ci_low"] < at[1]["ci_high"] - at[1]["ci_low"]
    assert at[0]["value"] == at[1]["value"]


def test_precision_adds_replications_until_it_is_reached() -> None:
    wanted = {"metric": "tasks", "relative": "4%", "max_replications": 200}
    result = sim.run(busy(precision=wanted), ["old", "static"])
    assert result.precision_reached is True
    assert 10 <= result.replications < 200
    entry = result.summary["policies"]["old"]["tasks"]
    assert (entry["ci_high"] - entry["ci_low"]) / 2 <= 0.04 * entry["value"]
    assert sim.run(busy(precision=wanted), ["old", "static"], jobs=2).replications == result.replications


def estimates(*values: float) -> dict[str, list[dict[str, Estimate]]]:
    return {"demand": [{"apply_wait.p99": Estimate(value)} for value in values]}


@pytest.mark.parametrize("wanted", [{"relative": 0.1}, {"absolute": 3.0}])
def test_replications_in_which_nobody_waits_reach_no_precision(wanted: dict[str, float]) -> None:
    precision = Precision.model_validate({"metric": "apply_wait.p99", **wanted})
    assert not is_reached(precision, estimates(*[0] * 10), 0.95)
    assert not is_reached(precision, estimates(*[0] * 96, 1, 1, 1, 1), 0.95)
    assert not is_reached(precision, estimates(*[0] * 96, 1, 1, 1, 1), 0.95, done_all=True)
    # There is nothing more to be learnt when all replications are made, or where nothing is 0.
    assert is_reached(precision, estimates(*[0] * 100), 0.95, done_all=True)
    assert is_reached(precision, estimates(*[7] * 10), 0.95)
    assert is_reached(Precision(metric="apply_wait.p99", absolute=3.0), estimates(*[0] * 95, 1, 1, 1, 1, 1), 0.95)


def test_a_difference_that_is_mostly_0_reaches_no_precision() -> None:
    measured = {"old": estimates(*[9] * 20)["demand"], "fixed": estimates(*[9] * 16, 8, 8, 8, 8)["demand"]}
    precision = Precision(metric="apply_wait.p99", absolute=3.0, on="difference")
    assert not is_reached(precision, measured, 0.95)
    measured["fixed"] = estimates(*[9] * 15, *[8] * 5)["demand"]
    assert is_reached(precision, measured, 0.95)


def test_precision_says_when_it_was_not_reached() -> None:
    result = sim.run(busy(precision={"metric": "tasks", "absolute": 0.1, "max_replications": 12}), ["old"])
    assert result.precision_reached is False
    assert result.replications == 12


def test_precision_of_a_difference() -> None:
    wanted = {"metric": "pod_seconds", "absolute": "20h", "on": "difference", "max_replications": 50}
    assert sim.run(busy(precision=wanted), ["old", "fixed"]).precision_reached is True


def test_precision_of_an_unknown_metric_is_told() -> None:
    with pytest.raises(sim.InputError, match=r"precision\.metric: found 'apply_wait\.p42', expected one of: tasks, "):
        sim.run(busy(precision={"metric": "apply_wait.p42", "relative": 0.1}))


def test_the_rule_looks_after_a_fifth_more_replications_each_time() -> None:
    looks = [10]
    while looks[-1] < 40:
        looks.append(next_look(looks[-1], 40))
    assert looks == [10, 12, 15, 18, 22, 27, 33, 40]


# Warm-up


def test_mser5_drops_a_transient_and_leaves_a_steady_series_alone() -> None:
    noise = np.random.default_rng(1).normal(size=2000)
    assert mser5(noise) < 400
    transient = noise + np.where(np.arange(2000) < 300, 40 * (1 - np.arange(2000) / 300), 0)
    assert 250 <= mser5(transient) <= 400
    assert mser5(np.ones(2000)) == 0


@pytest.mark.parametrize("level", [1.0, 1 / 3, 0.1])
def test_mser5_drops_no_more_than_it_has_to_where_the_rest_is_constant(level: float) -> None:
    """All cuts from 600 on are as good as each other: the first of them is the one."""
    assert mser5(np.where(np.arange(2000) < 600, 2 * level, level)) == 600


def test_runs_that_are_too_short_for_a_warm_up_say_so() -> None:
    arrivals = {"process": "poisson", "rate": "75/h", "plan": {"dist": "exponential", "mean": "4m"}}
    overloaded = scenario(
        workload={"arrivals": arrivals},
        pool={"min_pods": 4, "max_pods": 4, "slots_per_pod": 1},
        control={"dispatch": "notify"},
        horizon="2d",
        warmup="auto",
        replications=5,
    )
    result = sim.run(overloaded, ["static"])
    assert result.warmup == pytest.approx(24 * 3600, rel=0.01)
    assert result.warmup_too_short
    assert any("too short for a warm-up" in note for note in notes(result))


def test_warm_up_auto_is_chosen_and_told() -> None:
    result = sim.run(busy(warmup="auto", horizon="20h"), ["static"])
    assert 0 <= result.warmup <= 10 * 3600
    counted = result.tasks[result.tasks.arrived_at >= result.warmup].groupby("replication").size().mean()
    assert result.summary["policies"]["static"]["tasks"]["value"] == counted


def test_a_system_that_starts_empty_gets_a_warm_up() -> None:
    tasks = [plan(n, 10 * n, 3000) for n in range(900)]  # fills up to 300 at once within 3000 s, and stays there
    experiment = scenario(
        workload={"tasks": tasks},
        horizon=9000,
        warmup="auto",
        pool={"min_pods": 1, "max_pods": 1, "slots_per_pod": 400},
    )
    result = sim.run(experiment)
    assert result.warmup == pytest.approx(3000, abs=150)
    assert not result.warmup_too_short
