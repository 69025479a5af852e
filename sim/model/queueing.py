"""`dispatch: notify`: waiting tasks stand in a queue, and a slot that becomes usable is taken at once (model.md, 2)."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from sortedcontainers import SortedList

from sim.model.clock import QUEUE, Alarm, Clock, place
from sim.model.pool import Pod, Pool
from sim.model.tasks import Task
from sim.model.waiting import Attempt


class Queue:
    """Waiting tasks in order of the moment they became eligible; a slot that becomes usable serves the first it fits.

    That happens in the instant when it becomes usable, before the attempts of tasks that become eligible in it.
    """

    def __init__(self, clock: Clock, attempt: Attempt, is_down: Callable[[], bool], pool: Pool) -> None:
        self._clock = clock
        self._attempt = attempt
        self._is_down = is_down
        self._pool = pool
        # Heaps. An entry that is not valid any more is dropped when it comes up.
        self._plans: list[tuple[int, int, Task]] = []
        self._applies: list[tuple[int, int, Task]] = []
        self._bound: dict[Task, None] = {}
        """Tasks whose reserved slot is on a silent pod."""
        self._answered: SortedList[tuple[int, int, Task]] = SortedList()
        """Those of them whose pod is back, as far as it still is."""
        self._alarm = Alarm(clock, self._due)
        self._is_set = False

    def add(self, task: Task) -> None:
        task.waiting = True
        if task.slot is not None:
            self._bound[task] = None
        else:
            heappush(self._applies if task.applies else self._plans, self._entry(task))

    def moved(self, task: Task) -> None:
        if task.slot is None:
            del self._bound[task]
            heappush(self._applies, self._entry(task))
        else:
            self._bound[task] = None
            self._answered.add(self._entry(task))
        self._serve_in_turn()  # not at once: what takes or gives the slot may not be done yet

    def offer(self) -> None:
        if not (self._plans or self._applies or self._bound):
            return
        if self._clock.instant_is_over():
            self._serve()
        else:
            self._serve_in_turn()

    def _serve_in_turn(self) -> None:
        if not self._is_set and (self._plans or self._applies or self._answered):
            self._is_set = True
            self._alarm.set(self._clock.now, place(QUEUE))

    def agent_back(self, pod: Pod) -> None:
        self._answered.update(self._entry(slot.task) for slot in pod.slots if slot.task in self._bound)

    def restart(self, down_since: int) -> None:
        self.offer()

    def _head(self, line: list[tuple[int, int, Task]], applies: bool) -> tuple[int, int, Task] | None:
        """The first task of a line, if there is a slot for it."""
        while line:
            since, _, task = line[0]
            if task.waiting and task.slot is None and task.waiting_since == since:
                return line[0] if self._pool.usable_slot(applies) is not None else None
            heappop(line)  # it has a slot, or waits again, since another moment
        return None

    @staticmethod
    def _entry(task: Task) -> tuple[int, int, Task]:
        return task.waiting_since, task.index, task

    def _due(self, _: Alarm) -> None:
        self._is_set = False
        self._serve()

    def _first(self) -> tuple[int, int, Task] | None:
        """The first task in the queue for which there is something to get."""
        if not (self._applies or self._bound):
            return self._head(self._plans, False)
        heads: list[tuple[int, int, Task]] = []
        for applies, line in ((False, self._plans), (True, self._applies)):
            if (entry := self._head(line, applies)) is not None:
                heads.append(entry)
        while self._answered:
            task = self._answered[0][2]
            if task in self._bound and task.slot is not None and not task.slot.pod.is_offline:
                heads.append(self._answered[0])
                break
            del self._answered[0]
        return min(heads, default=None)

    def _serve(self) -> None:
        if self._is_down():
            return
        while (entry := self._first()) is not None:
            task = entry[2]
            if task.slot is not None:
                self._answered.remove(entry)
                del self._bound[task]
            else:
                heappop(self._applies if task.applies else self._plans)
            if not self._attempt(task):
                raise AssertionError("a usable slot was not to be had")
            task.waiting = False
            if not self._clock.instant_is_over():
                # What has just started may end in this very instant, and that comes first.
                self.offer()
                return
