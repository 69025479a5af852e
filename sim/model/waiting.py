"""How a task that is eligible waits for a slot (model.md, 2.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simpy import Interrupt, Process
from simpy.events import ProcessGenerator

from sim.model.instant import ATTEMPT, QUEUE, PlatformEnvironment
from sim.model.task import Task
from sim.runs.codes import APPLY_PENDING

_CANCELED: Final = "canceled"


class AskAgain:
    """`dispatch: poll`: each waiting task is a process that asks again and again.

    Args:
        env: the simulated time.
        retry: nanoseconds from an attempt that failed to the next.
        attempt: makes one attempt for a task, and says whether it succeeded.
    """

    def __init__(self, env: PlatformEnvironment, retry: int, attempt: Callable[[Task], bool]) -> None:
        self._env = env
        self._retry = retry
        self._attempt = attempt
        self._asking: dict[Task, Process] = {}

    def ask(self, task: Task) -> None:
        """The task has become eligible: it gets its first attempt in this instant."""
        self._asking[task] = self._env.process(self._ask(task))

    def give_up(self, task: Task) -> None:
        """The task is canceled. If it waits, it asks no more."""
        asking = self._asking.pop(task, None)
        if asking is not None:
            asking.interrupt(_CANCELED)

    def _ask(self, task: Task) -> ProcessGenerator:
        """The process of a task that waits."""
        delay = 0
        while True:
            try:
                yield self._env.moment(delay, ATTEMPT + task.index)
            except Interrupt as interrupt:
                if interrupt.cause is _CANCELED:
                    return
                delay = 0  # The server has restarted and forgotten the retry. Everybody asks at once.
                continue
            if self._attempt(task):
                del self._asking[task]
                return
            delay = self._retry

    def on_server_up(self) -> None:
        """The server has come up: every task that waits gets an attempt, and its retries count from that one."""
        for asking in self._asking.values():
            asking.interrupt()

    def on_change(self) -> None:
        """A slot may have become usable. Nobody is told: the platform polls."""


class StandInQueue:
    """`dispatch: notify`: tasks stand in a queue, and a slot that becomes usable goes to the first task that it takes.

    The pool calls `on_change` whenever a slot may have become usable.

    Args:
        env: the simulated time.
        attempt: makes one attempt for a task, and says whether it succeeded.
        applies_first: whether confirmed tasks stand before all others (`queue_order: applies_first`).
    """

    def __init__(self, env: PlatformEnvironment, attempt: Callable[[Task], bool], applies_first: bool) -> None:
        self._env = env
        self._applies_first = applies_first
        self._attempt = attempt
        self._queue: list[Task] = []
        self._changed = env.event()
        env.process(self._serve())

    def ask(self, task: Task) -> None:
        """The task has become eligible: it gets its first attempt in this instant."""
        self._env.process(self._ask(task))

    def _ask(self, task: Task) -> ProcessGenerator:
        yield self._env.moment(0, ATTEMPT + task.index)
        if task.is_final:
            return  # It has been canceled in this instant.
        task.queued_at = self._env.now
        if not self._attempt(task):
            self._queue.append(task)
            self._queue.sort(key=self._place)

    def _place(self, task: Task) -> tuple[bool, int, int]:
        return self._applies_first and task.state != APPLY_PENDING, task.queued_at, task.index

    def give_up(self, task: Task) -> None:
        """The task is canceled. If it waits, it stands in the queue no more."""
        if task in self._queue:
            self._queue.remove(task)

    def _serve(self) -> ProcessGenerator:
        """The process that serves the queue. It yields after each start, as what takes no time ends before the next."""
        while True:
            yield self._changed
            self._changed = self._env.event()
            yield self._env.moment(0, QUEUE)
            while self._serve_first():
                yield self._env.moment(0, QUEUE)

    def _serve_first(self) -> bool:
        for task in self._queue:
            if self._attempt(task):
                self._queue.remove(task)
                return True
        return False

    def on_change(self) -> None:
        """A slot may have become usable. The queue is served later in this instant, at the place `QUEUE`."""
        if not self._changed.triggered:
            self._changed.succeed()

    def on_server_up(self) -> None:
        """The server has come up, and so every slot may have become usable."""
        self.on_change()
