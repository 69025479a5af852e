"""The pictures of a result, as its attribute `plot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.results.result_base import ResultBase


class Plot:
    """The pictures of one result.

    Each method draws on `ax` where that is given, and else on a new figure, and returns the Matplotlib axes.

    Args:
        result: what the pictures show.
    """

    def __init__(self, result: ResultBase) -> None:
        self._result = result

    def timeline(
        self,
        policy: str | None = None,
        replication: int = 0,
        window: tuple[float, float] | None = None,
        ax: Axes | None = None,
    ) -> Any:
        """What happened on every slot. See `sim.report.pictures.timeline.timeline`."""
        from sim.report.pictures.timeline import timeline

        return timeline(self._result, policy, replication, window, ax)

    def waits(self, ax: Axes | None = None) -> Axes:
        """The survival curve of the apply wait. See `sim.report.pictures.waits.waits`."""
        from sim.report.pictures.waits import waits

        return waits(self._result, "apply_wait", ax)

    def plan_waits(self, ax: Axes | None = None) -> Axes:
        """The survival curve of the plan wait. See `sim.report.pictures.waits.waits`."""
        from sim.report.pictures.waits import waits

        return waits(self._result, "plan_wait", ax)

    def pods(self, replication: int = 0, ax: Axes | None = None) -> Any:
        """Pods, demand and waiting confirmed tasks over time. See `sim.report.pictures.pods.pods`."""
        from sim.report.pictures.pods import pods

        return pods(self._result, replication, ax)

    def causes(self, ax: Axes | None = None) -> Axes:
        """What the apply wait was made of. See `sim.report.pictures.causes.causes`."""
        from sim.report.pictures.causes import causes

        return causes(self._result, "apply_wait", ax)

    def plan_causes(self, ax: Axes | None = None) -> Axes:
        """What the plan wait was made of. See `sim.report.pictures.causes.causes`."""
        from sim.report.pictures.causes import causes

        return causes(self._result, "plan_wait", ax)

    def frontier(self, metric: str = "apply_wait.mean", ax: Axes | None = None) -> Axes:
        """Wait against cost. See `sim.report.pictures.frontier.frontier`."""
        from sim.report.pictures.frontier import frontier

        return frontier(self._result, metric, ax)


KINDS = ("timeline", "waits", "plan_waits", "pods", "causes", "plan_causes", "frontier")
"""The pictures there are: the names of the methods."""
