"""A policy that somebody else wrote, kept from holding up a run for ever."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Final

from sim.policies import Policy, PoolView

ANSWER_TIMEOUT: Final = 10.0
"""Seconds that one answer may take, for the command line. A control loop that comes every few seconds has no use for
a slower policy.
"""


class TooSlowError(Exception):
    """A policy has not answered in time."""


class _TimeIsUpError(BaseException):
    """Interrupts a policy. It is no mere exception, which a policy might catch and go on."""


class TimeLimitedPolicy:
    """A policy that is interrupted if an answer takes too long.

    It takes the alarm of the process, so it is only for processes of our own (see `sim.experiment.worker`).

    Args:
        policy: the policy to ask.
        limit: seconds that one answer may take.
    """

    def __init__(self, policy: Policy, limit: float) -> None:
        self._policy = policy
        self._limit = limit
        self.stateless = bool(getattr(policy, "stateless", False))
        self._can_interrupt = hasattr(signal, "setitimer")
        if self._can_interrupt:
            signal.signal(signal.SIGALRM, _too_slow)

    @property
    def unchanged_until(self) -> Any:
        return getattr(self._policy, "unchanged_until", 0.0)

    def desired_pods(self, view: PoolView) -> int:
        if not self._can_interrupt:
            return self._policy.desired_pods(view)
        # Again and again, in case the policy catches what interrupts it.
        signal.setitimer(signal.ITIMER_REAL, self._limit, self._limit)
        try:
            return self._policy.desired_pods(view)
        except _TimeIsUpError:
            raise TooSlowError(f"no answer within {self._limit:g} s") from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise _TimeIsUpError
