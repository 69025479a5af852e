"""Where runs are made. An executor is a function from specs to their runs, in the same order."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final, Literal, TypeAlias, cast

from sim.experiment.spec import Run, RunSpec, runs_of
from sim.experiment.worker import FRESH, serve_forked
from sim.scenario import InputError

Executor: TypeAlias = Callable[[Sequence[RunSpec]], Iterator[Run]]

StartMethod: TypeAlias = Literal["fork", "fresh"]
"""How a worker process starts: as a copy of this one, or as a fresh interpreter."""

_AHEAD: Final = 4
"""How many batches for each worker may be handed out beyond the oldest one whose runs have not been yielded yet."""


def in_this_process(specs: Sequence[RunSpec]) -> Iterator[Run]:
    """An executor: one run after the other, here."""
    return runs_of(specs)


def safe_start_method() -> StartMethod:
    """How workers are started here.

    A copy of this process starts quickly, but a process with several threads, or under a debugger, cannot be copied
    safely. A fresh interpreter can always be started. It does not import the program that called us, so a script
    needs no ``if __name__ == "__main__"``.
    """
    is_plain = sys.platform == "linux" and threading.active_count() == 1 and sys.gettrace() is None
    return "fork" if is_plain else "fresh"


@contextmanager
def worker_processes(jobs: int, start: StartMethod | None = None) -> Iterator[Executor]:
    """Start *jobs* worker processes, and give an executor that uses them until the context ends.

    Leaving the context ends the workers, and no other processes. The runs do not depend on how many workers there are.

    Args:
        jobs: how many.
        start: how they are started; None for what is safe here.
    """
    workers: list[_Worker] = []
    launch = {"fork": _forked, "fresh": _fresh}[start or safe_start_method()]
    left_normally = False
    try:
        with _signals_held():
            for _ in range(jobs):
                workers.append(launch([worker.connection for worker in workers]))
        yield lambda specs: _distributed(specs, workers)
        left_normally = True
    finally:
        with _signals_held():
            for worker in workers:
                worker.connection.close()
                if not left_normally:
                    worker.process.kill()  # Waiting for runs that nobody wants would make Ctrl-C look broken.
        for worker in workers:
            worker.join()


@dataclass(frozen=True)
class _Worker:
    """A process, and the connection to it. It has one batch at a time, so the two never both wait to send."""

    process: BaseProcess | subprocess.Popen[bytes]
    connection: Connection

    def join(self) -> None:
        """Wait for its end."""
        if isinstance(self.process, subprocess.Popen):
            assert self.process.stdin is not None
            with suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process.wait()
        else:
            self.process.join()
            self.process.close()


def _forked(others: Sequence[Connection]) -> _Worker:
    context = multiprocessing.get_context("fork")
    ours, its = context.Pipe()
    process = context.Process(target=serve_forked, args=(its, [ours, *others]), daemon=True)
    process.start()
    its.close()
    return _Worker(process, ours)


def _fresh(others: Sequence[Connection]) -> _Worker:
    ours, its = socket.socketpair()
    with its:
        try:
            process = subprocess.Popen([sys.executable, "-c", FRESH], stdin=subprocess.PIPE, pass_fds=[its.fileno()])
        except OSError as error:
            ours.close()
            interpreter = sys.executable or "no interpreter"
            problem = f"found that {interpreter} cannot be started ({error.strerror}), expected Python"
            raise InputError("", "jobs", problem) from None
        assert process.stdin is not None
        # A process that has ended already is found out when it is sent its first batch.
        with suppress(BrokenPipeError):
            process.stdin.write(pickle.dumps({"path": sys.path, "descriptor": its.fileno()}))
            process.stdin.flush()
    return _Worker(process, Connection(ours.detach()))


def _distributed(specs: Sequence[RunSpec], workers: Sequence[_Worker]) -> Iterator[Run]:
    """Give the workers batches of *specs*, and hand out their runs in order."""
    batches = _batches(specs, len(workers))
    idle, busy = list(workers), dict[Connection, tuple[_Worker, int]]()
    done: dict[int, list[Run]] = {}
    given = wanted = 0
    while wanted < len(batches):
        while idle and given < len(batches) and given < wanted + _AHEAD * len(workers):
            worker = idle.pop()
            _send(worker, batches[given])
            busy[worker.connection] = (worker, given)
            given += 1
        for ready in wait(list(busy)):
            worker, number = busy.pop(cast(Connection, ready))
            done[number] = _received(worker)
            idle.append(worker)
        while wanted in done:
            yield from done.pop(wanted)
            wanted += 1


def _batches(specs: Sequence[RunSpec], workers: int) -> list[Sequence[RunSpec]]:
    """A batch per world, which is then drawn once; or, if that gives too few batches for the workers, one per run."""
    worlds: list[list[RunSpec]] = []
    for spec in specs:
        if worlds and worlds[-1][0].replication == spec.replication and worlds[-1][0].scenario is spec.scenario:
            worlds[-1].append(spec)
        else:
            worlds.append([spec])
    if len(worlds) >= _AHEAD * workers:
        return list[Sequence[RunSpec]](worlds)
    return [[spec] for spec in specs]


def _send(worker: _Worker, batch: Sequence[RunSpec]) -> None:
    import cloudpickle  # It also pickles policies that are defined in a script or a notebook.

    try:
        message = cloudpickle.dumps(list(batch))
    except Exception as error:
        label = batch[0].policy.label
        problem = f"cannot be sent to another process ({type(error).__name__}: {error}), expected jobs=1 for it"
        raise InputError(f"policy {label}", "", problem) from None
    try:
        worker.connection.send_bytes(message)
    except OSError:
        raise _ended() from None


def _received(worker: _Worker) -> list[Run]:
    try:
        kind, content = pickle.loads(worker.connection.recv_bytes())
    except (EOFError, OSError):
        raise _ended() from None
    if kind == "error":
        raise content
    return cast(list[Run], content)


def _ended() -> InputError:
    return InputError("", "", "found that a process had ended in the middle of a run (out of memory?), "
                              "expected it to go on")  # fmt: skip


@contextmanager
def _signals_held() -> Iterator[None]:
    """Put off signals: one that came while a worker starts could leave a process that is in no list."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
