"""M/M/10 at load 0.8: what all peers simulate, and whether the waits they report can be believed."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.alone import ROOT

sys.path.insert(0, str(ROOT / "tests" / "validation"))

from queues import erlang_c, queue  # type: ignore[import-not-found]

__all__ = ["LOAD", "RATE", "SERVERS", "digest", "doubt", "horizon", "queue"]

SERVERS = 10
LOAD = 0.8
RATE = SERVERS * LOAD
"""Arrivals a second; a service takes a second on average."""

BATCHES = 20
TOLERANCE = 6
"""Standard errors, by batch means, that a mean may be off."""


def horizon(customers: int) -> float:
    """The seconds in which so many *customers* come, on average."""
    return customers / RATE


def digest(waits: Sequence[float]) -> dict[str, Any]:
    """What is kept of the waits, in seconds and in order of arrival or of departure: enough to judge them."""
    wait = np.asarray(waits, dtype=np.float64)
    return {"count": len(wait), "wait": _batches(wait), "waits": _batches(wait > 1e-9)}


def _batches(values: Any) -> list[float]:
    size = len(values) // BATCHES
    means: list[float] = values[: size * BATCHES].reshape(BATCHES, size).mean(axis=1).tolist()
    return means


def doubt(found: dict[str, Any], customers: int) -> str:
    """Why waits are not those of the queue by Erlang C; empty if they may be."""
    probability = erlang_c(SERVERS, LOAD)
    known = {"wait": probability / (SERVERS * (1 - LOAD)), "waits": probability}
    if abs(found["count"] - customers) > 6 * math.sqrt(customers):
        return f"{found['count']} waits of about {customers} customers"
    for name, value in known.items():
        mean = float(np.mean(found[name]))
        error = float(np.std(found[name], ddof=1)) / math.sqrt(BATCHES)
        if abs(mean - value) > TOLERANCE * error or error > value / 3:
            return f"mean of `{name}` {mean:.4g} ± {error:.2g}, by Erlang C {value:.4g}"
    return ""
