"""When tasks arrive, drawn from a scenario's arrival process.

Arrivals at a rate that varies are those of a process of rate 1, mapped through the inverse of the rate's integral
(Law, 8.6.2): the n-th arrival keeps its random number whatever the rates are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from sim.scenario.weekly import DAY
from sim.scenario.workload import ArrivalProcess, Deterministic, Geometric, MarkovModulated, Poisson, Profile
from sim.world.streams import Floats, For, Stream

_BLOCK = 4096


def arrival_times(arrivals: ArrivalProcess, horizon: float, stream: Callable[[For], Stream]) -> Floats:
    """The moments in seconds, ascending, at which tasks arrive before *horizon*; one for each task of a burst."""
    match arrivals:
        case Poisson():
            moments = _unit_arrivals(stream(For.ARRIVAL), horizon * arrivals.rate) / arrivals.rate
        case Deterministic():
            moments = np.arange(1, np.floor(horizon * arrivals.rate) + 1) / arrivals.rate
        case Profile():
            moments = _through(_weeks(arrivals, horizon), stream(For.ARRIVAL))
        case MarkovModulated():
            moments = _through(_phases(arrivals, horizon, stream(For.PHASE)), stream(For.ARRIVAL))
    moments = moments[moments < horizon]
    if isinstance(arrivals.burst, Geometric):
        return np.repeat(moments, _geometric(stream(For.BURST).take(len(moments)), arrivals.burst.mean))
    return np.repeat(moments, arrivals.burst)


def expected_tasks(arrivals: ArrivalProcess, horizon: float) -> float:
    """About how many tasks arrive before *horizon*: the mean, or for phases what the highest of their rates gives."""
    match arrivals:
        case Poisson() | Deterministic():
            count = horizon * arrivals.rate
        case Profile():
            count = horizon * max(rate for _, rate in arrivals.week())
        case MarkovModulated():
            count = horizon * max(phase.rate for phase in arrivals.phases)
    return count * arrivals.mean_burst


def _unit_arrivals(stream: Stream, upto: float) -> Floats:
    """The arrivals of a Poisson process of rate 1, up to the first that is beyond *upto*."""
    times, last = [], 0.0
    while last < upto:
        gaps = -np.log1p(-stream.take(_BLOCK))
        gaps[0] += last
        times.append(np.cumsum(gaps))
        last = float(times[-1][-1])
    return np.concatenate(times)


def _through(pieces: Iterator[tuple[float, float]], stream: Stream) -> Floats:
    """Arrivals at a rate that is constant between given moments.

    *pieces* are (from when, rate), ascending; the last one marks the end.
    """
    edges, rates = (np.array(column) for column in zip(*pieces, strict=True))
    integral = np.concatenate([[0.0], np.cumsum(np.diff(edges) * rates[:-1])])
    unit = _unit_arrivals(stream, float(integral[-1])) if integral[-1] > 0 else np.empty(0)
    unit = unit[unit < integral[-1]]
    piece = np.searchsorted(integral, unit, side="right") - 1
    return np.asarray(edges[piece] + (unit - integral[piece]) / rates[piece], dtype=np.float64)


def _weeks(profile: Profile, horizon: float) -> Iterator[tuple[float, float]]:
    week, start = profile.week(), profile.offset()
    for number in range(int((start + horizon) // (7 * DAY)) + 2):
        for n, (second, rate) in enumerate(week):
            begins = number * 7 * DAY + second - start
            ends = number * 7 * DAY + (week[n + 1][0] if n + 1 < len(week) else 7 * DAY) - start
            if ends > 0:
                yield max(begins, 0.0), rate
            if ends >= horizon:
                yield ends, 0.0
                return


def _phases(arrivals: MarkovModulated, horizon: float, stream: Stream) -> Iterator[tuple[float, float]]:
    at, number = 0.0, 0
    while at < horizon:
        phase = arrivals.phases[number % len(arrivals.phases)]
        yield at, phase.rate
        at += float(-np.log1p(-stream.next())) * phase.mean
        number += 1
    yield at, 0.0


def _geometric(u: Floats, mean: float) -> NDArray[np.int64]:
    if mean == 1:
        return np.ones(len(u), dtype=np.int64)
    return np.asarray(1 + np.floor(np.log1p(-u) / np.log1p(-1 / mean)), dtype=np.int64)
