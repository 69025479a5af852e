"""A policy that somebody else wrote, kept from holding up a run for ever."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from sim.policies import Policy, PoolView

PATIENCE = 10.0
"""Seconds that one answer may take. A control loop that comes every few seconds has no use for a slower policy."""


class TooSlowError(Exception):
    """A policy has not answered in time."""


class _TimeIsUpError(BaseException):
    """Interrupts a policy. No mere exception, of which it might be meant to go on."""


class Guarded:
    """A policy that is interrupted if an answer takes longer than `PATIENCE`.

    It takes a timer of the operating system, which only the main thread can have; elsewhere nothing is interrupted.

    Args:
        policy: the policy to ask.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.stateless = bool(getattr(policy, "stateless", False))
        self.unchanged_until: Any = 0.0
        self._can_interrupt = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        if self._can_interrupt:
            signal.signal(signal.SIGALRM, _too_slow)

    def desired_pods(self, view: PoolView) -> int:
        if not self._can_interrupt:
            return self._ask(view)
        # Again and again, in case the policy catches what interrupts it.
        signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)
        try:
            return self._ask(view)
        except _TimeIsUpError:
            raise TooSlowError(f"no answer within {PATIENCE:g} s") from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ask(self, view: PoolView) -> int:
        answer = self._policy.desired_pods(view)
        self.unchanged_until = getattr(self._policy, "unchanged_until", 0.0)
        return answer


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise _TimeIsUpError
