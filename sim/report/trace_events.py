"""A result as Chrome trace events, which ui.perfetto.dev and chrome://tracing open.

Every policy has a process for its server (counters, down-time), one for the tasks that wait for their apply, and one
for each pod, whose threads are its life, its agent and its slots. A viewer takes the complete slices (`X`) of one
thread for calls within calls, so they must never overlap in part. What can overlap is on threads of its own, and
waits, any number of which go on at once, are async events (`b` and `e`).

What the record does not know is not shown: of a task that had to plan again (`lost_reservation: replan`) only the last
plan is there, and it counts as pending up to that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sim.report.one_run import OneRun, waited_until
from sim.results.atomic_write import atomic_write
from sim.runs.codes import CAUSES
from sim.runs.time import SECOND
from sim.scenario import InputError

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result_base import ResultBase

Event = dict[str, Any]
Track = tuple[int, int]  # a process and a thread of it

# Threads, counted from their process. None is 0, which viewers take for the main thread of a program.
MAIN: Final = 1
AGENT: Final = 2
SLOTS: Final = 3


def trace_events(result: ResultBase, replication: int = 0) -> Iterator[Event]:
    """The events of all policies in one replication, made one by one, not in order of time; `ts` in microseconds.

    Raises:
        InputError: there is no such replication.
    """
    if not 0 <= replication < result.replications:
        problem = f"found {replication}, expected a whole number of 0 to {result.replications - 1}"
        raise InputError("", "replication", problem)
    return _events(result, replication)


def write_trace_events(result: ResultBase, path: Path, replication: int = 0) -> None:
    """Write the events as a JSON object, one per line: beside, and renamed into place.

    Raises:
        InputError: it cannot be written, or there is no such replication.
    """
    events = trace_events(result, replication)
    with atomic_write(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write('{"displayTimeUnit": "ms", "traceEvents": [')
        for number, event in enumerate(events):
            text = json.dumps(event, ensure_ascii=False, allow_nan=False)
            file.write(f",\n{text}" if number else f"\n{text}")
        file.write("\n]}\n")


def _events(result: ResultBase, replication: int) -> Iterator[Event]:
    process = 1  # 0 is a process of its own to Perfetto
    for label in result.labels:
        run = _Run(result, label, replication, process)
        process = run.next_process
        yield from run.events()


class _Run:
    """One policy in one replication."""

    # Processes and threads share one row of numbers, from *process* on: they are shown in that order, and some viewers
    # know a thread by its number alone.

    def __init__(self, result: ResultBase, label: str, replication: int, process: int) -> None:
        run = OneRun(result, label, replication)
        self._label = label
        self._run = run
        self._tasks, self._pods = run.tasks[run.tasks.execution_mode == "k8s"], run.pods
        self._reservations, self._incidents = run.reservations, run.incidents
        self._horizon, self._slots = result.scenario.end, max(run.slots, default=1)
        self._server: Track = (process, process + MAIN)
        self._waiting: Track = (process + SLOTS, process + SLOTS + MAIN)
        self._first_pod = process + 2 * SLOTS
        self.next_process = self._pod(len(self._pods), 0)[0]
        self._phases = {"plan": self._phase("plan", "planning"), "apply": self._phase("apply", "applying")}

    def events(self) -> Iterator[Event]:
        for part in (self._names, self._counters, self._faults, self._lives, self._work, self._waits):
            yield from part()

    def _pod(self, number: int, thread: int) -> Track:
        process = self._first_pod + int(number) * (SLOTS + self._slots)
        return process, process + int(thread)

    def _or_horizon(self, time: float) -> float:
        return time if time < self._horizon else self._horizon  # also if it is missing

    def _names(self) -> Iterator[Event]:
        yield from _process(self._server[0], f"{self._label}: server", {MAIN: "server"})
        yield from _process(self._waiting[0], f"{self._label}: waiting", {MAIN: "apply waits"})
        for pod in self._pods.pod.tolist():
            slots = {SLOTS + slot: f"slot {slot}" for slot in range(self._run.slots[pod])}
            threads = {MAIN: "pod", AGENT: "agent"} | slots
            yield from _process(self._pod(pod, 0)[0], f"{self._label}: {self._run.pod_names[pod]}", threads)

    def _faults(self) -> Iterator[Event]:
        for row in _rows(self._incidents):
            name, until = row.kind.replace("_", " "), self._or_horizon(row.until)
            track = self._pod(row.pod, MAIN) if row.kind.startswith("pod_") else self._server
            yield _event("i", name, "fault", track, row.time, s="p", args={"lasts (s)": until - row.time})
            if row.kind == "server_restart" and row.time < until:
                yield _slice("down", "server", track, row.time, until, {})

    def _lives(self) -> Iterator[Event]:
        silences: dict[int, list[tuple[float, float]]] = {}
        for row in _rows(self._incidents[self._incidents.kind == "pod_offline"]):
            silences.setdefault(row.pod, []).append((row.time, row.until))
        for row in _rows(self._pods):
            gone = self._or_horizon(row.deleted_at)
            ready = min(self._or_horizon(row.ready_at), gone)
            args = {"deleted by": row.deleted_by} if isinstance(row.deleted_by, str) else {}
            draining = min(self._or_horizon(row.draining_at), gone)
            drains_at = max(ready, draining)
            parts = (("starting", row.created_at, ready), ("ready", ready, draining), ("draining", drains_at, gone))
            for name, begin, end in parts:
                if begin < end:
                    yield _slice(name, "pod", self._pod(row.pod, MAIN), begin, end, args)
            spans = [(since, min(self._or_horizon(until), gone)) for since, until in silences.get(row.pod, ())]
            for since, until in _merged(spans):
                yield _slice("offline", "pod", self._pod(row.pod, AGENT), since, until, {})

    def _phase(self, name: str, running: str) -> pd.DataFrame:
        """The tasks that got to that phase, with `begin`, `end`, `pod`, `slot` and whether it `failed`."""
        # A task that is *running* does so to the horizon; one that has failed did so in its last phase. Its state says
        # so, not its times: one that plans again still has the end of its earlier plan.
        rows = self._tasks[self._tasks[f"{name}_started_at"].notna()]
        is_last = rows.apply_started_at.notna() if name == "apply" else rows.apply_started_at.isna()
        is_cut_off = (rows.state == "canceled") & rows[f"{name}_ended_at"].isna()
        failed = ((rows.state == "failed") | is_cut_off) & is_last
        end = rows[f"{name}_ended_at"].where(rows.state != running, self._horizon).where(~failed, rows.ended_at)
        begin, pod, slot = rows[f"{name}_started_at"], rows[f"{name}_pod"], rows[f"{name}_slot"]
        return rows.assign(begin=begin, end=end, pod=pod, slot=slot, failed=failed)

    def _work(self) -> Iterator[Event]:
        """Plans and applies, and reservations but for those that were used in the instant in which they were made."""
        for phase, rows in self._phases.items():
            for row in _rows(rows):
                name = f"{phase} {row.task_id} {row.state}" if row.failed else f"{phase} {row.task_id}"
                yield _slice(name, "task", self._pod(row.pod, SLOTS + row.slot), row.begin, row.end, _about(row))
        for row in _rows(self._reservations):
            name, track = f"reserved {row.task_id}", self._pod(row.pod, SLOTS + row.slot)
            end = self._or_horizon(row.released_at)
            if row.reserved_at < end:
                yield _slice(name, "reservation", track, row.reserved_at, end, {"task": row.task_id})

    def _waits(self) -> Iterator[Event]:
        """From a task's confirmation to its apply, or to the horizon if that does not come: what `apply_wait` says."""
        # Perfetto packs all async events whose outermost ones have the same name onto one track, so the name that tells
        # them apart is inside.
        for number, row in enumerate(_rows(self._tasks[self._tasks.apply_wait > 0])):
            names = ("apply wait", f"wait {row.task_id}")
            parts = {f"{cause.replace('_', ' ')} (s)": getattr(row, f"wait_{cause}") for cause in CAUSES}
            args = _about(row) | {"censored": row.censored} | {cause: part for cause, part in parts.items() if part > 0}
            wait = {"local": hex(number)}  # local to the process, so that the track is shown there
            for name in names:
                yield _event("b", name, "wait", self._waiting, row.confirmed_at, id2=wait, args=args)
            for name in reversed(names):
                yield _event("e", name, "wait", self._waiting, row.confirmed_at + row.apply_wait, id2=wait)

    def _counters(self) -> Iterator[Event]:
        confirmed = self._tasks[self._tasks.confirmed_at.notna()]
        running = [(rows.begin, rows.end) for rows in self._phases.values()]
        reserved = [(self._reservations.reserved_at, self._reservations.released_at)]
        yield from self._counter("pods", total=[(self._pods.created_at, self._pods.deleted_at)])
        yield from self._counter("slots", running=running, reserved=reserved)
        pending_until = self._tasks.plan_started_at.fillna(self._tasks.ended_at)
        yield from self._counter("pending tasks", total=[(self._tasks.arrived_at, pending_until)])
        yield from self._counter("confirmed, waiting", total=[(confirmed.confirmed_at, waited_until(confirmed))])

    def _counter(self, counter: str, **series: list[tuple[pd.Series[Any], pd.Series[Any]]]) -> Iterator[Event]:
        """How much of each series, begins and ends, is on: at the start, whenever that changes, and at the horizon."""
        begins = [np.sort(np.concatenate([begin for begin, _ in spans])) for spans in series.values()]
        ends = [np.sort(np.concatenate([end[end < self._horizon] for _, end in spans])) for spans in series.values()]
        times = np.unique(np.concatenate([[0.0, self._horizon], *begins, *ends]))
        pairs = zip(begins, ends, strict=True)
        levels = np.stack([np.searchsorted(b, times, "right") - np.searchsorted(e, times, "right") for b, e in pairs])
        shown = np.any(np.diff(levels, axis=1, prepend=-1) != 0, axis=0)
        shown[-1] = True
        for time, numbers in zip(times[shown].tolist(), levels[:, shown].T.tolist(), strict=True):
            yield _event("C", counter, "pool", self._server, time, args=dict(zip(series, numbers, strict=True)))


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    return frame.itertuples(index=False)


def _about(row: Any) -> Event:
    """What a viewer shows of a task."""
    args = {"task": row.task_id, "workspace": row.workspace, "state": row.state}
    return args | {"apply wait (s)": row.apply_wait} if row.apply_wait >= 0 else args  # NaN is no JSON


def _merged(spans: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """What the *spans*, in order of their begin, cover together, without what takes no time."""
    covered: list[tuple[float, float]] = []
    for begin, end in spans:
        since, until = covered.pop() if covered and begin <= covered[-1][1] else (begin, end)
        covered.append((since, max(until, end)))
    return (span for span in covered if span[0] < span[1])


def _process(process: int, name: str, threads: Mapping[int, str]) -> Iterator[Event]:
    """What a process and its threads are called, and where they stand: in order of their numbers."""
    tracks = [("process", process + MAIN, process, name)]
    tracks += [("thread", process + thread, process + thread, text) for thread, text in threads.items()]
    for kind, thread, rank, text in tracks:
        for about, args in (("name", {"name": text}), ("sort_index", {"sort_index": rank})):
            yield {"ph": "M", "name": f"{kind}_{about}", "pid": process, "tid": thread, "args": args}


def _slice(name: str, cat: str, track: Track, begin: float, end: float, args: Event) -> Event:
    return _event("X", name, cat, track, begin, dur=_microseconds(begin, end), args=args)


def _event(kind: str, name: str, cat: str, track: Track, time: float, **more: Any) -> Event:
    """An event of that *kind* at that *time* in seconds."""
    ts = _microseconds(0, time)
    return {"ph": kind, "name": name, "cat": cat, "pid": track[0], "tid": track[1], "ts": ts, **more}


def _microseconds(since: float, until: float) -> float:
    """From *since* to *until*, in seconds: of nanoseconds, as simulated, so that slices that touch do not overlap."""
    nanoseconds = round(until * SECOND) - round(since * SECOND)
    return nanoseconds / 1000 if nanoseconds % 1000 else nanoseconds // 1000
