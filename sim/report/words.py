"""A scenario and its result in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.report.pictures.style import duration
from sim.results.summary import entry
from sim.scenario.distributions import Quantity, mean_of

if TYPE_CHECKING:
    from sim.results.result_base import ResultBase
    from sim.scenario import Scenario


def verdict(result: ResultBase) -> str:
    """What came out, in one sentence per policy: how long confirmed tasks wait, and what that costs."""
    first, *others = result.labels
    policies = result.summary["policies"]
    told = [f"Under {first} a confirmed task waits {_wait(policies[first])} on average{_starving(policies[first])}."]
    for label in others:
        compared = result.summary["comparisons"][label]
        told.append(
            f"Under {label} it waits {_wait(policies[label])}{_starving(policies[label])}"
            f"{_sure(entry(compared, 'apply_wait.mean'))}, for {_cost(entry(compared, 'pod_seconds'))}."
        )
    return " ".join(told)


def _wait(metrics: dict[str, Any]) -> str:
    found = entry(metrics, "apply_wait.mean")
    if found["value"] is None:
        return "for nothing, as none was confirmed,"
    return ("more than " if found.get("lower_bound") else "") + duration(found["value"])


def _starving(metrics: dict[str, Any]) -> str:
    left = entry(metrics, "censored")["value"]
    return f" ({left:g} still waiting at the end)" if left else ""


def _sure(found: dict[str, Any]) -> str:
    word = found.get("verdict")
    if word is None:
        return ""
    return " (a difference that may be chance)" if word == "cannot tell" else f" ({word}, beyond chance)"


def _cost(found: dict[str, Any]) -> str:
    hours = found["value"] / 3600
    if hours == 0:
        return "the same pod-hours"
    return f"{abs(hours):,.2f} pod-hours {'more' if hours > 0 else 'less'}"


def facts(scenario: Scenario, replications: int) -> Iterator[tuple[str, str]]:
    """The scenario, as pairs of a word and what is to be said of it."""
    pool, control = scenario.pool, scenario.control
    drain = f" and {duration(scenario.drain)} of drain" if scenario.drain else ""
    worlds = f"{replications} replication{'s' if replications > 1 else ''}"
    yield "Time", f"{duration(scenario.horizon)}{drain}, {worlds}, seed {scenario.seed}"
    yield (
        "Pool",
        f"{pool.min_pods} to {pool.max_pods} pods, {pool.pods_at_start} at the start; {pool.slots_per_pod} slots each, "
        f"{pool.apply_slots} of them for applies; a pod starts in {_quantity(pool.pod_startup)}",
    )
    asks = "a queue" if control.dispatch == "notify" else f"asking every {duration(control.dispatch_retry)}"
    yield "Control", f"the autoscaler looks every {duration(control.autoscaler_interval)}; tasks wait by {asks}"
    yield "Tasks", _workload(scenario)
    for fault in scenario.faults:
        when = f"at {_quantity(fault.at)}" if fault.at is not None else f"every {_quantity(fault.every or 0.0)}"
        target = f", pod: {target}" if (target := getattr(fault, "target", None)) is not None else ""
        yield "Fault", f"{fault.kind.replace('_', ' ')} {when}{target}"
    guards = scenario.safeguards.model_dump(mode="json", exclude_defaults=True)
    if guards:
        yield "Safeguards", ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in guards.items())


def _workload(scenario: Scenario) -> str:
    work = scenario.workload
    if work.tasks is not None:
        return f"{len(work.tasks)}, listed in the scenario"
    if work.trace is not None:
        return f"recorded, from {work.trace.file}"
    assert work.arrivals is not None
    share = work.arrivals.plan_and_apply_share or 0
    return f"generated ({work.arrivals.process}), {share:.0%} of them plan and apply, " \
           f"a plan takes {_quantity(work.arrivals.plan)}"  # fmt: skip


def _quantity(quantity: Quantity) -> str:
    about = duration(mean_of(quantity))
    return about if isinstance(quantity, float | int) else f"{about} on average ({quantity.dist})"
