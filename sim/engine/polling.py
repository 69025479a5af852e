"""`dispatch: poll`: waiting tasks ask for a slot again and again (model.md, 2.2)."""

from __future__ import annotations

from collections.abc import Callable

from sortedcontainers import SortedList

from sim.engine.clock import ATTEMPT, Alarm, Clock
from sim.engine.dispatch_mode import Attempt, DispatchMode
from sim.engine.entities import RESERVED, EnginePod, EngineTask
from sim.engine.pool import EnginePool
from sim.runs.time import NEVER


class _Line:
    """The waiting tasks of one type that have no reserved slot, and the alarm for the one that asks next."""

    def __init__(self, applies: bool) -> None:
        self.applies = applies
        self.tasks: SortedList[tuple[int, int, EngineTask]] = SortedList()
        """Sorted by the time of their retries modulo the retry interval, then by index: the order in which they ask."""
        self.alarm: Alarm | None = None
        self.set_for = (NEVER, NEVER)
        """For when, and for which place of that instant, the alarm is set."""


class Polling(DispatchMode):
    """The retries that can succeed, and no others.

    An attempt changes nothing unless it succeeds, and whether it does depends on the pool alone. So while no slot is
    usable no attempt matters, and when one is, the first that is due takes it. Retries are one retry interval apart, so
    the order in which waiting tasks ask is the order of the remainders of their retries' times: a sorted list of them
    has the next to ask in one search, however many there are.

    A task whose reserved slot is on a silent pod stands in no line. It has an alarm of its own once the pod is back.
    """

    def __init__(
        self, clock: Clock, attempt: Attempt, retry: int, is_down: Callable[[], bool], pool: EnginePool
    ) -> None:
        self._clock = clock
        self._attempt = attempt
        self._retry = retry
        self._is_down = is_down
        self._pool = pool
        self._lines = (_Line(False), _Line(True))
        self._bound: dict[EngineTask, None] = {}

    def add(self, task: EngineTask) -> None:
        task.waiting = True
        task.retry_offset = task.waiting_since % self._retry
        self._put(task)

    def _put(self, task: EngineTask) -> None:
        if task.slot is not None:
            self._bound[task] = None
            return
        line = self._lines[task.applies]
        line.tasks.add((task.retry_offset, task.index, task))
        if line.alarm is not None:
            self._look(line)

    def _take_out(self, line: _Line, task: EngineTask) -> None:
        line.tasks.remove((task.retry_offset, task.index, task))

    def give_up(self, task: EngineTask) -> None:
        task.waiting = False
        if task.slot is not None:
            del self._bound[task]
            return
        line = self._lines[task.applies]
        self._take_out(line, task)
        if line.alarm is not None and line.alarm.subject[1] is task:
            self._unset(line)
            self._look(line)

    def moved(self, task: EngineTask) -> None:
        line = self._lines[task.applies]
        if task.slot is None:
            del self._bound[task]
            self._put(task)
            self._look(line)
        else:
            self._take_out(line, task)
            self._put(task)
            self._expect(task)

    def offer(self) -> None:
        for line in self._lines:
            if line.tasks:
                self._look(line)

    def agent_back(self, pod: EnginePod) -> None:
        for slot in pod.slots:
            if slot.state == RESERVED and slot.task in self._bound:
                self._expect(slot.task)

    def restart(self) -> None:
        tasks = [*(task for line in self._lines for *_, task in line.tasks), *self._bound]
        self._bound.clear()
        for line in self._lines:
            line.tasks.clear()
            if line.alarm is not None:
                self._unset(line)
        for task in tasks:
            task.retry_offset = self._clock.now % self._retry
            self._put(task)
            if task.slot is not None:
                self._expect(task)
        self.offer()

    def _look(self, line: _Line) -> None:
        """Set the line's alarm for the task that asks next, if there is something to get."""
        if not line.tasks or self._is_down() or self._pool.usable_slot(line.applies) is None:
            return
        # Tasks that have had their turn in this instant ask again one interval later.
        now, retry = self._clock.now, self._retry
        offset = now % retry
        turn = self._clock.priority_reached()
        asked_up_to = turn - ATTEMPT if turn else -1
        position = line.tasks.bisect_left((offset, asked_up_to + 1))  # type: ignore[arg-type]
        wait = 0
        if position == len(line.tasks):
            position, wait = 0, retry
        due_offset, index, task = line.tasks[position]
        due = (now - offset + due_offset + wait, ATTEMPT + index)
        if line.alarm is not None:
            if due >= line.set_for:
                return
            self._unset(line)
        line.alarm = Alarm(self._due, (line, task))
        self._clock.schedule(line.alarm, *due)
        line.set_for = due

    def _unset(self, line: _Line) -> None:
        assert line.alarm is not None
        line.alarm.cancel()
        line.alarm = None
        line.set_for = (NEVER, NEVER)

    def _due(self, alarm: Alarm) -> None:
        line, task = alarm.subject
        line.alarm = None
        line.set_for = (NEVER, NEVER)
        if self._is_down():
            return
        if task.waiting and task.slot is None:
            self._clock.mark_priority_reached(ATTEMPT + task.index)
            if self._attempt(task):
                task.waiting = False
                self._take_out(line, task)
        self._look(line)

    def _expect(self, task: EngineTask) -> None:
        """Schedule the next retry of a task that has a reserved slot, if the slot's pod is not silent."""
        assert task.slot is not None
        if task.slot.pod.is_offline or self._is_down():
            return
        now, retry = self._clock.now, self._retry
        asked = self._clock.priority_reached() >= ATTEMPT + task.index
        due = now + ((task.retry_offset - now) % retry or (retry if asked else 0))
        self._clock.schedule(Alarm(self._bound_due, task), due, ATTEMPT + task.index)

    def _bound_due(self, alarm: Alarm) -> None:
        task = alarm.subject
        # Meanwhile the slot may have been lost, or the server may have restarted and lost this retry.
        if task in self._bound and self._clock.now % self._retry == task.retry_offset and not self._is_down():
            self._clock.mark_priority_reached(ATTEMPT + task.index)
            if self._attempt(task):
                task.waiting = False
                del self._bound[task]
