"""What the tests share: small experiments in few words, and random ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from hypothesis import strategies as st

import sim
from sim.scenario import Scenario


def scenario(**parts: Any) -> Scenario:
    """A scenario; what is not given is such that it does not matter."""
    return Scenario.model_validate({"name": "test", "horizon": "1h", "policies": ["static"], **parts})


def plan(identifier: int, arrive: float, plan: float) -> dict[str, Any]:
    return {"id": identifier, "type": "plan", "workspace": f"ws-{identifier}", "arrive": arrive, "plan": plan}


def plan_and_apply(
    identifier: int, arrive: float, plan: float, confirm: float | None, apply: float, workspace: str = ""
) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": "plan_and_apply",
        "workspace": workspace or f"ws-{identifier}",
        "arrive": arrive,
        "plan": plan,
        "confirm": confirm,
        "apply": apply,
    }


@dataclass(frozen=True)
class Outcome:
    """One run: its tasks by id, its pods by number, its decisions as (time, before, after), and reservations."""

    tasks: dict[int, Any]
    pods: dict[int, Any]
    decisions: list[tuple[float, int, int]]
    reservations: list[tuple[int, float, float]]
    """The pod, and from when to when a slot of it was reserved."""

    def started(self, identifier: int) -> tuple[float, float]:
        """When the task's plan and its apply started."""
        task = self.tasks[identifier]
        return task.plan_started_at, task.apply_started_at


def outcome(result: sim.Result, label: str | None = None) -> Outcome:
    """The first replication of one policy."""
    label = label or result.labels[0]

    def rows(frame: pd.DataFrame) -> list[Any]:
        return list(frame[(frame.policy == label) & (frame.replication == 0)].itertuples(index=False))

    return Outcome(
        {row.task_id: row for row in rows(result.tasks)},
        {row.pod: row for row in rows(result.pods)},
        [(row.time, row.pods_before, row.pods_after) for row in rows(result.decisions)],
        [(row.pod, row.reserved_at, row.released_at) for row in rows(result.reservations)],
    )


def run(tasks: list[dict[str, Any]], policy: Any = "static", engine: str | None = None, **parts: Any) -> Outcome:
    """Run *tasks* under *policy*: with the engine that is asked for, or else with both, which have to agree."""
    experiment = scenario(workload={"tasks": tasks}, **parts)
    results = [sim.run(experiment, [policy], engine=each) for each in ((engine,) if engine else ("fast", "simpy"))]
    assert_same_records(*results[:1], *results[-1:])
    return outcome(results[0])


class Always:
    """A policy that always wants the same number of pods."""

    def __init__(self, pods: int) -> None:
        self.pods = pods

    def desired_pods(self, view: object) -> int:
        return self.pods


class Failing:
    """A policy that raises."""

    def desired_pods(self, view: object) -> int:
        raise ZeroDivisionError


class Script:
    """A policy that says at the n-th tick what is listed n-th, and then the last of it; and keeps what it was shown."""

    def __init__(self, *answers: int) -> None:
        self.answers = answers
        self.views: list[sim.PoolView] = []

    def __deepcopy__(self, memo: object) -> Script:
        self.views.clear()
        return self

    def desired_pods(self, view: sim.PoolView) -> int:
        self.views.append(view)
        return self.answers[min(len(self.views), len(self.answers)) - 1]


def assert_same_records(one: sim.Result, other: sim.Result) -> None:
    """Both results have the same rows, to the last bit."""
    for name in ("tasks", "pods", "decisions", "reservations", "incidents"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


# Random scenarios: small, crowded, and full of coincidences.

_moments = st.sampled_from([0, 1, 2.5, 5, 7.25, 10, 12.5, 20, 30, 35.5, 60, 90, 120, 240])
_durations = st.sampled_from([0, 0.25, 1, 2.5, 5, 9.75, 10, 15, 20, 30, 45.25, 60, 100])
_targets = st.one_of(st.integers(0, 4), st.sampled_from(["any", "reserved", "running", "idle", "random"]))


@st.composite
def tasks(draw: st.DrawFn, identifier: int) -> dict[str, Any]:
    task: dict[str, Any] = {
        "id": identifier,
        "workspace": f"ws-{draw(st.integers(0, 3))}",
        "arrive": draw(_moments),
        "plan": draw(_durations),
    }
    if draw(st.integers(0, 3)) == 0:
        return {**task, "type": "plan"}
    confirm = draw(st.one_of(_durations, _moments, st.none()))
    return {**task, "type": "plan_and_apply", "confirm": confirm, "apply": draw(_durations)}


def sometimes(draw: st.DrawFn, one_in: int, **choices: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Each of the *choices* about every so often, and otherwise what is not given is as it is by default."""
    return {name: draw(values) for name, values in choices.items() if draw(st.integers(1, one_in)) == 1}


def _endings(draw: st.DrawFn, task: dict[str, Any], pools: list[str]) -> dict[str, Any]:
    """Ways for *task* to end other than well, and pools for it to be in."""
    more = sometimes(
        draw,
        5,
        plan_result=st.sampled_from(["no_changes", "error"]),
        cancel=st.one_of(_durations, _moments),
        execution_mode=st.sampled_from(["agent", "local"]),
    )
    if task["type"] == "plan_and_apply":
        more |= sometimes(draw, 5, decision=st.just("discard"), apply_result=st.just("error"))
    return {**task, **more, "pool": draw(st.sampled_from(pools))}


@st.composite
def faults(draw: st.DrawFn, guarded: bool = False) -> dict[str, Any]:
    kinds = ["pod_deletion", "pod_offline", "server_restart"]
    kind = draw(st.sampled_from([*kinds, "config_change"] if guarded else kinds))
    fault: dict[str, Any] = {"kind": kind}
    if draw(st.booleans()):
        fault["at"] = draw(_moments)
    else:
        fault["every"] = draw(st.sampled_from([25, 40.5, 60, 150]))
    if kind == "server_restart":
        fault["downtime"] = draw(_durations)
        fault["reconcile_after"] = draw(st.one_of(st.just("never"), _durations))
        fault["running_tasks"] = draw(st.sampled_from(["survive", "fail"]))
    elif kind != "config_change":
        fault["target"] = draw(_targets)
        if kind == "pod_offline":
            fault["duration"] = draw(st.one_of(st.none(), _durations))
    return fault


@st.composite
def safeguards(draw: st.DrawFn) -> dict[str, Any]:
    """Mostly none, and otherwise any of them."""
    chosen = {
        "hold_while_apply_pending": st.just(True),
        "warm_pods": st.integers(1, 2),
        "freezes": st.lists(
            st.one_of(
                st.fixed_dictionaries({"at": _moments, "duration": st.sampled_from([2.5, 20, 60])}),
                st.fixed_dictionaries({"at": _moments, "duration": st.just(12.5), "every": st.just(50)}),
            ),
            max_size=2,
        ),
        "creation_limit": st.just(1),
        "creation_failure": st.just(0.5),
        "connect_failure": st.just(0.5),
        "connect_timeout": _durations,
        "lost_reservation": st.just("replan"),
        "reinit": _durations,
    }
    return {name: draw(values) for name, values in chosen.items() if draw(st.integers(0, 9)) == 0}


REMEMBERING: list[dict[str, Any]] = [
    {"name": "demand", "keep": 20, "patience": 5},
    {"name": "demand", "keep": 0, "spare": None},
    {"name": "keda", "polling_interval": 12, "cooldown_period": 30, "hpa_sync_period": 8,
     "hpa_downscale_stabilization": 40},
    {"name": "keda-jobs", "polling_interval": 11},
    {"name": "keda-jobs", "polling_interval": 11, "metric": "unfinished", "strategy": "accurate"},
    {"name": "hpa", "interval": 12, "metric": "external", "scale_down_stabilization_window": 40},
    {"name": "hpa", "interval": 12, "scale_down_stabilization_window": 0},
    {"name": "hcp-terraform", "agent_pool_sync_period": 9, "cooldown_period_seconds": 25},
    {"name": "buildkite", "min_poll_interval": 13},
    {"name": "arc-busy", "sync_period": 17, "scale_down_delay_seconds_after_scale_out": 40},
    {"name": "gitlab", "interval": 6, "idle_count": 2, "idle_time": 20},
]  # fmt: skip
"""Policies that have memory, in such a hurry that what they remember matters within minutes."""

LANDED: list[Any] = [
    "landed",
    {"name": "landed", "label": "landed-0.3.5", "occupied": "running"},
    {"name": "fixed", "label": "first-draft", "execution_mode_filter": False},
]

_remembering = st.sampled_from(REMEMBERING).map(lambda choice: [choice, "fixed"])


def _pool(draw: st.DrawFn, varied: bool, every: bool) -> dict[str, Any]:
    max_pods = draw(st.integers(1, 4))
    slots = draw(st.integers(1, 4))
    pool = {
        "min_pods": draw(st.integers(0, max_pods)),
        "max_pods": max_pods,
        "initial_pods": draw(st.integers(0, max_pods)),
        "slots_per_pod": slots,
        "apply_slots": draw(st.integers(0, slots)),
        "pod_startup": draw(_durations),
        "heartbeat_timeout": draw(_durations),
        "reservation_ttl": draw(st.sampled_from([5, 20, 47.5, 86400])),
        "placement": draw(st.sampled_from(["first_fit", "spare_apply_slots"])),
    }
    if varied:
        pool |= sometimes(draw, 2, apply_placement=st.just("any_slot"))
    if every:
        pool |= sometimes(
            draw,
            3,
            placement=st.sampled_from(["most_idle", "random"]),
            scale_down=st.sampled_from(["drain", "kill"]),
            termination_grace=_durations,
            on_pod_loss=st.just("requeue"),
        )
        if draw(st.integers(0, 3)) == 0:
            pool |= {"ephemeral": True, "slots_per_pod": 1, "apply_slots": min(pool["apply_slots"], 1)}
    return pool


@st.composite
def scenarios(draw: st.DrawFn, guarded: bool = False, varied: bool = False, every: bool = False) -> Scenario:
    """Random scenarios.

    Args:
        draw: draws a value.
        guarded: with safeguards, and with changes of the configuration.
        varied: with every further rule that the engine knows.
        every: with every rule that there is.
    """
    varied = varied or every
    control = {
        "autoscaler_interval": draw(st.sampled_from([1, 2.5, 5, 7])),
        "dispatch": draw(st.sampled_from(["poll", "poll", "notify"])),
        "dispatch_retry": draw(st.sampled_from([2.5, 3.25, 10])),
    }
    listed = [draw(tasks(number)) for number in range(draw(st.integers(1, 12)))]
    struck = draw(st.lists(faults(guarded), max_size=4))
    parts: dict[str, Any] = {}
    if not varied:
        parts["pool"] = _pool(draw, varied, every)
    else:
        names = ["one", "two"][: draw(st.integers(1, 2))]
        parts["pools"] = {name: _pool(draw, varied, every) for name in names}
        at_start = sum(pool["initial_pods"] for pool in parts["pools"].values())
        parts |= sometimes(draw, 4, quota=st.integers(max(at_start, 1), max(at_start, 1) + 3))
        control |= sometimes(draw, 3, workspace_lock=st.just("all"), task_timeout=st.sampled_from([5, 20, 50.25]))
        listed = [_endings(draw, task, names) for task in listed]
        struck = [{**f, "pool": draw(st.sampled_from(names))} if "target" in f else f for f in struck]
    if every:
        control |= sometimes(draw, 3, view_delay=_durations)
        if control["dispatch"] == "notify":
            control |= sometimes(draw, 2, queue_order=st.just("applies_first"))
    return scenario(
        horizon=draw(st.sampled_from([100, 300, 600.25])),
        seed=draw(st.integers(0, 9)),
        **parts,
        control=control,
        safeguards=draw(safeguards()) if guarded else {},
        workload={"tasks": listed},
        faults=struck,
        policies=draw(
            st.sampled_from([["old", "fixed"], ["fixed", "static"], ["old", "fixed", "static"], LANDED]) | _remembering
        ),
    )
