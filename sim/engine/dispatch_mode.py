"""How a task waits for its next attempt (model.md, 2.2): `polling.Polling` is `dispatch: poll`, and
`notify.NotifyQueue` is `dispatch: notify`.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.engine.entities import EnginePod, EngineTask

Attempt = Callable[[EngineTask], bool]
"""Makes one attempt for a task; whether it succeeded."""


class DispatchMode:
    """The tasks that wait for their next attempt. While the server is down none is made."""

    def add(self, task: EngineTask) -> None:
        """An attempt for the task has failed just now, or could not be made because the server is down."""
        raise NotImplementedError

    def give_up(self, task: EngineTask) -> None:
        """The task, which waits, is canceled. Called before it loses its slot, if one is reserved for it."""
        raise NotImplementedError

    def moved(self, task: EngineTask) -> None:
        """A waiting task's reserved slot has been lost or restored."""

    def offer(self) -> None:
        """A slot may have become usable."""

    def agent_back(self, pod: EnginePod) -> None:
        """The pod's agent answers again."""

    def restart(self) -> None:
        """The server has come up: every waiting task gets an attempt in this instant, and retries count from it."""
        raise NotImplementedError
