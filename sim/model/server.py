"""The server's down-time, and what it does when it comes up (model.md, 4: server_restart)."""

from __future__ import annotations

from sim.model.clock import SERVER_UP, Alarm, Clock
from sim.model.dispatcher import Dispatcher
from sim.model.pool import RUNNING, Pool
from sim.model.settings import ServerRestart


class Server:
    """Whether the server is up, and since when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.is_down = False
        self.up_since = 0
        """When it came up last: the autoscaler's ticks count from here."""
        self.back_at = 0
        """When it will be up again, while it is down."""

    def down(self) -> bool:
        """Whether it is down, as a function to hand around."""
        return self.is_down

    def restart(self, strike: ServerRestart, pool: Pool, dispatcher: Dispatcher) -> None:
        """Go down, and come up `downtime` later. While it is down already this does nothing."""
        if self.is_down:
            return
        down_since = self._clock.now
        self.is_down = True
        self.back_at = self._clock.now + strike.downtime
        dispatcher.reservations.stop_restoring()

        def come_up(_: Alarm | None) -> None:
            self.is_down = False
            self.up_since = self._clock.now
            if strike.running_tasks == "fail":
                running = [slot for pod in pool.pods.values() for slot in pod.slots if slot.state == RUNNING]
                for slot in running:
                    dispatcher.cut_off(slot)
            dispatcher.reservations.forget(strike.reconcile_after)
            dispatcher.waiting.restart(down_since)

        if strike.downtime == 0:
            come_up(None)
        else:
            self._clock.schedule(Alarm(come_up), self.back_at, SERVER_UP)
