"""How a task waits for its next attempt (model.md, 2.2).

Three ways, one interface. `polling.LiteralPolling` is the rule as it is written: after each attempt that failed
another one, `dispatch_retry` later. `polling.Polling` has the same attempts succeed at the same times, but makes only
those that can: a retry cannot succeed until a slot that fits becomes usable, and then the waiting task that is due
first gets it. `queueing.Queue` is `dispatch: notify`.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.model.pool import Pod
from sim.model.tasks import Task

Attempt = Callable[[Task], bool]
"""Makes one attempt for a task; whether it succeeded."""


class Waiting:
    """The tasks that wait for their next attempt. While the server is down none is made."""

    def add(self, task: Task) -> None:
        """An attempt for the task has failed just now, or could not be made because the server is down."""
        raise NotImplementedError

    def moved(self, task: Task) -> None:
        """A waiting task's reserved slot has been lost or restored."""

    def offer(self) -> None:
        """A slot may have become usable."""

    def agent_back(self, pod: Pod) -> None:
        """The pod's agent answers again."""

    def restart(self, down_since: int) -> None:
        """The server has come up: every waiting task gets an attempt in this instant, and retries count from it too.

        Retries that fell due while it was down are lost, and with them those that would have followed. Others are
        not: after a short down-time a task asks more often than every `dispatch_retry`.
        """
        raise NotImplementedError
