"""A scenario in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.report.pictures.style import duration
from sim.scenario.distributions import Quantity, mean_of

if TYPE_CHECKING:
    from sim.scenario import Scenario


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
