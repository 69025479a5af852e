"""Looking for the cheapest point within limits: replications go where they decide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import sim
from sim.cli.app import cli
from sim.experiment.choose import Constraint, choose
from sim.experiment.constraints import amount, constraint_of
from sim.experiment.sweep import Sweep
from sim.scenario import InputError
from sim.statistics.selection import FIRST, Limit, Selection


def search(
    means: list[float], limited: list[float], seed: int, noise: float = 1.0, most: int = 3000
) -> tuple[int | None, int, int]:
    """A search among systems with known means: what was chosen, the observations, and those of equal allocation."""
    random = np.random.default_rng(seed)
    selection = Selection(len(means), [Limit(10.0, 0.5)], 0.5, 0.95, most)
    done = 0
    counts = [0] * len(means)
    while True:
        upto = FIRST if done == 0 else selection.next_worlds(done)
        for _ in range(done, upto):
            world = random.normal(0, 1)  # what all systems share
            for system in selection.open_systems():
                figure = means[system] + noise * (world + 0.3 * random.normal())
                wait = random.gamma(0.5, limited[system] / 0.5)  # mostly near 0, seldom large
                selection.add(system, figure, [wait])
                counts[system] += 1
        done = upto
        selection.rule_out()
        if selection.is_decided() or done >= most:
            left = selection.open_systems()
            chosen = left[0] if selection.is_decided() and left else None
            return chosen, sum(counts), len(means) * max(counts)


def test_the_right_system_is_found_in_nearly_all_searches_with_less_than_half_of_equal_allocation() -> None:
    means, limited = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [40.0, 14.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0]
    outcomes = [search(means, limited, seed) for seed in range(100)]
    right = sum(chosen == 2 for chosen, _, _ in outcomes)
    wrong = sum(chosen not in (2, None) for chosen, _, _ in outcomes)
    assert right >= 95
    assert wrong <= 5
    assert sum(used for _, used, _ in outcomes) < 0.5 * sum(equal for _, _, equal in outcomes)


def test_none_is_chosen_if_none_keeps_within_the_limit() -> None:
    chosen, used, _ = search([1.0, 2.0], [50.0, 60.0], 1)
    assert chosen is None
    assert used < 400


def test_of_two_that_are_alike_the_first_is_taken_and_what_never_varies_is_told_at_once() -> None:
    selection = Selection(3, [], 0.1, 0.95, 100)
    for _ in range(FIRST):
        for system, figure in enumerate((5.0, 5.0, 4.0)):
            selection.add(system, figure, [])
    selection.rule_out()
    assert selection.states == ["beaten", "beaten", "open"]
    assert selection.is_decided()
    alike = Selection(2, [], 0.1, 0.95, 100)
    for _ in range(FIRST):
        for system in range(2):
            alike.add(system, 5.0, [])
    alike.rule_out()
    assert alike.open_systems() == [0]


def test_nothing_is_sure_of_waits_that_are_seldom_other_than_0() -> None:
    selection = Selection(1, [Limit(1.0, 0.05)], 1.0, 0.95, 100)
    for number in range(FIRST):
        selection.add(0, 1.0, [3.0 if number == 0 else 0.0])
    selection.rule_out()
    assert not selection.is_decided()


@pytest.mark.parametrize(
    ("text", "metric", "limit"),
    [("plan_wait.p95 <= 60s", "plan_wait.p95", 60), ("apply_wait.mean<2m", "apply_wait.mean", 120),
     ("unplanned <= 3", "unplanned", 3), ("pools.infra.plan_wait.max <= 5", "pools.infra.plan_wait.max", 5)],
)  # fmt: skip
def test_limits_are_written_as_thresholds_are(text: str, metric: str, limit: float) -> None:
    assert constraint_of(text) == Constraint(metric, limit, pytest.approx(0.05 * limit))


def test_what_is_no_limit_is_refused() -> None:
    for text in ("plan_wait.p95", "plan_wait.p95 >= 3s", "plan_wait.p95 <= soon"):
        with pytest.raises(InputError):
            constraint_of(text)
    assert amount("5h", "pod_seconds") == 18000


QUEUE = """
name: queue
horizon: 12h
warmup: 1h
pool: {min_pods: 7, max_pods: 14, initial_pods: 7, slots_per_pod: 1, apply_slots: 0, pod_startup: 0s}
control: {dispatch: notify}
workload: {arrivals: {process: poisson, rate: 120/h, plan: {dist: exponential, mean: 3m}}}
policies: [static]
"""


def test_the_smallest_number_of_servers_of_a_queue_with_a_known_wait_is_found(tmp_path: Path) -> None:
    # M/M/c with 6 Erlang: mean waits of 32.1 s with 8 servers, 11.8 s with 9, 4.6 s with 10 (Erlang C).
    (tmp_path / "queue.yaml").write_text(QUEUE)
    scenario = sim.load_scenario(tmp_path / "queue.yaml")
    points = [{"pool.min_pods": c, "pool.max_pods": c, "pool.initial_pods": c} for c in (8, 9, 10, 11, 12)]
    found = choose(Sweep(scenario, points), "pod_seconds", [Constraint("plan_wait.mean", 7.0, 0.35)], None, 200)
    assert found.chosen == 2
    assert [each.state for each in found.candidates] == ["infeasible", "infeasible", "open", "beaten", "beaten"]
    assert found.runs < 5 * max(each.replications for each in found.candidates)


def test_the_command_says_what_it_chose(tmp_path: Path) -> None:
    (tmp_path / "queue.yaml").write_text(QUEUE.replace("policies: [static]", "policies: [{name: static, pods: 9}]"))
    command = ["sweep", str(tmp_path / "queue.yaml"), "--set", "static.pods=8..12:2", "-j", "1"]
    done = CliRunner().invoke(
        cli, [*command, "--minimize", "pod_seconds", "--subject-to", "plan_wait.mean <= 20s", "-r", "60"]
    )
    assert done.exit_code == 0, (done.output, done.exception)
    assert done.stdout.startswith(
        "static with static.pods = 10 has the smallest pod_seconds of those within the limits"
    )
    done = CliRunner().invoke(cli, [*command, "--subject-to", "plan_wait.mean <= 20s"])
    assert "found limits without it" in str(done.exception)
    done = CliRunner().invoke(cli, [*command, "--minimize", "nonsense"])
    assert "found 'nonsense', expected a metric" in str(done.exception)
