"""`dispatch: notify`: waiting tasks stand in a queue, and a slot that becomes usable is taken at once (model.md, 2)."""

from __future__ import annotations

from heapq import heappop, heappush
from operator import itemgetter

from sim.model.clock import QUEUE, Alarm, Clock
from sim.model.pool import Pod
from sim.model.tasks import Task
from sim.model.waiting import Attempt, Waiting

_Entry = tuple[int, int, Task]
_Line = list[_Entry]


class Queue(Waiting):
    """Waiting tasks in order of the moment they became eligible; a slot that becomes usable serves the first it fits.

    That happens in the instant when it becomes usable, before the attempts of tasks that become eligible in it.
    """

    def __init__(self, clock: Clock, attempt: Attempt) -> None:
        self._clock = clock
        self._attempt = attempt
        # Heaps. An entry that is not valid any more is dropped when it comes up.
        self._plans: _Line = []
        self._applies: _Line = []
        self._bound: dict[Task, None] = {}
        """Tasks whose reserved slot is on a silent pod."""
        self._answered: _Line = []
        """Those of them whose pod is back, as far as it still is."""
        self._alarm = Alarm(self._due)
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
            heappush(self._answered, self._entry(task))
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
            self._clock.schedule(self._alarm, self._clock.now, QUEUE)

    def agent_back(self, pod: Pod) -> None:
        for slot in pod.slots:
            if slot.task in self._bound:
                heappush(self._answered, self._entry(slot.task))

    def restart(self, down_since: int) -> None:
        self.offer()

    @staticmethod
    def _entry(task: Task) -> _Entry:
        return task.waiting_since, task.index, task

    def _due(self, _: Alarm) -> None:
        self._is_set = False
        self._serve()

    def _serve(self) -> None:
        while self._serve_first():
            if not self._clock.instant_is_over():
                # What has just started may end in this very instant, and that comes first.
                self.offer()
                return

    def _serve_first(self) -> bool:
        """Serve the first task in the queue for which there is something to get; whether there is one."""
        lines = [self._plans]
        if self._applies or self._answered:
            self._tidy()
            lines = sorted((line for line in (self._plans, self._applies, self._answered) if line), key=itemgetter(0))
        for line in lines:
            if line:
                task = line[0][2]
                if self._attempt(task):
                    heappop(line)
                    task.waiting = False
                    self._bound.pop(task, None)
                    return True
        return False

    def _tidy(self) -> None:
        """Drop the entries up front that are not valid any more."""
        while self._applies:
            since, _, task = self._applies[0]
            if task.waiting and task.slot is None and task.waiting_since == since:
                break
            heappop(self._applies)  # it has a slot, or waits again, since another moment
        while self._answered:
            task = self._answered[0][2]
            if task in self._bound and task.slot is not None and not task.slot.pod.is_offline:
                break
            heappop(self._answered)  # it has lost its slot or been served, or the pod is silent again
