"""What is drawn for the n-th thing, as far as it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from sim.scenario.distributions import Quantity, mean_of, quantiles
from sim.world.rounding import drawn_times, whole_nanoseconds
from sim.world.streams import Floats, Stream

T = TypeVar("T")


class Series(Generic[T]):
    """What is drawn for the n-th thing, n = 0, 1, 2, ...; as far as it is asked for.

    Args:
        stream: the uniform numbers, one for each thing.
        made: what they become.
    """

    def __init__(self, stream: Stream, made: Callable[[Floats], list[T]]) -> None:
        self._stream = stream
        self._made = made
        self._drawn: list[T] = []

    def __call__(self, n: int) -> T:
        while n >= len(self._drawn):
            self._drawn.extend(self._made(self._stream.take(256)))
        return self._drawn[n]


def durations(quantity: Quantity, stream: Stream) -> Callable[[int], int]:
    """The nanoseconds that *quantity* is for each thing."""
    if isinstance(quantity, float | int):
        constant = whole_nanoseconds(mean_of(quantity))
        return lambda n: constant
    return Series(stream, lambda u: drawn_times(quantiles(quantity, u)).tolist())


def chances(share: float, stream: Stream) -> Callable[[int], bool]:
    """Whether what happens with probability *share* does so to each thing."""
    return Series(stream, lambda u: (u < share).tolist()) if share else lambda n: False


def numbers(stream: Stream) -> Callable[[int], float]:
    """The uniform number of each thing."""
    return Series(stream, lambda u: u.tolist())
