"""Random numbers that belong to things (model.md, 6).

A stream is keyed by seed, replication, what its numbers are for and, for faults, the number of the fault. Its n-th
number belongs to the n-th thing of that kind, no matter who asks for it, or when. A task that has an id gets its
numbers from its id, so its position in the list does not matter. Every number is uniform on [0, 1) and is made into a
value by inversion, so changing the distribution of one quantity does not change the numbers of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b

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
    OWN_PROCESS = 17
    PLAN_RESULT = 18
    DISCARD = 19
    APPLY_RESULT = 20
    CANCEL = 21
    CANCELS = 22
    PLAN_PLACEMENT = 23
    APPLY_PLACEMENT = 24
    RESAMPLE = 25


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


_BY_ID = 1
"""A fourth element of the key, which keeps numbers by id apart from those of all streams."""


def numbers_by_id(seed: int, replication: int, purpose: For, ids: Sequence[int | str]) -> Floats:
    """One number for each of the tasks with these *ids*, which depends on nothing else about them.

    An id is made a number of 64 bits with BLAKE2, and that is mixed with the key as in SplitMix64 (Steele, Lea and
    Flood, 2014, "Fast splittable pseudorandom number generators").
    """
    keys = SeedSequence(entropy=seed, spawn_key=(replication, int(purpose), 0, _BY_ID)).generate_state(2, np.uint64)
    mixed = _mix(_mix(_hashes(tuple(ids)) ^ keys[0]) ^ keys[1])
    return np.asarray((mixed >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


@lru_cache(maxsize=2)
def _hashes(ids: tuple[int | str, ...]) -> NDArray[np.uint64]:
    hashes = b"".join(blake2b(str(each).encode(), digest_size=8).digest() for each in ids)
    return np.frombuffer(hashes, dtype="<u8").astype(np.uint64)


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def generator_for(seed: int, replication: int, name: str) -> Generator:
    """The generator of random numbers with this *name*, for SimPy processes of a user's own."""
    hashed = int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "little")
    return Generator(PCG64(SeedSequence(entropy=seed, spawn_key=(replication, int(For.OWN_PROCESS), hashed))))
