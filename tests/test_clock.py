"""What `clock.py` takes for granted about SimPy, whose private names it uses: if one of these fails, look there."""

from __future__ import annotations

from itertools import pairwise

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from simpy.events import ProcessGenerator

from sim.model.clock import Alarm, Clock, place


def test_simpys_queue_is_a_heap_of_time_priority_number_and_event() -> None:
    env = simpy.Environment()
    later, sooner = env.timeout(5), env.timeout(3)
    entries = sorted(env._queue)
    assert [(at, event) for at, _, _, event in entries] == [(3, sooner), (5, later)]
    assert all(one[2] != other[2] for one, other in pairwise(entries))
    assert next(env._eid) > max(number for _, _, number, _ in entries)
    assert sooner._ok
    assert sooner.callbacks == []
    env.run(until=4)
    assert sooner.callbacks is None
    assert env._now == env.now == 4


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12))
def test_alarms_go_off_in_the_order_in_which_simpys_own_events_would(moments: list[tuple[int, int]]) -> None:
    clock, seen = Clock(), []
    for number, (at, order) in enumerate(moments):
        Alarm(clock, lambda alarm: seen.append((clock.now, alarm.subject)), number).set(at, place(order + 1))
    clock.run_to(5)
    env, expected = simpy.Environment(), []

    def note(number: int) -> None:
        expected.append((env.now, number))

    for number, (at, order) in enumerate(moments):
        event = env.event()
        event._ok, event._value = True, None
        event.callbacks.append(lambda _, number=number: note(number))
        env.schedule(event, place(order + 1), at)
    env.run(until=5)
    assert seen == expected
    assert clock.now == 5


def test_an_alarm_can_be_set_again_and_wakes_a_process() -> None:
    clock, seen = Clock(), []

    def process(alarm: Alarm) -> ProcessGenerator:
        for at in (2, 3, 7):
            yield alarm.set(at, place(1))
            seen.append((clock.now, clock.now == simpy.Environment.now.fget(clock)))  # type: ignore[attr-defined]

    clock.process(process(Alarm(clock)))
    clock.run_to(10)
    assert seen == [(2, True), (3, True), (7, True)]


def test_a_cancelled_alarm_does_nothing() -> None:
    clock = Clock()
    alarm = Alarm(clock, lambda _: pytest.fail("it went off"))
    alarm.set(3, place(1))
    alarm.cancel()
    clock.run_to(10)


def test_an_error_in_a_process_ends_the_run() -> None:
    clock = Clock()

    def process() -> ProcessGenerator:
        yield Alarm(clock).set(1, place(1))
        raise ValueError("no")

    clock.process(process())
    with pytest.raises(ValueError, match="no"):
        clock.run_to(10)
