"""The engine asks a policy that has memory when something has happened, and when its answer may be another one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sim
from sim.policies.cadence import Cadence

from support import Script, plan, run, scenario

# When a policy is asked


class Unchanged(Script):
    """Always wants two pods, and says that this is so *until* then."""

    def __init__(self, until: Any) -> None:
        super().__init__(2)
        self.unchanged_until = until


def times(policy: Script, engine: str = "fast") -> list[float]:
    """When *policy* is asked, with a plan from 12 to 13 s, ticks every 5 s and a horizon of 50 s."""
    run([plan(1, 12, 1)], policy, engine, pool={"initial_pods": 2}, horizon=50)
    return [view.time for view in policy.views]


EVERY = [5, 10, 15, 20, 25, 30, 35, 40, 45]


@pytest.mark.parametrize(
    ("until", "asked"),
    [
        (0, EVERY),
        (-7, EVERY),
        (21, [5, 15, 25, 30, 35, 40, 45]),
        (25, [5, 15, 25, 30, 35, 40, 45]),
        (25.1, [5, 15, 30, 35, 40, 45]),
        (50, [5, 15]),
        (float("inf"), [5, 15]),
        (np.float64(30), [5, 15, 30, 35, 40, 45]),
        (np.int64(30), [5, 15, 30, 35, 40, 45]),
    ],
)
def test_a_policy_is_asked_when_something_has_happened_and_when_its_answer_may_be_another(
    until: float, asked: list[float]
) -> None:
    assert times(Unchanged(until)) == asked


def test_a_policy_that_says_nothing_of_its_memory_is_asked_at_every_tick_and_by_the_model_too() -> None:
    assert times(Script(2)) == EVERY
    assert times(Unchanged(50), engine="simpy") == EVERY


def test_a_tick_that_changed_something_is_followed_by_the_next_whatever_the_policy_says() -> None:
    policy = Unchanged(50)
    policy.answers = (3, 3, 4, 4, 4)
    assert times(policy) == [5, 10, 15, 20, 35, 45]  # pods are made at 5 and 15 s, and ready 30 s later


def test_the_time_that_a_policy_says_may_be_rounded() -> None:
    interval = 4270024.035886631  # the sum of this and itself, as a float, is more than 1 ns too much

    class Rounding(Script):
        def __init__(self) -> None:
            super().__init__(2)
            self.cadence = Cadence(interval)
            self.due: list[float] = []

        def desired_pods(self, view: sim.PoolView) -> int:
            if self.cadence.is_due(view.time):
                self.due.append(view.time)
            return super().desired_pods(view)

        @property
        def unchanged_until(self) -> float:
            return self.cadence.next

    policy = Rounding()
    run(
        [plan(1, 0, 1)],
        policy,
        "fast",
        pool={"initial_pods": 2},
        horizon=1.5e7,
        control={"autoscaler_interval": interval},
    )
    assert policy.due == pytest.approx([interval, 2 * interval, 3 * interval])


@pytest.mark.parametrize("engine", ["simpy", "fast"])
@pytest.mark.parametrize("until", [float("nan"), "later", None, 10**400])
def test_an_answer_that_is_unchanged_until_no_time_ends_the_run(until: Any, engine: str) -> None:
    experiment = scenario(workload={"tasks": [plan(1, 12, 1)]}, pool={"initial_pods": 2})
    with pytest.raises(sim.InputError, match=r"at 5 s it said that its answer is unchanged until .*, expected a time"):
        sim.run(experiment, [Unchanged(until)], engine=engine)


class Raising(Script):
    @property
    def unchanged_until(self) -> float:
        raise ZeroDivisionError


def test_what_a_policy_raises_when_it_is_asked_for_that_ends_the_run_too() -> None:
    experiment = scenario(workload={"tasks": [plan(1, 12, 1)]}, pool={"initial_pods": 2})
    with pytest.raises(sim.InputError, match="at 5 s it raised ZeroDivisionError"):
        sim.run(experiment, [Raising(2)])
