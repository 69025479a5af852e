"""A world is the same on every machine (model.md, 6)."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from sim.scenario.distributions import Quantity
from sim.world.rounding import drawn_times, given_times
from sim.world.world import World

from support import scenario

FAMILIES = [
    {"dist": "exponential", "mean": 500},
    {"dist": "lognormal", "mean": 900, "cv": 1.5},
    {"dist": "gamma", "mean": 400, "cv": 2},
    {"dist": "weibull", "mean": 400, "cv": 2},
    {"dist": "pareto", "mean": 100, "cv": 2},
    {"dist": "normal", "mean": 50, "sd": 40},
    {"dist": "hyperexponential", "mean": 60, "cv": 3},
    {
        "dist": "mixture",
        "components": [
            {"weight": 1, "of": {"dist": "exponential", "mean": 100}},
            {"weight": 2, "of": {"dist": "constant", "value": 30}},
            {"weight": 1, "of": {"dist": "empirical", "values": [1, 2, 30]}},
        ],
    },
]

PINNED = "8b7da03ca1339e38b71d2dd561448b86b93594f17580a0d597cd64dca0ead138"


def world_digest() -> str:
    """The same for the same drawn numbers, and for no others."""
    found = hashlib.sha256()
    for number, family in enumerate(FAMILIES):
        experiment = scenario(
            horizon="50h",
            seed=number,
            pool={"pod_startup": family},
            workload={
                "arrivals": {
                    "process": "poisson", "rate": "60/h", "plan_and_apply_share": 0.5, "workspaces": 9,
                    "plan": family, "confirm": family, "confirm_probability": 0.9, "apply": family,
                }
            },
            faults=[{"kind": "pod_offline", "every": {"dist": "exponential", "mean": "1h"}, "duration": family,
                     "target": "random"}],
        )  # fmt: skip
        inputs = World(experiment, 1).inputs()
        tasks = inputs.tasks
        for column in (tasks.arrive, tasks.applies, tasks.workspace, tasks.plan, tasks.confirm, tasks.apply):
            found.update(column.tobytes())
        # The number of the pool has no part in what is drawn: the digest is older than it.
        faults = repr(inputs.faults).replace(", pool=0", "")
        found.update(f"[{faults}, {[inputs.pods[0].startup(n) for n in range(300)]!r}]".encode())
    return found.hexdigest()


def test_a_drawn_world_is_the_one_that_was_pinned() -> None:
    assert world_digest() == PINNED


@pytest.mark.parametrize("without", ["", "X86_V4 AVX512_ICL", "X86_V4 AVX512_ICL X86_V3"])
def test_it_does_not_depend_on_the_vector_instructions_of_the_processor(without: str) -> None:
    code = "import sys; sys.path.append('tests'); from test_same_everywhere import world_digest; print(world_digest())"
    environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": without}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=Path(__file__).parents[1], env=environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == PINNED


def test_a_last_bit_that_processors_disagree_about_does_not_survive() -> None:
    seconds = TypeAdapter(Quantity).validate_python(FAMILIES[1]).quantile(np.random.default_rng(3).random(100_000))
    for other in (np.nextafter(seconds, np.inf), np.nextafter(seconds, 0)):
        assert (given_times(seconds) != given_times(other)).any()  # Nanoseconds would not be coarse enough.
        assert (drawn_times(seconds) == drawn_times(other)).all()


def test_what_is_drawn_is_whole_microseconds_and_what_is_given_whole_nanoseconds() -> None:
    assert drawn_times(np.array([1.2345678, 1.2345675, np.inf])).tolist() == [1234568000, 1234568000, 2**62 - 512]
    assert given_times(np.array([1.2345678, np.inf])).tolist() == [1234567800, 2**62 - 512]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family["dist"])
def test_a_larger_number_never_means_a_shorter_duration(family: object) -> None:
    quantity = TypeAdapter(Quantity).validate_python(family)
    u = np.sort(np.random.default_rng(7).random(20_000))
    times = drawn_times(quantity.quantile(u))
    assert (np.diff(times) >= 0).all()
    # And it is the inverse of the distribution function, up to the steps that some of them have.
    assert (quantity.cdf(times / 1e9 + 2e-6) >= u - 1e-9).all()
    assert (quantity.cdf(np.maximum(times / 1e9 - 2e-6, 0)) <= u + 1e-6).all()
