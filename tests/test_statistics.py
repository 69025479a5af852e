"""Replications, intervals, paired comparisons, precision and warm-up."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest

import sim
from sim.experiment.precision import is_reached, next_look
from sim.report.table import notes
from sim.scenario.scenario import Precision
from sim.statistics.columns import Column, Worlds
from sim.statistics.intervals import difference, figure, relative_change
from sim.statistics.pooled import pooled_quantile
from sim.statistics.task_waits import TaskWaits
from sim.statistics.waits import Estimate
from sim.statistics.warmup import mser5

from support import plan, plan_and_apply, scenario


def exact(*values: float | None, most: float = inf, vary: bool = True) -> Column:
    return Column(tuple(Estimate(value) for value in values), most, vary)


def bounded(*values: float, bounds: set[int], most: float = inf) -> Column:
    """A column in which the values at these places are only lower bounds."""
    return Column(tuple(Estimate(value, n in bounds) for n, value in enumerate(values)), most)


# Intervals. t(0.975) is 2.776 with 4 degrees of freedom (any table of Student's t).


def test_without_skewness_the_interval_of_a_mean_is_students() -> None:
    found = figure(exact(1, 2, 3, 4, 5), 0.95)
    half = 2.77645 * 2.5**0.5 / 5**0.5
    assert (found.value, found.replications) == (3, 5)
    assert (found.ci_low, found.ci_high) == pytest.approx((3 - half, 3 + half), abs=1e-4)
    assert not found.lower_bound
    assert not found.not_enough


def test_with_skewness_the_interval_reaches_further_to_the_side_of_the_huge_figures() -> None:
    """The upper end is Hall's (1992), by his formula, and the lower one Student's."""
    values = [1.0] * 8 + [2.0, 10.0]
    mean, error = 2.0, (72 / 9 / 10) ** 0.5
    third = (8 * (-1) ** 3 + 0 + 8**3) * 10 / (9 * 8)
    skewness = third / 100 / error**3
    t = 2.26216
    hall = mean - 3 / skewness * (np.cbrt(1 - skewness * (t + skewness / 6)) - 1) * error
    found = figure(exact(*values), 0.95)
    assert (found.ci_low, found.ci_high) == pytest.approx((max(mean - t * error, 0), hall), abs=1e-4)
    assert hall - mean > 1.5 * t * error


def test_no_interval_of_what_cannot_be_negative_reaches_below_0() -> None:
    assert figure(exact(0, 0, 1, 5, 1, 1, 9), 0.999).ci_low == 0
    assert difference(exact(0, 0, 1, 5, 1, 1), exact(1, 1, 0, 1, 0, 2), 0.99).ci_low < 0  # type: ignore[operator]


def test_one_replication_has_no_interval() -> None:
    found = figure(exact(7), 0.95)
    assert (found.value, found.ci_low, found.ci_high, found.not_enough) == (7, None, None, False)


@pytest.mark.parametrize("values", [[7, 7.5], [7, 7, 7, 7], [0] * 16 + [9, 8, 7, 10], [0] * 20])
def test_too_few_replications_that_are_not_0_are_not_enough(values: list[float]) -> None:
    found = figure(exact(*values), 0.95)
    assert found.not_enough
    assert (found.ci_low, found.ci_high) == (0, None)
    assert difference(exact(*values), exact(*[0] * len(values)), 0.95).direction == 0


def test_where_data_are_few_the_interval_holds_whatever_the_figures_are_like() -> None:
    """With no hit in 20 trials a probability is at most 16.8 % (1 - 0.025^(1/20)); with 4 at most 43.7 % (exact)."""
    assert figure(exact(*[0] * 20, most=600), 0.95).ci_high == pytest.approx(600 * (1 - 0.025 ** (1 / 20)))
    found = figure(exact(*[0] * 16, 9, 8, 7, 10, most=600), 0.95)
    assert found.ci_high == pytest.approx(600 * 0.43661, rel=1e-4)
    assert found.needed == 25
    apart = difference(exact(*[0] * 20, most=600), exact(*[0] * 16, 9, 8, 7, 10, most=300), 0.95)
    assert apart.ci_low == pytest.approx(-300 * 0.43661, rel=1e-4)
    assert apart.ci_high == pytest.approx(600 * 0.16843, rel=1e-4)


def test_where_nothing_is_random_every_replication_is_exact() -> None:
    found = figure(exact(0, 0, 0, vary=False), 0.95)
    assert (found.ci_low, found.ci_high, found.not_enough) == (0, 0, False)
    assert difference(exact(3, 3, vary=False), exact(5, 5, vary=False), 0.95).direction == -1


def test_differences_that_are_rounding_errors_are_none() -> None:
    found = difference(exact(*[0.1 + 0.2] * 6), exact(*[0.3] * 6), 0.95)
    assert (found.value, found.equal, found.direction) == (0, True, 0)


def test_without_data_there_is_no_figure() -> None:
    assert figure(exact(None, None), 0.95).value is None
    assert figure(exact(None, None), 0.95).replications == 0


def test_replications_without_a_figure_are_counted_and_with_many_of_them_there_is_no_interval() -> None:
    few = figure(exact(*range(1, 20), None), 0.95)
    assert (few.value, few.replications, few.not_enough) == (10, 19, False)
    many = figure(exact(*range(1, 18), None, None, None), 0.95)
    assert (many.value, many.replications, many.not_enough, many.ci_high) == (9, 17, True, None)
    assert difference(exact(*[9, None] * 5), exact(*[1] * 10), 0.95).direction == 0


def test_a_lower_bound_stays_one_in_the_interval() -> None:
    found = figure(bounded(1, 2, 3, 4, 5, bounds={4}), 0.95)
    assert found.lower_bound
    assert found.value == 3
    assert found.ci_low is not None
    assert found.ci_high is None


def test_differences_are_paired_by_replication() -> None:
    found = difference(exact(11, 22, 33, 44, 55), exact(10, 20, 30, 40, 50), 0.95)
    half = 2.77645 * 2.5**0.5 / 5**0.5
    assert found.value == 3
    assert (found.ci_low, found.ci_high) == pytest.approx((3 - half, 3 + half), abs=1e-4)
    assert found.gain == pytest.approx((121 + 100) / 1)
    assert found.direction == 1
    assert difference(exact(9, 10.1, 10.9, 12, 13.1), exact(10, 11, 12, 13, 14), 0.95).direction == -1


def test_a_difference_from_a_lower_bound_is_at_most_what_it_seems() -> None:
    reference = bounded(100, 110, 100, 120, 110, bounds={0})
    mine = exact(10, 20.5, 10, 11, 12)
    found = difference(mine, reference, 0.8)
    assert found.upper_bound
    assert not found.lower_bound
    assert found.ci_low is None
    assert found.ci_high is not None
    assert found.direction == -1
    turned = difference(reference, mine, 0.8)
    assert turned.lower_bound
    assert turned.ci_high is None
    assert turned.direction == 1
    both = difference(reference, bounded(10, 20, 10, 10, 10, bounds={0}), 0.8)
    assert both.value is None
    assert both.direction == 0


def test_bounds_on_both_sides_void_no_comparison_in_which_nearly_all_pairs_are_exact() -> None:
    """One on each side, in different replications, of 20: what is compared is then the waits up to the horizon."""
    mine = bounded(*[10, 12] * 10, bounds={3})
    theirs = bounded(*[20, 21] * 10, bounds={8})
    found = difference(mine, theirs, 0.95)
    assert (found.value, found.up_to_horizon, found.direction) == (-9.5, True, -1)
    assert not found.lower_bound
    assert not found.upper_bound
    assert difference(bounded(*[10, 12] * 10, bounds={3, 4}), theirs, 0.95).value is None


def test_a_relative_change_has_an_interval() -> None:
    """The ratio estimator: of x = 1.1 y exactly the interval has no width."""
    reference = exact(10, 20, 30, 40, 50)
    found = relative_change(exact(11, 22, 33, 44, 55), reference, 0.95)
    assert found is not None
    assert (found.value, found.ci_low, found.ci_high) == pytest.approx((0.1, 0.1, 0.1))
    noisy = relative_change(exact(11, 25, 33, 44, 51), reference, 0.95)
    assert noisy is not None
    assert noisy.ci_low < noisy.value < noisy.ci_high
    assert relative_change(exact(1, 2, 3, 4, 5), exact(*[0] * 5), 0.95) is None
    assert relative_change(exact(1, 2), exact(1, 3), 0.95) is None


def test_a_difference_can_be_shown_to_be_small() -> None:
    apart = difference(exact(11, 11, 9, 9, 11, 9, 10), exact(10, 10, 10, 10, 10, 10, 10), 0.95)
    assert apart.is_within(1.1)
    assert not apart.is_within(0.5)
    assert not difference(exact(10, 11), exact(10, 10), 0.95).is_within(100)


# Tails of all replications together


def some_waits(*replications: list[int]) -> list[TaskWaits]:
    return [
        TaskWaits(np.zeros(len(each), dtype=np.int64), np.array(each), np.zeros(len(each), dtype=np.bool_))
        for each in replications
    ]


def test_the_quantile_of_all_tasks_is_not_the_mean_of_the_replications_quantiles() -> None:
    waits = some_waits(*[[0] * 99 + [n] for n in range(1, 11)])
    found = pooled_quantile(waits, 0.99, 0.95, second=1)
    assert found.value == 0  # 10 of 1,000 tasks waited: the 990th shortest wait is 0
    assert pooled_quantile(waits, 0.995, 0.95, second=1).value == 5
    assert found.ci_low == 0


def test_the_interval_of_a_tail_comes_from_drawing_replications() -> None:
    """Where all tasks of a replication wait the same, the median of all tasks is that of the replications."""
    waits = some_waits(*[[n] * 20 for n in range(1, 26)])
    found = pooled_quantile(waits, 0.5, 0.95, second=1)
    assert found.value == 13
    # The median of 25 drawn anew lies between the 8th and the 18th in 95 % (binomial), give or take one.
    assert found.ci_low == pytest.approx(8, abs=1)
    assert found.ci_high == pytest.approx(18, abs=1)
    assert pooled_quantile(waits, 0.5, 0.95, second=1) == found
    assert pooled_quantile(waits[:3], 0.5, 0.95, second=1).not_enough


# Whole experiments


def test_equivalence_is_a_verdict_where_it_is_asked_for() -> None:
    result = sim.run(busy(equivalent_within="50%"), ["old", "fixed"])
    verdicts = set(result.compare().verdict)
    assert "equivalent" in verdicts
    assert "equivalent" not in set(sim.run(busy(), ["old", "fixed"]).compare().verdict)


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
    assert joint > single


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
    assert not is_reached(precision, estimates(*[0] * 10), 0.95, Worlds())
    assert not is_reached(precision, estimates(*[0] * 96, 1, 1, 1, 1), 0.95, Worlds())
    assert not is_reached(precision, estimates(*[0] * 96, 1, 1, 1, 1), 0.95, Worlds(), done_all=True)
    # There is nothing more to be learnt when all replications are made, or where nothing is 0.
    assert is_reached(precision, estimates(*[0] * 100), 0.95, Worlds(), done_all=True)
    assert is_reached(precision, estimates(*[7] * 10), 0.95, Worlds())
    assert is_reached(
        Precision(metric="apply_wait.p99", absolute=3.0), estimates(*[0] * 95, 1, 1, 1, 1, 1), 0.95, Worlds()
    )


def test_a_difference_that_is_mostly_0_reaches_no_precision() -> None:
    measured = {"old": estimates(*[9] * 20)["demand"], "fixed": estimates(*[9] * 16, 8, 8, 8, 8)["demand"]}
    precision = Precision(metric="apply_wait.p99", absolute=3.0, on="difference")
    assert not is_reached(precision, measured, 0.95, Worlds())
    measured["fixed"] = estimates(*[9] * 15, *[8] * 5)["demand"]
    assert is_reached(precision, measured, 0.95, Worlds())


def test_precision_says_when_it_was_not_reached() -> None:
    result = sim.run(busy(precision={"metric": "tasks", "absolute": 0.1, "max_replications": 12}), ["old"])
    assert result.precision_reached is False
    assert result.replications == 12


def test_precision_of_a_difference() -> None:
    wanted = {"metric": "pod_seconds", "absolute": "20h", "on": "difference", "max_replications": 50}
    assert sim.run(busy(precision=wanted), ["old", "fixed"]).precision_reached is True


def test_precision_of_an_unknown_metric_is_told() -> None:
    with pytest.raises(sim.InputError, match=r"precision\.metric: found 'apply_wait\.p42', expected a metric such as "):
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
