"""The platform, fast: the same records as `sim.model`, to the bit, for what it knows.

It skips ticks and retries that cannot change anything. To know what the platform does, read `sim.model` instead.

Machine code of these files, if it has been made (`make compiled`), is in `machine_code/` beside them, and is used only
if it was made of exactly the files that there are now.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.machine_code import usable
from sim.runs.settings import PlatformSettings

_found = usable(__path__[0])
if _found is not None:
    __path__.insert(0, _found)

MACHINE_CODE = _found is not None
"""Whether what runs is machine code."""


def supports(settings: PlatformSettings, processes: Sequence[object]) -> bool:
    """Whether the engine knows everything that a run needs.

    Args:
        settings: how the platform is set up.
        processes: SimPy processes of one's own, which only the model can run.
    """
    return not unsupported(settings, processes)


def unsupported(settings: PlatformSettings, processes: Sequence[object]) -> tuple[str, ...]:
    """What a run needs that only the model knows, as a scenario writes it. Arguments are those of `supports`."""
    needs = {
        "processes of one's own": bool(processes),
        "control.queue_order: applies_first": settings.applies_first,
        "control.view_delay": settings.view_delay > 0,
    }
    for pool in settings.pools:
        needs[f"placement: {pool.placement}"] = pool.placement not in ("first_fit", "spare_apply_slots")
        needs[f"scale_down: {pool.scale_down}"] = pool.scale_down != "idle"
        needs["ephemeral"] = pool.ephemeral
        needs["on_pod_loss: requeue"] = pool.requeue
    return tuple(need for need, is_needed in needs.items() if is_needed)
