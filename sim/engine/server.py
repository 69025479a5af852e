"""The state of the server."""

from __future__ import annotations


class EngineServer:
    """Whether the server is up, and since when. `FaultInjector` restarts it (model.md, 4: server_restart)."""

    def __init__(self) -> None:
        self.is_down = False
        self.up_since = 0
        """When it came up last: the autoscaler's ticks count from here."""
        self.back_at = 0
        """When it will be up again, while it is down."""

    def down(self) -> bool:
        """Whether it is down, as a function to hand around."""
        return self.is_down
