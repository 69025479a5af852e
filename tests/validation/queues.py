"""Queueing theory: what an M/M/c or M/G/1 queue does in the long run, and the same queue in the simulator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count as count_from
from typing import Any

import numpy as np
from scipy.special import stdtrit

import sim
from sim.runs.time import NEVER, SECOND
from sim.scenario import Scenario


@dataclass(frozen=True)
class Row:
    """One line of the table: what was compared, the known answer, ours, and how far apart they are."""

    what: str
    known: float
    ours: float
    deviation: str
    holds: bool


def erlang_c(servers: int, load: float) -> float:
    """The probability that a customer of an M/M/c queue waits, at *load* per server (Erlang C, by the B recursion)."""
    offered, blocked = servers * load, 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    return blocked / (1 - load * (1 - blocked))


def queue(servers: int, rate: float, service: Any, customers: int, replications: int, seed: int = 1) -> Scenario:
    """One-slot pods, plans only, as many pods as servers, and no polling: the model is a queue."""
    return Scenario.model_validate(
        {
            "name": "queue",
            "horizon": customers / rate,
            "replications": replications,
            "seed": seed,
            "pool": {"min_pods": servers, "max_pods": servers, "slots_per_pod": 1},
            "control": {"dispatch": "notify", "autoscaler_interval": "1d"},
            "workload": {"arrivals": {"process": "poisson", "rate": f"{rate!r}/s", "plan": service}},
            "policies": ["static"],
        }
    )


@dataclass(frozen=True)
class Observed:
    """Per replication: the mean wait, the share that waits, and the mean number waiting, in the second part."""

    wait: list[float]
    waits: list[float]
    queue: list[float]
    little: list[float]
    """How far the time average of the number in the system is from rate times mean time in the system, relatively."""


def observe(scenario: Scenario, warmup: float = 0.2) -> Observed:
    """Run a queue; what comes in the first *warmup* of the time is not counted."""
    horizon = round(scenario.horizon * SECOND)
    start = round(warmup * horizon)
    seen = Observed([], [], [], [])
    for run in sim.run(scenario, jobs=2).runs:
        arrived = run.record.tasks["arrived_at"]
        began = np.minimum(run.record.tasks["plan_started_at"], horizon)
        ended = np.minimum(run.record.tasks["plan_ended_at"], horizon)
        counted = (arrived >= start) & (arrived < horizon - (horizon - start) // 50)
        wait = (began - arrived)[counted]
        seen.wait.append(float(np.mean(wait)) / SECOND)
        seen.waits.append(float(np.mean(wait > 0)))
        in_window = np.maximum(began, start) - np.maximum(arrived, start)
        seen.queue.append(float(np.sum(in_window)) / (horizon - start))
        # Little's law over the whole run: both sides from different sums over the same record.
        moments = np.sort(np.concatenate([arrived, ended]))
        number = np.searchsorted(np.sort(arrived), moments, "right") - np.searchsorted(np.sort(ended), moments, "right")
        area = float(np.sum(number[:-1] * np.diff(moments).astype(np.float64)))
        through = float(np.sum((ended - arrived).astype(np.float64)))
        seen.little.append(abs(area - through) / through)
    assert (run.record.tasks["plan_started_at"] != NEVER).any()
    return seen


def compared(what: str, known: float, ours: list[float], limit: float) -> Row:
    """Whether the mean of *ours* is within *limit* standard errors of what is *known*."""
    error = float(np.std(ours, ddof=1)) / math.sqrt(len(ours))
    off = (float(np.mean(ours)) - known) / error
    return Row(what, known, float(np.mean(ours)), f"{off:+.2f} s.e.", abs(off) < limit)


def theory(customers: int, replications: int) -> list[Row]:
    """All comparisons with queueing theory."""
    m_m_c = [(1, 0.5), (1, 0.9), (2, 0.8), (5, 0.9), (10, 0.8), (10, 0.95), (50, 0.9)]
    m_g_1: list[tuple[str, Any, float]] = [
        ("exponential", {"dist": "exponential", "mean": 1}, 1),
        ("deterministic", 1, 0),
        ("lognormal, cv 1.5", {"dist": "lognormal", "mean": 1, "cv": 1.5}, 1.5),
    ]
    # With so many comparisons one beyond 3 is likely; the limit is the 99 % quantile of the largest.
    count = 3 * len(m_m_c) + 2 * len(m_g_1)
    limit = float(stdtrit(replications - 1, 1 - 0.01 / (2 * count)))
    rows, little = [], 0.0
    exponential = {"dist": "exponential", "mean": 1}
    seeds = count_from(1)  # of its own for each, or all lines would err in the same direction
    for servers, load in m_m_c:
        seen = observe(queue(servers, servers * load, exponential, customers, replications, next(seeds)))
        probability = erlang_c(servers, load)
        wait = probability / (servers * (1 - load))
        name = f"M/M/{servers}, load {load:g}"
        rows.append(compared(f"{name}: mean wait", wait, seen.wait, limit))
        rows.append(compared(f"{name}: probability of waiting", probability, seen.waits, limit))
        rows.append(compared(f"{name}: mean number waiting", servers * load * wait, seen.queue, limit))
        little = max(little, *seen.little)
    for name, service, cv in m_g_1:
        for load in (0.5, 0.8):
            seen = observe(queue(1, load, service, customers, replications, next(seeds)))
            known = load * (1 + cv**2) / (2 * (1 - load))
            rows.append(compared(f"M/G/1, {name}, load {load:g}: mean wait", known, seen.wait, limit))
            little = max(little, *seen.little)
    rows.append(Row("Little's law, largest relative error of any run", 0.0, little, "", little < 1e-9))
    return rows
