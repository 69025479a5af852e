"""A scenario in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.report.pictures.style import duration
from sim.scenario.distributions import Quantity, mean_of
from sim.scenario.pools import PoolSettings
from sim.scenario.recorded_faults import RecordedFaults
from sim.scenario.workload import ArrivalProcess

if TYPE_CHECKING:
    from sim.scenario import Scenario


def facts(scenario: Scenario, replications: int) -> Iterator[tuple[str, str]]:
    """The scenario, as pairs of a word and what is to be said of it."""
    control = scenario.control
    drain = f" and {duration(scenario.drain)} of drain" if scenario.drain else ""
    worlds = f"{replications} replication{'s' if replications > 1 else ''}"
    yield "Time", f"{duration(scenario.horizon)}{drain}, {worlds}, seed {scenario.seed}"
    for name, pool in scenario.all_pools.items():
        yield f"Pool {name}" if len(scenario.all_pools) > 1 else "Pool", _pool(pool)
    if scenario.quota is not None:
        yield "Quota", f"{scenario.quota} pods in all pools together"
    asks = "a queue" if control.dispatch == "notify" else f"asking every {duration(control.dispatch_retry)}"
    yield "Control", f"the autoscaler looks every {duration(control.autoscaler_interval)}; tasks wait by {asks}"
    yield "Tasks", _workload(scenario)
    for fault in scenario.faults:
        if isinstance(fault, RecordedFaults):
            yield "Faults", f"{len(fault.strikes)} recorded in {fault.file}"
            continue
        when = f"at {_quantity(fault.at)}" if fault.at is not None else f"every {_quantity(fault.every or 0.0)}"
        target = f", pod: {target}" if (target := getattr(fault, "target", None)) is not None else ""
        yield "Fault", f"{fault.kind.replace('_', ' ')} {when}{target}"
    guards = scenario.safeguards.model_dump(mode="json", exclude_defaults=True)
    if guards:
        yield "Safeguards", ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in guards.items())


def _pool(pool: PoolSettings) -> str:
    if pool.apply_placement == "any_slot":
        applies = f"of which {pool.apply_slots} at a time for an apply"
    else:
        applies = f"{pool.apply_slots} of them for applies"
    size = f"{pool.min_pods} to {pool.max_pods} pods, {pool.pods_at_start} at the start"
    rules = {
        "scale_down": f"scale down by {pool.scale_down}",
        "ephemeral": "a new pod for each task",
        "placement": f"placement {pool.placement.replace('_', ' ')}",
        "on_pod_loss": "a plan whose pod is lost is made again",
    }
    own = [words for field, words in rules.items() if getattr(pool, field) != type(pool).model_fields[field].default]
    starts = f"a pod starts in {_quantity(pool.pod_startup)}"
    return "; ".join([size, f"{pool.slots_per_pod} slots each, {applies}", starts, *own])


def _workload(scenario: Scenario) -> str:
    work = scenario.workload
    if work.tasks is not None:
        return f"{len(work.tasks)}, listed in the scenario"
    if work.trace is not None:
        return f"recorded, from {work.trace.file}"
    return "; ".join(map(_block, work.blocks))


def _block(arrivals: ArrivalProcess) -> str:
    share = arrivals.plan_and_apply_share or 0
    pool = "" if arrivals.pool is None else f" for {arrivals.pool}"
    return f"generated ({arrivals.process}){pool}, {share:.0%} of them plan and apply, " \
           f"a plan takes {_quantity(arrivals.plan)}"  # fmt: skip


def _quantity(quantity: Quantity) -> str:
    about = duration(mean_of(quantity))
    return about if isinstance(quantity, float | int) else f"{about} on average ({quantity.dist})"
