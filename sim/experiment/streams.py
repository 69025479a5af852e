"""Random numbers that belong to things (model.md, 6).

A stream is keyed by seed, replication and what its numbers are for. Its n-th number belongs to the n-th thing of that
kind, whoever asks for it and when. Every number is uniform on [0, 1) and made into a value by inversion, so that
another distribution for one quantity leaves all others as they were.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class For(IntEnum):
    """What a stream's numbers are for. The values are part of every stream's key: never change or reuse one."""

    ARRIVAL = 0
    TYPE = 1
    WORKSPACE = 2
    PLAN = 3
    CONFIRM = 4
    CONFIRMS = 5
    APPLY = 6
    STARTUP = 7
    FAULT_TIME = 8
    FAULT_TARGET = 9
    FAULT_DURATION = 10
    FAULT_RECONCILE = 11
    PHASE = 12
    BURST = 13
    CONNECT = 14
    CREATION = 15
    REINIT = 16


class Stream:
    """The numbers for one purpose, in order."""

    def __init__(self, seed: int, replication: int, purpose: For, thing: int = 0) -> None:
        key = (replication, int(purpose), thing)
        self._generator = Generator(PCG64(SeedSequence(entropy=seed, spawn_key=key)))

    def take(self, count: int) -> Floats:
        """The next *count* numbers."""
        return self._generator.random(count)

    def next(self) -> float:
        """The next number."""
        return float(self._generator.random())
