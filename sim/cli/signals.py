"""Ctrl-C and SIGTERM end a command, whatever it is doing."""

from __future__ import annotations

import os
import signal
import sys
import time
from types import FrameType
from typing import Final

_IMPATIENT: Final = 1.0
"""Seconds after the first signal from which on another one ends the program at once, without cleaning up."""


class EndedBySignal(BaseException):
    """Somebody wants this program to end. It is no KeyboardInterrupt or SystemExit, which others give a meaning of
    their own.
    """


_asked: tuple[int, float] | None = None
"""Which signal asked for the end, and when."""


def install() -> None:
    """Have Ctrl-C and SIGTERM end the program, unless whoever started it has Ctrl-C ignored."""
    signal.signal(signal.SIGTERM, _on_signal)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _on_signal)


def asked_by() -> int | None:
    """The number of the signal that has asked for the end, if one has."""
    return None if _asked is None else _asked[0]


def leave_if_asked() -> None:
    """End now if that has been asked for and got lost: Python drops what is raised while it deletes an object.

    Raises:
        EndedBySignal: it has.
    """
    if _asked is not None:
        raise EndedBySignal


def _on_signal(number: int, frame: FrameType | None) -> None:
    global _asked  # noqa: PLW0603
    if _asked is not None:
        if time.monotonic() - _asked[1] > _IMPATIENT:
            sys.stderr.flush()
            os._exit(128 + number)
        return
    _asked = (number, time.monotonic())
    raise EndedBySignal
