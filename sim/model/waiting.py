"""How a task that is eligible waits for a slot (model.md, 2.2)."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Interrupt, Process
from simpy.events import ProcessGenerator

from sim.model.instant import ATTEMPT, QUEUE, PlatformEnvironment
from sim.model.task import Task


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

    def _ask(self, task: Task) -> ProcessGenerator:
        """The process of a task that waits."""
        delay = 0
        while True:
            try:
                yield self._env.moment(delay, ATTEMPT + task.index)
            except Interrupt:
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
    """

    def __init__(self, env: PlatformEnvironment, attempt: Callable[[Task], bool]) -> None:
        self._env = env
        self._attempt = attempt
        self._queue: list[Task] = []
        self._changed = env.event()
        env.process(self._serve())

    def ask(self, task: Task) -> None:
        """The task has become eligible: it gets its first attempt in this instant."""
        self._env.process(self._ask(task))

    def _ask(self, task: Task) -> ProcessGenerator:
        yield self._env.moment(0, ATTEMPT + task.index)
        task.queued_at = self._env.now
        if not self._attempt(task):
            self._queue.append(task)
            self._queue.sort(key=lambda each: (each.queued_at, each.index))

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
