"""`sim.testing` finds what is wrong with a policy, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

import sim
from sim.policies import Demand, Fixed, Old
from sim.testing import check_declared_memory, check_policy, views

from support import plan, scenario


class Good:
    """Not clever, but by the rules: everything there can be."""

    stateless: ClassVar[bool] = True

    def desired_pods(self, view: sim.PoolView) -> int:
        return view.max_pods


@pytest.mark.parametrize("policy", [Good, Good(), Demand, Demand(keep=60)])
def test_a_good_policy_passes(policy: Any) -> None:
    check_policy(policy)


class Negative(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        return view.pods - 2


class NoNumber(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        return "many"  # type: ignore[return-value]


class Greedy(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        return view.max_pods + 1


class Raising(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        return view.running // view.pods


_calls = [0]


class Random(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        _calls[0] += 1
        return min(max(_calls[0] % 7, view.min_pods), view.max_pods)


@dataclass
class Remembering(Good):
    seen: int = field(default=0, init=False)

    def desired_pods(self, view: sim.PoolView) -> int:
        self.seen = max(self.seen, view.running)
        return view.max_pods if self.seen > 5 else view.min_pods


class Clockwork(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        return view.max_pods if view.time >= 86_400 else view.min_pods


class Late:
    """Changes its answer sooner than it says."""

    unchanged_until: Any = float("inf")

    def desired_pods(self, view: sim.PoolView) -> int:
        return view.max_pods if view.time % 200 < 100 else view.min_pods


class MuchLater(Late):
    """Changes its answer when it has seen the same for more than an hour."""

    def __init__(self) -> None:
        self.seen: tuple[object, float] = (None, 0.0)

    def desired_pods(self, view: sim.PoolView) -> int:
        if self.seen[0] != view[1:]:
            self.seen = (view[1:], view.time)
        return view.max_pods if view.time > self.seen[1] + 5000 else view.min_pods


class Someday(Late):
    unchanged_until = "some day"


class NoWord(Late):
    @property
    def unchanged_until(self) -> float:  # type: ignore[override]
        raise ZeroDivisionError


@dataclass
class Counting:
    """Says that it does not matter how often it is asked, and counts."""

    asked: int = field(default=0, init=False)
    answer: int = field(default=0, init=False)
    unchanged_until: float = field(default=0.0, init=False)

    def desired_pods(self, view: sim.PoolView) -> int:
        self.asked += 1
        if view.time >= self.unchanged_until:
            self.answer = view.max_pods if self.asked > 2000 else view.min_pods
            self.unchanged_until = view.time + 50
        return min(max(self.answer, view.min_pods), view.max_pods)


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (Negative, "it answered -[12] to PoolView"),
        (NoNumber, "it answered 'many' to PoolView"),
        (Greedy, "which is beyond the bounds"),
        (Raising, "it raised ZeroDivisionError: integer division or modulo by zero when shown PoolView"),
        (Random, "when shown the same once more"),
        (Remembering, "it says that it is stateless, but answered"),
        (Clockwork, "it says that it is stateless, but answered .* a day later"),
        (Late, r"it said that up to inf s its answer is \d+ to views like this, but answered"),
        (MuchLater, r"it said that up to inf s its answer is \d+ to views like this, but answered"),
        (Counting, r"it answered \d+ if asked at every tick, and \d+ if not asked as long as"),
    ],
)
def test_a_bad_policy_is_found_out(policy: Any, found: str) -> None:
    with pytest.raises(AssertionError, match=found):
        check_policy(policy, starvation=False)


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (Someday, "its unchanged_until was 'some day' after PoolView"),
        (NoWord, "its unchanged_until raised ZeroDivisionError"),
    ],
)
def test_what_a_policy_says_of_its_memory_has_to_make_sense(policy: Any, found: str) -> None:
    with pytest.raises(AssertionError, match=found):
        check_declared_memory(policy)


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (Old, "in reserved-pod-deleted task 1, confirmed at 660 s, still waits at 2200 s though"),
        (Fixed, "in no-reservation-left task 1, confirmed at 660 s, still waits at 2200 s though"),
    ],
)
def test_starvation_is_found(policy: Any, found: str) -> None:
    check_policy(policy, bounds=False, starvation=False)
    with pytest.raises(AssertionError, match=found):
        check_policy(policy, bounds=False)


def test_the_views_could_be() -> None:
    for view in views():
        assert view.slots == view.pods * view.slots_per_pod == view.running + view.reserved + view.idle
        assert view.idle == view.idle_ready + view.idle_starting
        assert view.idle_apply_ready <= view.idle_ready
        assert view.slotless_confirmed <= view.slotless


# What a run says of a policy that does what no policy may


class Nan(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        return float("nan")  # type: ignore[return-value]


class Writing(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        view.pods = 3  # type: ignore[misc]
        return 3


class Leaving(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        raise SystemExit(0)


class Endless(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        while True:
            pass


class Huge(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        return -(10**6000)


class Unspeakable(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        class Answer:
            def __repr__(self) -> str:
                raise RuntimeError("no")

            def __index__(self) -> int:
                raise RuntimeError("no")

        return Answer()  # type: ignore[return-value]


class Odd(Good):
    @property
    def stateless(self) -> bool:  # type: ignore[override]
        raise RuntimeError("no")


class Leaver(Good):
    def __deepcopy__(self, memo: object) -> Leaver:
        raise SystemExit(0)


class Stubborn(Good):
    def desired_pods(self, view: sim.PoolView) -> int:
        for _ in range(10**12):
            try:
                while True:
                    pass
            except Exception:
                continue
        return 1


class Uncopied(Good):
    def __deepcopy__(self, memo: object) -> Uncopied:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (Negative, r"policy Negative: at 5 s it answered -1, expected a whole number of at least 0 \(replication 0\)"),
        (NoNumber, r"policy NoNumber: at 5 s it answered 'many', expected a whole number"),
        (Nan, r"policy Nan: at 5 s it answered nan, expected a whole number"),
        (Writing, r"policy Writing: at 5 s it raised AttributeError: can't set attribute"),
        (Leaving, r"policy Leaving: at 5 s it raised SystemExit: 0, expected a number of pods"),
        (Endless, r"policy Endless: at 5 s it raised TooSlowError: no answer within 0.1 s"),
        (Huge, r"policy Huge: at 5 s it answered something of type int, expected a whole number"),
        (Unspeakable, r"policy Unspeakable: at 5 s it answered something of type Answer, expected a whole number"),
        (Odd, r"policy Odd: cannot be copied for a run \(RuntimeError: no\)"),
        (Leaver, r"policy Leaver: cannot be copied for a run \(SystemExit: 0\)"),
        (Stubborn, r"policy Stubborn: at 5 s it raised TooSlowError: no answer within 0.1 s"),
        (Uncopied, r"policy Uncopied: cannot be copied for a run \(RuntimeError: no\)"),
    ],
)
def test_a_run_ends_with_one_line_that_names_policy_and_moment(policy: Any, found: str) -> None:
    experiment = scenario(workload={"tasks": [plan(1, 0, 1)]}, policies=["static"])
    with pytest.raises(sim.InputError, match=found) as caught:
        sim.run(experiment, [policy()], answer_timeout=0.1)
    assert "\n" not in str(caught.value)
