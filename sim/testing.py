"""A test kit for policies: does it keep to the rules, and does anybody starve under it?

    from sim.testing import check_policy

    def test_my_policy():
        check_policy(MyPolicy)

Each check raises an `AssertionError` that says in one line what was found, and when.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from math import isnan, nan
from numbers import Real
from operator import index
from typing import Any

from sim.api import run
from sim.policies import Policy, PoolView
from sim.scenario import InputError, Scenario

__all__ = [
    "check_answers",
    "check_bounds",
    "check_declared_memory",
    "check_determinism",
    "check_no_starvation",
    "check_policy",
    "views",
]


def check_policy(policy: Policy | Callable[[], Policy], bounds: bool = True, starvation: bool = True) -> None:
    """All checks of this module.

    Args:
        policy: the policy, or a class (or function) that makes one. It is copied for each run, as `sim.run` does.
        bounds: whether it has to keep to `min_pods .. max_pods` by itself, see `check_bounds`.
        starvation: whether nobody may starve under it, see `check_no_starvation`.

    Raises:
        AssertionError: it fails one of them.
    """
    check_answers(policy)
    if bounds:
        check_bounds(policy)
    check_determinism(policy)
    check_declared_memory(policy)
    if starvation:
        check_no_starvation(policy)


def check_answers(policy: Policy | Callable[[], Policy]) -> None:
    """Every answer is a whole number from 0 on.

    Raises:
        AssertionError: one is not, or the policy raises.
    """
    one = _made(policy)
    for view in views():
        answer = _answer(one, view)
        try:
            good = not isinstance(answer, bool) and index(answer) >= 0
        except TypeError:
            good = False
        assert good, f"it answered {answer!r} to {view}, expected a whole number of at least 0"


def check_bounds(policy: Policy | Callable[[], Policy]) -> None:
    """Every answer is from `min_pods` to `max_pods`.

    The simulated platform clamps answers, so one beyond the bounds does no harm here; not every platform does.

    Raises:
        AssertionError: one is not.
    """
    one = _made(policy)
    for view in views():
        answer = _answer(one, view)
        assert view.min_pods <= answer <= view.max_pods, f"it answered {answer} to {view}, which is beyond the bounds"


def check_determinism(policy: Policy | Callable[[], Policy]) -> None:
    """Two copies that are shown the same answer the same, however often the policy has been used before.

    Raises:
        AssertionError: they do not.
    """
    shown = views()
    first, second = _made(policy), _made(policy)
    answers = [_answer(first, view) for view in shown]
    again = [_answer(second, view) for view in shown]
    for view, one, other in zip(shown, answers, again, strict=True):
        assert one == other, f"it answered {one} at {view.time:g} s, and {other} when shown the same once more"
    for scenario in _worlds():
        frames = [_run(scenario, policy).decisions for _ in range(2)]
        assert frames[0].equals(frames[1]), f"two runs of {scenario.name} have different decisions"


def check_declared_memory(policy: Policy | Callable[[], Policy]) -> None:
    """What a policy says of its memory is so.

    One that says `stateless = True` answers by the view alone, and not by the view's time. And up to its
    `unchanged_until`, if it has one, it gives the same answer if nothing but the time is another, and what it
    answers later does not depend on whether it was asked meanwhile.

    Raises:
        AssertionError: it is not.
    """
    if getattr(_made(policy), "stateless", False):
        _check_stateless(policy)
    else:
        _check_unchanged_until(policy)


def _check_stateless(policy: Policy | Callable[[], Policy]) -> None:
    one = _made(policy)
    for view in views():
        alone = _answer(_made(policy), view)
        after_others = _answer(one, view)
        assert alone == after_others, (
            f"it says that it is stateless, but answered {after_others} after other views and {alone} to {view} alone"
        )
        later = _answer(one, view._replace(time=view.time + 86_400.0))
        assert later == alone, f"it says that it is stateless, but answered {later} a day later than {alone} to {view}"


def _check_unchanged_until(policy: Policy | Callable[[], Policy]) -> None:
    """Show views for a while each: to one copy at every tick, and to another one only when it has to be asked."""
    asked, spared = _made(policy), _made(policy)
    draw = random.Random(1)
    time = 0.0
    for shown in views():
        answer, until = 0, 0.0
        step = draw.choice((5.0, 5.0, 60.0, 3600.0))
        for tick in range(draw.choice((1, 5, 25, 125))):
            time += step
            view = shown._replace(time=time)
            found = _answer(asked, view)
            if tick and time < until:
                assert found == answer, (
                    f"it said that up to {until:g} s its answer is {answer} to views like this, but answered {found} "
                    f"to {view}"
                )
                continue
            answer = _answer(spared, view)
            until = _unchanged_until(spared, view)
            assert found == answer, (
                f"it answered {found} if asked at every tick, and {answer} if not asked as long as it says that its "
                f"answer is unchanged, to {view}"
            )


def _unchanged_until(policy: Policy, view: PoolView) -> float:
    try:
        given = getattr(policy, "unchanged_until", 0.0)
        until = float(given) if isinstance(given, Real) else nan
    except Exception as error:
        raise AssertionError(f"its unchanged_until raised {type(error).__name__}: {error} after {view}") from error
    assert not isnan(until), f"its unchanged_until was {given!r} after {view}, expected a time in seconds"
    return until


def check_no_starvation(policy: Policy | Callable[[], Policy]) -> None:
    """Nobody who was confirmed waits to the end of a run in which another pod could have been made for him.

    The runs are of cases in which a reservation is lost; each has room for a pod for every task, and time enough.

    Raises:
        AssertionError: somebody does.
    """
    for scenario in _worlds():
        result = _run(scenario, policy)
        starving = result.tasks[result.tasks.censored]
        for task in starving.itertuples():
            raise AssertionError(
                f"in {scenario.name} task {task.task_id}, confirmed at {task.confirmed_at:g} s, "
                f"still waits at {scenario.horizon:g} s though the pool could have had more pods"
            )


def views(number: int = 300, seed: int = 1) -> list[PoolView]:
    """Views of pools that could be, in order of time: empty and full ones, with and without waiting tasks."""
    draw = random.Random(seed)
    return [_view(draw, 5.0 * (n + 1)) for n in range(number)]


def _view(draw: random.Random, time: float) -> PoolView:
    slots_per_pod = draw.choice((1, 3, 3, 4))
    apply_slots = draw.randint(1, slots_per_pod)
    max_pods = draw.choice((0, 1, 5, 20))
    pods = draw.choice((0, draw.randint(0, max_pods), max_pods))
    starting = draw.choice((0, 0, draw.randint(0, pods)))
    ready = (pods - starting) * slots_per_pod
    running = draw.choice((0, ready, draw.randint(0, ready)))
    reserved = draw.randint(0, min(ready - running, (pods - starting) * apply_slots))
    idle_ready = ready - running - reserved
    apply, plan = draw.choice((0, draw.randint(0, 9))), draw.choice((0, draw.randint(0, 9)))
    slotless = draw.choice((0, draw.randint(0, 6)))
    return PoolView(
        time=time,
        min_pods=draw.randint(0, max_pods),
        max_pods=max_pods,
        initial_pods=draw.randint(0, max_pods),
        slots_per_pod=slots_per_pod,
        apply_slots=apply_slots,
        pods=pods,
        starting_pods=starting,
        slots=pods * slots_per_pod,
        running=running,
        reserved=reserved,
        idle=idle_ready + starting * slots_per_pod,
        idle_ready=idle_ready,
        idle_starting=starting * slots_per_pod,
        idle_apply_ready=draw.randint(0, min(idle_ready, (pods - starting) * apply_slots - reserved)),
        idle_apply_starting=starting * apply_slots,
        pending=apply + plan + draw.randint(0, 2),
        eligible_plan=plan,
        eligible_plan_and_apply=apply,
        slotless=slotless,
        slotless_confirmed=draw.randint(0, slotless),
    )


def _made(policy: Policy | Callable[[], Policy]) -> Policy:
    made: Any = policy() if isinstance(policy, type) or not hasattr(policy, "desired_pods") else policy
    return deepcopy(made)  # type: ignore[no-any-return]


def _answer(policy: Policy, view: PoolView) -> Any:
    try:
        return policy.desired_pods(view)
    except Exception as error:
        raise AssertionError(f"it raised {type(error).__name__}: {error} when shown {view}") from error


def _run(scenario: Scenario, policy: Policy | Callable[[], Policy]) -> Any:
    try:
        return run(scenario, [_made(policy)])
    except InputError as error:
        raise AssertionError(f"in {scenario.name}: {error}") from error


def _worlds() -> Sequence[Scenario]:
    """The ways in which reservations are lost, each with time and room for everybody in the end."""
    long_plans = [_task(n, n, 2400.0, 300.0) for n in (2, 3, 4)]
    return [
        _world("reserved-pod-deleted", [_task(1, 0, 60, 600), _task(2, 1, 60, 9000)], {"target": 0}, initial_pods=2),
        _world("no-reservation-left", [_task(1, 0, 60, 600), *long_plans], {"target": "reserved"}, initial_pods=3),
        _world("only-pod-deleted", [_task(1, 0, 60, 600)], {"target": "reserved"}, initial_pods=1, min_pods=0),
        _world(
            "server-restart",
            [_task(1, 0, 60, 900), *(_task(n, 400 + n, 3000, 600) for n in (2, 3))],
            {"kind": "server_restart", "reconcile_after": "never"},
            initial_pods=2,
        ),
    ]


def _task(identifier: int, arrive: float, plan: float, confirm: float) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": "plan_and_apply",
        "workspace": f"ws-{identifier}",
        "arrive": float(arrive),
        "plan": float(plan),
        "confirm": float(confirm),
        "apply": 120.0,
    }


def _world(name: str, tasks: list[dict[str, Any]], fault: dict[str, Any], **pool: int) -> Scenario:
    # Long enough for one wait, too short for the next accident to come to the rescue.
    return Scenario.model_validate(
        {
            "name": name,
            "horizon": 2200.0,
            "pool": {"min_pods": 1, "max_pods": 12, **pool},
            "workload": {"tasks": tasks},
            "faults": [{"kind": "pod_deletion", "at": 300.0, **fault}],
            "policies": ["static"],
        }
    )
