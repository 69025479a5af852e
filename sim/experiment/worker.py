"""A process that makes runs for another process, over a connection."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from sim.experiment.spec import RunSpec, runs_of

FRESH = "import pickle, sys; begin = pickle.load(sys.stdin.buffer); sys.path[:] = begin['path']; \
from sim.experiment.worker import serve_fresh; serve_fresh(begin['descriptor'])"
"""The program of a worker in a fresh interpreter. Its standard input says which connection is its, and stays open."""


def serve_forked(connection: Connection, others: Sequence[Connection]) -> None:
    """Be a worker in a process that was forked. *others* are ends of connections that it has inherited."""
    for other in others:
        other.close()
    gc.freeze()  # What was there before is shared with the parent as long as nobody looks through it.
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _serve(connection)


def serve_fresh(descriptor: int) -> None:
    """Be a worker in a fresh interpreter, over the connection with that file *descriptor*."""
    threading.Thread(target=_leave_with_standard_input, daemon=True).start()
    _serve(Connection(descriptor))


def _serve(connection: Connection) -> None:
    """Take batches of specs until there are no more, and send back their runs, or the error that one of them met."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent decides what Ctrl-C means.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _print_to_standard_error()
    while True:
        try:
            specs: list[RunSpec] = pickle.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        except Exception as error:
            answer: tuple[str, Any] = ("error", _sendable(error))
        else:
            answer = _answer(specs)
        try:
            connection.send_bytes(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
        except OSError:
            return


def _answer(specs: list[RunSpec]) -> tuple[str, Any]:
    try:
        return "runs", list(runs_of(specs))
    except Exception as error:
        return "error", _sendable(error)


def _sendable(error: Exception) -> Exception:
    """*error* in a form that survives being pickled, with its traceback as a note."""
    text = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.__cause__ = error.__context__ = None
    error.add_note(f"In the worker process:\n{text}")
    return error


def _print_to_standard_error() -> None:
    """What a policy prints is not the output of the program that runs it."""
    sys.stdout.flush()
    sys.stdout = sys.stderr
    with suppress(OSError):  # Where standard error is closed, nothing can be printed anywhere.
        os.dup2(2, 1)


def _leave_with_parent() -> None:
    """End this process when the one that started it has ended, however it did: nobody else would."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _leave_with_standard_input() -> None:
    """End this process when the one that started it has, which closes the standard input of this one."""
    while os.read(0, 4096):
        pass
    os._exit(1)
