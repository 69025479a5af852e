"""All runs of an experiment: every policy in every replication's world, on as many processes as wanted."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sim.experiment.contestants import Contestant
from sim.experiment.draw import World, settings_of
from sim.model.errors import PolicyError
from sim.model.run import simulate
from sim.model.workload import Times
from sim.scenario import InputError, Scenario

Progress = Callable[[int, int], None]
"""Told how many runs are done, and of how many as far as is known."""


@dataclass(frozen=True, slots=True)
class Run:
    """The record of one policy in one replication: columns by name, see `sim.model.record`."""

    label: str
    replication: int
    tasks: dict[str, Any]
    pods: dict[str, Any]
    decisions: dict[str, Any]
    reservations: dict[str, Any]
    incidents: dict[str, Any]

    def __reduce__(self) -> tuple[Callable[..., Run], tuple[Any, ...]]:
        """Each part as one array of all its columns: many small ones would take longer between processes."""
        parts = (self.tasks, self.pods, self.decisions, self.reservations, self.incidents)
        return _unpacked, (
            self.label,
            self.replication,
            *((tuple(part), np.stack(list(part.values()))) for part in parts),
        )


def _unpacked(label: str, replication: int, *parts: tuple[tuple[str, ...], Times]) -> Run:
    return Run(label, replication, *(dict(zip(names, columns, strict=True)) for names, columns in parts))


class Runs:
    """Makes runs, and keeps the last world it met, as the next run is likely to be of another policy in it."""

    def __init__(self, scenario: Scenario, contestants: Sequence[Contestant], literal: bool = False) -> None:
        self._scenario = scenario
        self._contestants = contestants
        self._literal = literal
        self._settings = settings_of(scenario)
        self.in_a_replication = len(contestants)
        """Runs of the same world, one after the other."""
        self._world: tuple[int, World] | None = None

    def __call__(self, number: int) -> Run:
        """The *number*-th run: replication by replication, and policy by policy in each.

        Raises:
            InputError: the policy raised, or did not answer with a number of pods.
        """
        replication, which = divmod(number, len(self._contestants))
        if self._world is None or self._world[0] != replication:
            self._world = (replication, World(self._scenario, replication))
        contestant = self._contestants[which]
        circumstances = self._world[1].circumstances()
        try:
            with redirect_stdout(sys.stderr):  # what a policy prints is not our output
                record = simulate(self._settings, circumstances, contestant.fresh(), self._literal)
        except PolicyError as error:
            raise InputError(f"policy {contestant.label}", "", f"{error} (replication {replication})") from error
        return Run(contestant.label, replication, **record)


_AHEAD = 4
"""How many batches of runs to have waiting for each process, so that none has to wait for its next."""


class Workers:
    """Makes runs on as many processes as wanted. The results do not depend on how many.

    Use it as a context manager: leaving it ends the processes.
    """

    def __init__(self, runs: Runs, jobs: int) -> None:
        self._runs = runs
        self._jobs = jobs
        self._executor: ProcessPoolExecutor | None = None
        if jobs > 1:
            context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else None)
            self._executor = ProcessPoolExecutor(jobs, context, _start_worker, (runs,))

    def make(self, numbers: range) -> Iterator[Run]:
        """The runs with these *numbers*, in order.

        Raises:
            InputError: as `Runs`.
        """
        if self._executor is None:
            yield from map(self._runs, numbers)
            return
        # Only so many ahead: a million replications are not put into a queue before the first one is made.
        ahead: deque[Future[list[Run]]] = deque()
        for batch in self._batches(numbers):
            with _signals_held():
                ahead.append(self._executor.submit(_make, batch))
            if len(ahead) >= _AHEAD * self._jobs:
                yield from _outcome(ahead.popleft())
        while ahead:
            yield from _outcome(ahead.popleft())

    def _batches(self, numbers: range) -> Iterator[range]:
        """A replication each, whose world is then drawn once; or less, if there would be too few for all processes."""
        size = max(1, min(self._runs.in_a_replication, len(numbers) // (_AHEAD * self._jobs)))
        return (numbers[start : start + size] for start in range(0, len(numbers), size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if self._executor is None:
            return
        if kind is None:
            self._executor.shutdown()
            return
        # Waiting for runs that nobody wants any more would make Ctrl-C look broken.
        with _signals_held():
            self._executor.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()


def _outcome(future: Future[list[Run]]) -> list[Run]:
    try:
        return future.result()
    except BrokenProcessPool:
        problem = "found that a process had ended in the middle of a run (out of memory?), expected it to go on"
        raise InputError("", "", problem) from None


@contextmanager
def _signals_held() -> Iterator[None]:
    """Put off signals: one that comes while processes are being started would leave some that nobody knows of."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_runs: Runs | None = None
"""In a worker process: what it makes runs with. Set once, when the process starts."""


def _start_worker(runs: Runs) -> None:
    global _runs  # noqa: PLW0603
    _runs = runs
    gc.freeze()  # what was there before is shared with the parent as long as nobody looks through it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """End this process when the one that started it has ended, however it did: nobody else would."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(numbers: range) -> list[Run]:
    assert _runs is not None
    return list(map(_runs, numbers))
