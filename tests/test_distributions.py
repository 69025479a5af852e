"""Quantities that vary, and arrivals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

import sim
from sim.scenario.distributions import Distribution, mean_of
from sim.world.world import World

from support import scenario

U = (np.arange(200_000) + 0.5) / 200_000


def made(**parameters: Any) -> Any:
    return TypeAdapter(Distribution).validate_python(parameters)


@pytest.mark.parametrize(
    ("parameters", "mean", "cv"),
    [
        ({"dist": "constant", "value": "7s"}, 7, 0),
        ({"dist": "exponential", "mean": 7}, 7, 1),
        ({"dist": "uniform", "low": 2, "high": 8}, 5, 6 / math.sqrt(12) / 5),
        ({"dist": "triangular", "low": 2, "mode": 3, "high": 10}, 5, math.sqrt((4 + 9 + 100 - 6 - 20 - 30) / 18) / 5),
        ({"dist": "lognormal", "mean": 90, "cv": 0.8}, 90, 0.8),
        ({"dist": "lognormal", "median": 60, "sigma": 0.5}, 60 * math.exp(0.125), math.sqrt(math.expm1(0.25))),
        ({"dist": "gamma", "mean": 9, "cv": 2}, 9, 2),
        ({"dist": "gamma", "shape": 4, "scale": 3}, 12, 0.5),
        ({"dist": "weibull", "mean": 9, "cv": 0.5}, 9, 0.5),
        ({"dist": "weibull", "shape": 1, "scale": 3}, 3, 1),
        ({"dist": "normal", "mean": 100, "cv": 0.1}, 100, 0.1),
        ({"dist": "pareto", "mean": 10, "cv": 0.4}, 10, 0.4),
        ({"dist": "pareto", "shape": 3, "minimum": 2}, 3, math.sqrt(1 / 3)),
        ({"dist": "hyperexponential", "mean": 5, "cv": 2}, 5, 2),
        ({"dist": "erlang", "mean": 6, "stages": 4}, 6, 0.5),
        ({"dist": "empirical", "values": [1, 2, 6]}, 3, math.sqrt(14 / 3) / 3),
        ({"dist": "empirical", "values": [6, 0], "weights": [1, 2]}, 2, math.sqrt(2)),
        (
            {"dist": "mixture", "components": [
                {"weight": 3, "of": {"dist": "constant", "value": 2}}, {"weight": 1, "of": {"dist": "constant", "value": 10}},
            ]}, 4, math.sqrt(12) / 4,
        ),
    ],
)  # fmt: skip
def test_means_and_coefficients_of_variation(parameters: dict[str, Any], mean: float, cv: float) -> None:
    distribution = made(**parameters)
    values = distribution.quantile(U)
    assert distribution.mean_value() == pytest.approx(mean)
    assert np.mean(values) == pytest.approx(mean, rel=0.005)
    assert np.std(values) == pytest.approx(mean * cv, rel=0.03, abs=1e-9)
    assert (values >= 0).all()


@pytest.mark.parametrize("name", ["exponential", "lognormal", "gamma", "weibull", "pareto", "normal", "erlang"])
def test_a_larger_number_means_a_longer_duration(name: str) -> None:
    more = {"exponential": {}, "erlang": {"stages": 3}}.get(name, {"cv": 0.5})
    assert (np.diff(made(dist=name, mean=10, **more).quantile(U)) > 0).all()


def test_a_normal_that_is_cut_at_zero_says_its_true_mean() -> None:
    distribution = made(dist="normal", mean=10, sd=20)
    assert np.mean(distribution.quantile(U)) == pytest.approx(mean_of(distribution), rel=1e-3)


def test_values_from_a_column_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "past.csv").write_text("task,seconds\n1,10\n2,30\n")
    text = "name: x\nhorizon: 1h\nworkload:\n  arrivals: {process: poisson, rate: 9/h, plan: PLAN}\n"
    plan = "{dist: empirical, file: past.csv, column: seconds}"
    (tmp_path / "x.yaml").write_text(text.replace("PLAN", plan))
    assert sorted(set(World(sim.load_scenario(tmp_path / "x.yaml"), 0).tasks.plan / 1e9)) == [10, 30]
    (tmp_path / "x.yaml").write_text(text.replace("PLAN", plan.replace("seconds", "minutes")))
    with pytest.raises(
        sim.InputError, match=r"x\.yaml:4: workload\.arrivals\.plan\.file: .*past\.csv:1: found the col"
    ):
        sim.load_scenario(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    "parameters",
    [
        {"dist": "gamma", "mean": 1, "scale": 2},
        {"dist": "gamma", "mean": 1},
        {"dist": "pareto", "shape": 1, "minimum": 2},
        {"dist": "hyperexponential", "mean": 1, "cv": 0.5},
        {"dist": "empirical", "values": [1, 2], "weights": [1]},
        {"dist": "empirical", "values": [1, 2], "weights": [0, 0]},
        {"dist": "mixture", "components": []},
        {"dist": "erlang", "mean": 1, "stages": 0},
        {"dist": "triangular", "low": 3, "mode": 2, "high": 4},
    ],
)
def test_parameters_that_make_no_distribution(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        made(**parameters)


# Arrivals


def arrivals(horizon: str = "4d", replication: int = 0, **parameters: Any) -> Any:
    experiment = scenario(horizon=horizon, workload={"arrivals": {"plan": 1, **parameters}})
    return World(experiment, replication).tasks.arrive / 1e9


def test_deterministic_arrivals() -> None:
    assert arrivals("10m", process="deterministic", rate="20/h").tolist() == [180, 360, 540]


def test_poisson_arrivals_have_their_rate_and_variation() -> None:
    gaps = np.diff(arrivals("1000d", process="poisson", rate="1/h"))
    assert np.mean(gaps) == pytest.approx(3600, rel=0.02)
    assert np.std(gaps) == pytest.approx(3600, rel=0.03)


def test_a_profile_has_the_rates_of_its_hours_and_days() -> None:
    times = arrivals(
        "700d",
        process="profile",
        rates={"08:00": "30/h", "18:00": "3/h"},
        weekdays={"sat": 0, "sun": 0.5},
        start="thu 12:00",
    )
    times = times + 3.5 * 86400  # since Monday midnight
    day, hour = (times // 86400) % 7, (times // 3600) % 24
    weekday = day < 5
    assert np.sum(weekday & (hour >= 8) & (hour < 18)) == pytest.approx(30 * 10 * 500, rel=0.02)
    assert np.sum(weekday & (hour < 8)) == pytest.approx(3 * 8 * 500, rel=0.05)
    assert np.sum(day == 5) == 0
    assert np.sum(day == 6) == pytest.approx(0.5 * (300 + 42) * 100, rel=0.03)


def test_bursts_bring_several_tasks_at_once() -> None:
    assert arrivals("10m", process="deterministic", rate="20/h", burst=2).tolist() == [180, 180, 360, 360, 540, 540]
    times = arrivals("1000d", process="poisson", rate="1/h", burst={"mean": 4})
    assert len(times) / len(np.unique(times)) == pytest.approx(4, rel=0.03)


def test_markov_modulated_arrivals_are_in_their_phases() -> None:
    phases = [{"rate": "0", "mean": "3h"}, {"rate": "40/h", "mean": "1h"}]
    times = arrivals("1000d", process="mmpp", phases=phases)
    assert len(times) == pytest.approx(1000 * 24 * 10, rel=0.05)
    counts = np.histogram(times, bins=np.arange(0, 1000 * 86400, 3600))[0]
    assert np.var(counts) / np.mean(counts) > 10  # a Poisson process has 1


def test_a_rate_that_is_twice_as_high_moves_arrivals_and_keeps_their_numbers() -> None:
    slow, fast = (arrivals("10d", process="poisson", rate=f"{rate}/h") for rate in (10, 20))
    np.testing.assert_allclose(slow, 2 * fast[: len(slow)], atol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"process": "profile", "rates": {"25:00": "1/h"}}, "a time of day"),
        ({"process": "profile", "rates": {}}, "at least one"),
        ({"process": "profile", "rates": {"08:00": "1/h"}, "start": "someday"}, "a weekday and a time of day"),
        ({"process": "profile", "rates": {"08:00": "1/h"}, "weekdays": {"mon": -1}}, "greater than or equal to 0"),
        ({"process": "mmpp", "phases": [{"rate": "0", "mean": "1h"}]}, "a rate above 0 in at least one"),
        ({"process": "poisson", "rate": "1/h", "burst": 0}, "greater than or equal to 1"),
        ({"process": "poisson", "rate": "1/h", "burst": {"mean": 0.5}}, "greater than or equal to 1"),
    ],
)
def test_arrivals_that_cannot_be(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        arrivals(**parameters)
