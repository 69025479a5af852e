"""The tasks of a world: listed, recorded or generated, with everything about them that is random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.runs.codes import EXECUTION_MODES, NO_CHANGES, PLAN_ERROR, PLAN_RESULTS
from sim.runs.inputs import TaskInputs, Times
from sim.runs.time import NEVER
from sim.scenario import Scenario
from sim.scenario.distributions import Quantity, quantiles
from sim.scenario.workload import ArrivalProcess, BusyWorkspaces, Draws, ListedTask
from sim.traces.recording import recording_of
from sim.world.arrivals import arrival_times, expected_tasks
from sim.world.names import workspaces_of
from sim.world.resampling import resampled
from sim.world.rounding import drawn_times, given_times
from sim.world.streams import Floats, For, Stream, numbers_by_id

MOST_TASKS = 10_000_000
"""More tasks than this, on average, are refused rather than tried."""


@dataclass(frozen=True, slots=True)
class DrawnTasks:
    """The tasks of a world, and to which of the scenario's blocks of arrivals each belongs.

    A task's number in its `block` is its `rank`: what is drawn for it later is keyed by both.
    """

    tasks: TaskInputs
    block: Times
    rank: Times


def tasks_of(scenario: Scenario, replication: int) -> DrawnTasks:
    """The tasks of one replication, in order of arrival if they are not listed."""
    given = scenario.workload
    source = _Source(scenario, replication)
    if given.tasks is not None:
        return _one_block(source.listed(given.tasks))
    if given.trace is not None:
        recording = recording_of(scenario)
        assert recording is not None
        columns = recording.columns
        workspaces = np.unique(columns["workspace"]) if "workspace" in columns else None
        if given.trace.resample is not None:
            stream = Stream(scenario.seed, replication, For.RESAMPLE)
            columns = resampled(columns, given.trace.resample, scenario.horizon, stream)
        tasks = source.drawn(given.trace, given_times(columns["arrive"]), columns, workspaces=workspaces)
        return _one_block(tasks)
    return _merged([source.generated(block, number) for number, block in enumerate(given.blocks)])


def _one_block(tasks: TaskInputs) -> DrawnTasks:
    return DrawnTasks(tasks, np.zeros(len(tasks), dtype=np.int64), np.arange(len(tasks)))


def _merged(blocks: Sequence[TaskInputs]) -> DrawnTasks:
    """The tasks of all blocks in order of arrival. Each block has workspaces of its own."""
    if len(blocks) == 1:
        return _one_block(blocks[0])
    arrive = np.concatenate([tasks.arrive for tasks in blocks])
    order = np.argsort(arrive, kind="stable")
    first_workspace = np.cumsum([0, *(int(tasks.workspace.max(initial=-1)) + 1 for tasks in blocks)])
    columns = {
        field.name: np.concatenate([getattr(tasks, field.name) for tasks in blocks])[order]
        for field in fields(TaskInputs)
    }
    block = np.concatenate([np.full(len(tasks), number) for number, tasks in enumerate(blocks)])[order]
    columns["workspace"] += first_workspace[block]
    rank = np.concatenate([np.arange(len(tasks)) for tasks in blocks])[order]
    return DrawnTasks(TaskInputs(**columns), block, rank)


class _Source:
    """Draws what is random about the tasks of one replication."""

    def __init__(self, scenario: Scenario, replication: int) -> None:
        self._scenario = scenario
        self._replication = replication

    def _stream(self, purpose: For, block: int) -> Stream:
        return Stream(self._scenario.seed, self._replication, purpose, block)

    def _by_id(self, purpose: For, ids: list[int | str]) -> Floats:
        return numbers_by_id(self._scenario.seed, self._replication, purpose, ids)

    def listed(self, tasks: tuple[ListedTask, ...]) -> TaskInputs:
        """The tasks that the scenario lists."""
        codes = {name: code for code, name in enumerate(workspaces_of(tasks))}
        ids = [task.id for task in tasks]

        def column(field: str, purpose: For) -> Times:
            numbers = self._by_id(purpose, ids)
            return np.array([_time(getattr(task, field), u) for task, u in zip(tasks, numbers, strict=True)])

        return TaskInputs(
            arrive=given_times(np.array([task.arrive for task in tasks], dtype=np.float64)),
            applies=np.array([task.type == "plan_and_apply" for task in tasks]),
            workspace=np.array([codes[task.workspace] for task in tasks]),
            plan=column("plan", For.PLAN),
            confirm=column("confirm", For.CONFIRM),
            apply=column("apply", For.APPLY),
            pool=np.array([self._scenario.pool_number(task.pool) for task in tasks]),
            execution_mode=np.array([EXECUTION_MODES.index(task.execution_mode) for task in tasks]),
            plan_result=np.array([PLAN_RESULTS.index(task.plan_result) for task in tasks]),
            discards=np.array([task.decision == "discard" for task in tasks]),
            apply_fails=np.array([task.apply_result == "error" for task in tasks]),
            cancel=column("cancel", For.CANCEL),
        )

    def generated(self, arrivals: ArrivalProcess, block: int) -> TaskInputs:
        """The tasks of a *block* of arrivals that arrive before the horizon."""
        horizon = self._scenario.horizon
        about = expected_tasks(arrivals, horizon)
        if about > MOST_TASKS:
            problem = f"found about {about:.3g} arrivals up to the horizon, expected at most {MOST_TASKS:.0e}"
            is_list = isinstance(self._scenario.workload.arrivals, tuple)
            path = ("workload", "arrivals", block, "rate") if is_list else ("workload", "arrivals", "rate")
            raise self._scenario.mistake(path, problem)
        moments = arrival_times(arrivals, horizon, lambda purpose: self._stream(purpose, block))
        return self.drawn(arrivals, drawn_times(moments), {}, block)

    def drawn(
        self,
        draws: Draws,
        arrive: Times,
        columns: dict[str, NDArray[Any]],
        block: int = 0,
        workspaces: NDArray[Any] | None = None,
    ) -> TaskInputs:
        """Tasks that arrive at given times; the *columns* there are count, and the others are drawn.

        *workspaces* are the names that the column `workspace` may have, in ascending order.
        """
        size = len(arrive)
        ids = columns["id"].tolist() if "id" in columns else None

        def u(purpose: For) -> Floats:
            return self._stream(purpose, block).take(size) if ids is None else self._by_id(purpose, ids)

        def times(name: str, purpose: For) -> Times:
            if name in columns:
                return given_times(np.nan_to_num(columns[name], nan=np.inf))
            quantity = getattr(draws, name)
            return np.full(size, NEVER) if quantity is None else _durations_of(quantity, u(purpose))

        def happens(probability: float | None, purpose: For) -> NDArray[np.bool_]:
            return u(purpose) < probability if probability else np.zeros(size, dtype=np.bool_)

        def is_given(name: str, value: str, otherwise: Callable[[], NDArray[np.bool_]]) -> NDArray[np.bool_]:
            return np.asarray(columns[name] == value, dtype=np.bool_) if name in columns else otherwise()

        if workspaces is not None:
            workspace = np.searchsorted(workspaces, columns["workspace"])
        elif draws.workspaces is None:
            workspace = np.arange(size)
        else:
            workspace = _chosen(u(For.WORKSPACE), draws.workspaces)
        confirm = times("confirm", For.CONFIRM)
        if "confirm" not in columns and draws.confirm_probability is not None:
            confirm[u(For.CONFIRMS) >= draws.confirm_probability] = NEVER
        cancel = times("cancel", For.CANCEL)
        if "cancel" not in columns and draws.cancel_probability is not None:
            cancel[u(For.CANCELS) >= draws.cancel_probability] = NEVER
        return TaskInputs(
            arrive=arrive,
            applies=is_given("type", "plan_and_apply", lambda: u(For.TYPE) < (draws.plan_and_apply_share or 0.0)),
            workspace=workspace.astype(np.int64),
            plan=times("plan", For.PLAN),
            confirm=confirm,
            apply=times("apply", For.APPLY),
            pool=self._pools(draws, columns, size),
            execution_mode=_coded(columns, "execution_mode", EXECUTION_MODES, draws.execution_mode, size),
            plan_result=_plan_results(draws, columns, size, u),
            discards=is_given("decision", "discard", lambda: happens(draws.discard_probability, For.DISCARD)),
            apply_fails=is_given(
                "apply_result", "error", lambda: happens(draws.apply_error_probability, For.APPLY_RESULT)
            ),
            cancel=cancel,
        )

    def _pools(self, draws: Draws, columns: dict[str, NDArray[Any]], size: int) -> Times:
        if "pool" not in columns:
            return np.full(size, self._scenario.pool_number(draws.pool), dtype=np.int64)
        names, codes = np.unique(columns["pool"].astype(str), return_inverse=True)
        return np.array([self._scenario.pool_number(name) for name in names.tolist()], dtype=np.int64)[codes]


def _chosen(u: Floats, workspaces: int | BusyWorkspaces) -> Times:
    """The workspaces that the uniform numbers *u* stand for, from 0."""
    if isinstance(workspaces, int):
        return np.floor(u * workspaces).astype(np.int64)
    upto = np.cumsum(np.arange(1, workspaces.count + 1) ** -workspaces.skew)
    return np.searchsorted(upto / upto[-1], u, side="right").astype(np.int64)


def _coded(columns: dict[str, NDArray[Any]], name: str, words: Sequence[str], usual: str, size: int) -> Times:
    """The numbers of the words in a column; of the *usual* word if there is no such column."""
    found = np.full(size, words.index(usual), dtype=np.int64)
    for number, word in enumerate(words) if name in columns else ():
        found[columns[name] == word] = number
    return found


def _plan_results(draws: Draws, columns: dict[str, NDArray[Any]], size: int, u: Callable[[For], Floats]) -> Times:
    found = _coded(columns, "plan_result", PLAN_RESULTS, "changes", size)
    errors, no_changes = draws.plan_error_probability or 0.0, draws.no_changes_probability or 0.0
    if errors or no_changes:
        numbers = u(For.PLAN_RESULT)
        found[numbers < errors + no_changes] = NO_CHANGES
        found[numbers < errors] = PLAN_ERROR
    return found


def _durations_of(quantity: Quantity, u: Floats) -> Times:
    """The nanoseconds that *quantity* is for each of the uniform numbers *u*."""
    if isinstance(quantity, float | int):
        return given_times(np.full(len(u), float(quantity)))
    return drawn_times(quantiles(quantity, u))


def _time(quantity: Quantity | None, u: float) -> int:
    return NEVER if quantity is None else int(_durations_of(quantity, np.array([u]))[0])
