"""From a scenario to the settings of its platform, in nanoseconds."""

from __future__ import annotations

from sim.runs.settings import PlatformSettings, PoolConfig, Safeguards
from sim.runs.time import NEVER
from sim.scenario import Scenario
from sim.scenario.pools import PoolSettings
from sim.world.rounding import whole_nanoseconds as _ns


def settings_of(scenario: Scenario) -> PlatformSettings:
    """What the model has to know of *scenario*'s platform."""
    control = scenario.control
    return PlatformSettings(
        horizon=_ns(scenario.end),
        pools=tuple(_pool(name, pool) for name, pool in scenario.all_pools.items()),
        autoscaler_interval=_ns(control.autoscaler_interval),
        notify=control.dispatch == "notify",
        dispatch_retry=_ns(control.dispatch_retry),
        applies_first=control.queue_order == "applies_first",
        locks_all=control.workspace_lock == "all",
        task_timeout=NEVER if control.task_timeout is None else _ns(control.task_timeout),
        view_delay=_ns(control.view_delay),
        starts_at=scenario.week_offset,
        quota=NEVER if scenario.quota is None else scenario.quota,
        safeguards=_safeguards_of(scenario),
    )


def _pool(name: str, pool: PoolSettings) -> PoolConfig:
    return PoolConfig(
        name=name,
        min_pods=pool.min_pods,
        max_pods=pool.max_pods,
        initial_pods=pool.pods_at_start,
        slots_per_pod=pool.slots_per_pod,
        apply_slots=pool.apply_slots,
        heartbeat_timeout=_ns(pool.heartbeat_timeout),
        reservation_ttl=_ns(pool.reservation_ttl),
        placement=pool.placement,
        any_slot=pool.apply_placement == "any_slot",
        scale_down=pool.scale_down,
        termination_grace=_ns(pool.termination_grace),
        ephemeral=pool.ephemeral,
        requeue=pool.on_pod_loss == "requeue",
    )


def _safeguards_of(scenario: Scenario) -> Safeguards:
    given, horizon = scenario.safeguards, scenario.horizon
    freezes: list[tuple[int, int]] = []
    for window in sorted(
        window for freeze in given.freezes for window in freeze.windows(scenario.week_offset, horizon)
    ):
        begin, end = _ns(window[0]), _ns(window[1])
        if freezes and begin <= freezes[-1][1]:
            begin, end = freezes[-1][0], max(end, freezes.pop()[1])
        freezes.append((begin, end))
    return Safeguards(
        hold_while_apply_pending=given.hold_while_apply_pending,
        warm_pods=given.warm_pods,
        freezes=tuple(freezes),
        creation_limit=given.creation_limit,
        connect_timeout=_ns(given.connect_timeout),
        replan=given.lost_reservation == "replan",
    )
