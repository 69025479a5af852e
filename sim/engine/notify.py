"""`dispatch: notify`: waiting tasks stand in a queue, and a slot that becomes usable is taken at once (model.md, 2)."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from sim.engine.clock import QUEUE, Alarm, Clock
from sim.engine.dispatch_mode import Attempt, DispatchMode
from sim.engine.entities import EnginePod, EngineTask

_Entry = tuple[int, int, EngineTask]
_Line = list[_Entry]


class NotifyQueue(DispatchMode):
    """Waiting tasks in order of the moment they became eligible; a slot that becomes usable serves the first it fits.

    That happens in the instant when it becomes usable, before the attempts of tasks that become eligible in it.
    """

    def __init__(self, clock: Clock, attempt: Attempt) -> None:
        self._clock = clock
        self._attempt = attempt
        self._plans: deque[EngineTask] = deque()
        """They become eligible in order, and stay here until they get a slot."""
        # The others are heaps. An entry that is not valid any more is dropped when it comes up.
        self._applies: _Line = []
        self._bound: dict[EngineTask, None] = {}
        """Tasks whose reserved slot is on a silent pod."""
        self._answered: _Line = []
        """Those of them whose pod is back, as far as it still is."""
        self._alarm = Alarm(self._due)
        self._is_set = False

    def add(self, task: EngineTask) -> None:
        task.waiting = True
        if task.slot is not None:
            self._bound[task] = None
        elif task.applies:
            heappush(self._applies, self._entry(task))
        else:
            self._plans.append(task)

    def give_up(self, task: EngineTask) -> None:
        task.waiting = False  # Its entry is dropped when it comes up.
        if task.slot is not None:
            del self._bound[task]

    def moved(self, task: EngineTask) -> None:
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

    def agent_back(self, pod: EnginePod) -> None:
        for slot in pod.slots:
            if slot.task in self._bound:
                heappush(self._answered, self._entry(slot.task))

    def restart(self) -> None:
        self.offer()

    @staticmethod
    def _entry(task: EngineTask) -> _Entry:
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
        while self._plans and not self._plans[0].waiting:
            self._plans.popleft()
        tasks = [self._plans[0]] if self._plans else []
        if self._applies or self._answered:
            self._tidy()
            tasks += [line[0][2] for line in (self._applies, self._answered) if line]
            tasks.sort(key=self._entry)
        for task in tasks:
            if self._attempt(task):
                self._leave(task)
                return True
        return False

    def _leave(self, task: EngineTask) -> None:
        task.waiting = False
        if not task.applies:
            self._plans.popleft()
        elif task in self._bound:
            del self._bound[task]
            heappop(self._answered)
        else:
            heappop(self._applies)

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
