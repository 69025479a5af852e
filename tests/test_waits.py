"""Censored waits: counted, shown, never dropped (model.md, 7)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim
from sim.statistics.waits import Estimate, Waits

from support import Always, plan_and_apply, scenario


def waits(*times: float, censored: tuple[float, ...] = ()) -> Waits:
    cut = [False] * len(times) + [True] * len(censored)
    return Waits(np.array([*times, *censored], dtype=float), np.array(cut, dtype=bool))


def test_without_censoring_quantiles_are_those_of_the_data() -> None:
    twenty = waits(*range(1, 21))
    assert twenty.quantile(0.95) == Estimate(19)
    assert twenty.quantile(0.5) == Estimate(10)
    assert twenty.quantile(0.99) == Estimate(20)
    assert twenty.mean() == Estimate(pytest.approx(10.5))
    assert twenty.maximum() == Estimate(20)


def test_a_quantile_that_is_not_reached_is_a_lower_bound() -> None:
    half = waits(0, censored=(4930,))
    assert half.quantile(0.5) == Estimate(0)
    assert half.quantile(0.95) == Estimate(4930, lower_bound=True)
    assert half.mean() == Estimate(2465, lower_bound=True)
    assert half.maximum() == Estimate(4930, lower_bound=True)


def test_a_quantile_is_exact_if_enough_waits_are_over_whatever_the_others_become() -> None:
    some = waits(1, 2, 3, 100, censored=(50,))
    assert some.quantile(0.4) == Estimate(2)
    assert some.quantile(0.6) == Estimate(3)
    assert some.quantile(0.8) == Estimate(50, lower_bound=True)
    assert some.quantile(0.95) == Estimate(100, lower_bound=True)
    assert some.maximum() == Estimate(100, lower_bound=True)
    assert some.mean() == Estimate(31.2, lower_bound=True)


def test_a_task_that_has_waited_for_less_than_a_quantile_can_still_come_to_exceed_it() -> None:
    assert waits(10, 20, 30, censored=(5,)).quantile(0.5) == Estimate(10, lower_bound=True)
    assert waits(10, 20, 30, censored=(25,)).quantile(0.5) == Estimate(20)


sample = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans()), min_size=1, max_size=40)


@given(sample)
def test_a_bound_is_one_whatever_the_censored_tasks_do_later_and_an_exact_figure_stays(
    tasks: list[tuple[int, int, bool]],
) -> None:
    so_far = np.array([wait for wait, _, _ in tasks], dtype=float)
    cut = np.array([is_cut for _, _, is_cut in tasks], dtype=bool)
    final = so_far + np.where(cut, [more for _, more, _ in tasks], 0)
    known, truth = Waits(so_far, cut), Waits(final, np.zeros(len(tasks), dtype=bool))
    pairs = [(known.mean(), truth.mean()), (known.maximum(), truth.maximum())]
    pairs += [(known.quantile(p), truth.quantile(p)) for p in (0.1, 0.5, 0.9, 0.95, 0.99)]
    for told, true in pairs:
        assert told.value is not None
        assert true.value is not None
        assert not true.lower_bound
        assert told.value <= true.value + 1e-9 if told.lower_bound else told.value == pytest.approx(true.value)


@given(sample)
def test_a_figure_is_called_a_bound_only_if_the_censored_tasks_can_change_it(
    tasks: list[tuple[int, int, bool]],
) -> None:
    so_far = np.array([wait for wait, _, _ in tasks], dtype=float)
    cut = np.array([is_cut for _, _, is_cut in tasks], dtype=bool)
    known, truth = Waits(so_far, cut), Waits(np.where(cut, 1e6, so_far), np.zeros(len(tasks), dtype=bool))
    for p in (0.1, 0.5, 0.9, 0.95, 0.99):
        if known.quantile(p).lower_bound:
            assert (truth.quantile(p).value or 0) > (known.quantile(p).value or 0)


def test_no_waits_no_figures() -> None:
    nothing = waits()
    assert nothing.mean() == nothing.quantile(0.5) == nothing.maximum() == Estimate(None)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40))
def test_waiting_longer_never_looks_better(sample: list[tuple[int, bool]]) -> None:
    """Tasks that starve, in place of the same tasks served, raise every figure."""
    times = np.array([time for time, _ in sample], dtype=float)
    served = Waits(times, np.zeros(len(times), dtype=bool))
    starve = np.array([cut for _, cut in sample], dtype=bool)
    starved = Waits(np.where(starve, 100.0, times), starve)
    for p in (0.5, 0.9, 0.95, 0.99):
        assert (starved.quantile(p).value or 0) >= (served.quantile(p).value or 0)
    assert (starved.mean().value or 0) >= (served.mean().value or 0) - 1e-9


def test_tasks_that_starve_are_counted_and_never_dropped() -> None:
    tasks = [plan_and_apply(1, 0, 10, 10, 5), plan_and_apply(2, 0, 10, 10, 5)]
    experiment = scenario(
        workload={"tasks": tasks},
        horizon=1000,
        pool={"min_pods": 0, "max_pods": 2, "initial_pods": 2},
        faults=[{"kind": "pod_deletion", "at": 15, "target": 0}, {"kind": "pod_deletion", "at": 30, "target": 1}],
    )
    result = sim.run(experiment, [Always(0)])
    assert result.tasks.censored.tolist() == [True, False] or result.tasks.censored.tolist() == [True, True]
    figures = result.summary["policies"]["Always"]
    assert figures["censored"]["value"] == result.tasks.censored.sum()
    assert figures["confirmed"]["value"] == 2
    assert figures["apply_wait"]["max"] == {"value": 980, "lower_bound": True}


def test_only_tasks_that_arrive_from_the_warm_up_on_count() -> None:
    tasks = [plan_and_apply(n, 100 * n, 10, 10, 5) for n in range(5)]
    experiment = scenario(workload={"tasks": tasks}, warmup=200, pool={"min_pods": 5, "max_pods": 5})
    figures = sim.run(experiment, ["static"]).summary["policies"]["static"]
    assert figures["tasks"]["value"] == figures["confirmed"]["value"] == 3
    assert figures["pod_seconds"]["value"] == 5 * 3600
