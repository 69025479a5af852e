"""The pictures of an outcome, as its attribute `plot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.results.outcome import Outcome


class Plot:
    """The pictures of one outcome.

    Each method draws on `ax` where that is given, and else on a new figure, and returns the Matplotlib axes.

    Args:
        outcome: what the pictures show.
    """

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def timeline(
        self,
        policy: str | None = None,
        replication: int = 0,
        window: tuple[float, float] | None = None,
        ax: Axes | None = None,
    ) -> Any:
        """What happened on every slot. See `sim.report.pictures.timeline.timeline`."""
        from sim.report.pictures.timeline import timeline

        return timeline(self._outcome, policy, replication, window, ax)

    def waits(self, ax: Axes | None = None) -> Axes:
        """The survival curve of the apply wait. See `sim.report.pictures.waits.waits`."""
        from sim.report.pictures.waits import waits

        return waits(self._outcome, ax)

    def pods(self, replication: int = 0, ax: Axes | None = None) -> Any:
        """Pods, demand and waiting confirmed tasks over time. See `sim.report.pictures.pods.pods`."""
        from sim.report.pictures.pods import pods

        return pods(self._outcome, replication, ax)

    def causes(self, ax: Axes | None = None) -> Axes:
        """What the wait was made of. See `sim.report.pictures.causes.causes`."""
        from sim.report.pictures.causes import causes

        return causes(self._outcome, ax)

    def frontier(self, metric: str = "apply_wait.mean", ax: Axes | None = None) -> Axes:
        """Wait against cost. See `sim.report.pictures.frontier.frontier`."""
        from sim.report.pictures.frontier import frontier

        return frontier(self._outcome, metric, ax)


KINDS = ("timeline", "waits", "pods", "causes", "frontier")
"""The pictures there are: the names of the methods."""
