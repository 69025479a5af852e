"""Time, and SimPy's processes in it: they live by the clock as they would by SimPy's own."""

from __future__ import annotations

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from simpy.events import ProcessGenerator

from sim.engine.clock import Alarm, Clock
from sim.engine.processes import Processes


def nothing(_: Alarm) -> None:
    pass


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12))
def test_alarms_go_off_in_order_of_time_and_of_place_and_else_as_they_were_scheduled(
    moments: list[tuple[int, int]],
) -> None:
    clock, seen = Clock(), []
    for number, (at, place) in enumerate(moments):
        clock.schedule(Alarm(lambda alarm: seen.append((clock.now, alarm.subject)), number), at, place)
    clock.run_to(5)
    assert seen == [(at, number) for at, place, number in sorted((*m, n) for n, m in enumerate(moments)) if at < 5]
    assert clock.now == 5


def test_an_alarm_can_be_scheduled_again() -> None:
    clock, seen = Clock(), []

    def go_off(alarm: Alarm) -> None:
        seen.append(clock.now)
        clock.schedule(alarm, clock.now + 3, 0)

    clock.schedule(Alarm(go_off), 2, 0)
    clock.run_to(10)
    assert seen == [2, 5, 8]


def test_a_cancelled_alarm_does_nothing() -> None:
    clock = Clock()
    alarm = Alarm(lambda _: pytest.fail("it went off"))
    clock.schedule(alarm, 3, 0)
    alarm.cancel()
    clock.run_to(10)


def test_what_is_due_at_the_horizon_does_not_happen() -> None:
    clock = Clock()
    clock.schedule(Alarm(lambda _: pytest.fail("it went off")), 10, 0)
    clock.run_to(10)
    assert clock.now == 10


def test_one_can_look_after_everything_that_happens() -> None:
    clock, seen = Clock(), []
    for at in (1, 4, 6):
        clock.schedule(Alarm(nothing), at, 0)
    clock.schedule(Alarm(lambda _: setattr(clock, "after_event", lambda: seen.append(clock.now))), 2, 0)
    clock.schedule(Alarm(lambda _: setattr(clock, "after_event", None)), 5, 0)
    clock.run_to(10)
    assert seen == [2, 4]


def test_it_knows_whether_the_instant_is_over_and_what_comes_next() -> None:
    clock, seen = Clock(), []
    for at in (1, 1, 7):
        clock.schedule(Alarm(lambda _: seen.append((clock.instant_is_over(), clock.next_at()))), at, 0)
    clock.run_to(10)
    assert seen == [(False, 1), (True, 7), (True, 10)]


def test_a_series_comes_between_alarms_by_time_and_by_place() -> None:
    clock, seen = Clock(), []
    moments = iter([(1, 5), (3, 5), (3, 7), (6, 5), (10, 0)])

    def come() -> None:
        clock.expect(*next(moments))
        seen.append((clock.now, clock.instant_is_over(), clock.next_at()))

    clock.set_arrivals(come)
    clock.expect(*next(moments))
    for at, place in ((2, 0), (3, 4), (3, 6), (6, 6)):
        clock.schedule(Alarm(lambda alarm: seen.append(alarm.subject), (at, place)), at, place)
    clock.run_to(10)
    assert seen == [(1, True, 2), (2, 0), (3, 4), (3, False, 3), (3, 6), (3, True, 6), (6, False, 6), (6, 6)]


def test_a_series_that_says_no_next_moment_is_over() -> None:
    clock, seen = Clock(), []
    clock.set_arrivals(lambda: seen.append(clock.now))
    clock.expect(2, 0)
    clock.run_to(10)
    assert seen == [2]


def test_the_furthest_turn_taken_in_an_instant_counts() -> None:
    clock, seen = Clock(), []

    def take(*places: int) -> Alarm:
        return Alarm(
            lambda _: seen.append([clock.mark_priority_reached(place) and clock.priority_reached() for place in places])
        )

    clock.schedule(Alarm(lambda _: seen.append(clock.priority_reached())), 1, 0)
    clock.schedule(take(5, 3, 8), 2, 0)
    clock.schedule(Alarm(lambda _: seen.append(clock.priority_reached())), 2, 1)
    clock.schedule(Alarm(lambda _: seen.append(clock.priority_reached())), 3, 0)
    clock.run_to(10)
    assert seen == [0, [5, 5, 8], 8, 0]


# Processes


def days(env: simpy.Environment, seen: list[object]) -> ProcessGenerator:
    """What SimPy offers processes: time-outs, events, processes within processes, and interrupts."""

    def child(delay: int) -> ProcessGenerator:
        yield env.timeout(delay)
        seen.append(("child", delay, env.now))
        return delay

    def sleeper() -> ProcessGenerator:
        try:
            yield env.timeout(100)
        except simpy.Interrupt as interrupt:
            seen.append((interrupt.cause, env.now))

    yield env.timeout(1)
    seen.append(("returned", (yield env.process(child(2))), env.now))
    yield env.process(child(3)) | env.timeout(1)
    asleep = env.process(sleeper())
    yield env.timeout(0)
    asleep.interrupt("up")
    event = env.event()
    event.callbacks.append(lambda happened: seen.append((happened.value, env.now)))
    event.succeed("now")
    yield event & env.timeout(4)
    seen.append(("end", env.now))


def test_processes_live_as_in_a_simpy_environment() -> None:
    expected: list[object] = []
    env = simpy.Environment()
    env.process(days(env, expected))
    env.run(until=20)
    clock, seen = Clock(), []
    processes = Processes(clock)
    processes.process(days(processes, seen))
    clock.run_to(20)
    assert seen == expected
    assert len(seen) == 6


def test_a_process_waits_for_a_moment_and_an_alarm_comes_before_or_after_it_by_its_place() -> None:
    clock, seen = Clock(), []
    processes = Processes(clock)

    def process() -> ProcessGenerator:
        for at in (2, 3, 7):
            yield processes.moment(at, 5)
            seen.append((at, clock.now, processes.now))

    processes.process(process())
    clock.schedule(Alarm(lambda _: seen.append("before")), 3, 4)
    clock.schedule(Alarm(lambda _: seen.append("after")), 3, 6)
    clock.run_to(10)
    assert seen == [(2, 2, 2), "before", (3, 3, 3), "after", (7, 7, 7)]


def test_a_process_that_an_alarm_starts_begins_there_and_then() -> None:
    clock, seen = Clock(), []
    processes = Processes(clock)

    def process() -> ProcessGenerator:
        seen.append(clock.now)
        yield processes.timeout(2)
        seen.append(clock.now)

    clock.schedule(Alarm(lambda _: processes.process(process())), 3, 5)
    clock.run_to(10)
    assert seen == [3, 5]


def test_an_error_in_a_process_ends_the_run() -> None:
    clock = Clock()
    processes = Processes(clock)

    def process() -> ProcessGenerator:
        yield processes.moment(1, 1)
        raise ValueError("no")

    processes.process(process())
    with pytest.raises(ValueError, match="no"):
        clock.run_to(10)
