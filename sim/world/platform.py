"""From a scenario to the settings of its platform, in nanoseconds."""

from __future__ import annotations

from sim.runs.settings import PlatformSettings, Safeguards
from sim.scenario import Scenario
from sim.world.rounding import whole_nanoseconds as _ns


def settings_of(scenario: Scenario) -> PlatformSettings:
    """What the model has to know of *scenario*'s platform."""
    pool, control = scenario.pool, scenario.control
    return PlatformSettings(
        horizon=_ns(scenario.end),
        min_pods=pool.min_pods,
        max_pods=pool.max_pods,
        initial_pods=pool.pods_at_start,
        slots_per_pod=pool.slots_per_pod,
        apply_slots=pool.apply_slots,
        heartbeat_timeout=_ns(pool.heartbeat_timeout),
        reservation_ttl=_ns(pool.reservation_ttl),
        spare_apply_slots=pool.placement == "spare_apply_slots",
        autoscaler_interval=_ns(control.autoscaler_interval),
        notify=control.dispatch == "notify",
        dispatch_retry=_ns(control.dispatch_retry),
        safeguards=_safeguards_of(scenario),
    )


def _safeguards_of(scenario: Scenario) -> Safeguards:
    given, horizon = scenario.safeguards, scenario.horizon
    freezes: list[tuple[int, int]] = []
    for window in sorted(window for freeze in given.freezes for window in freeze.windows(horizon)):
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
