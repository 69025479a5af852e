"""The world of one replication: the same random numbers for every policy, whatever it does.

Times are whole nanoseconds (see `sim.runs.time`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Times: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TaskInputs:
    """The tasks of one replication as columns, a row per task. `confirm` is `NEVER` where the human never decides.

    Rows are in the order in which the tasks are listed. Generated and recorded tasks are in order of arrival. `pool` is
    the number of the task's pool, `execution_mode` one of `sim.runs.codes.EXECUTION_MODES`, `plan_result` one of
    `sim.runs.codes.PLAN_RESULTS`, `discards` whether its human decides against it, `apply_fails` whether its apply
    ends with an error, and `cancel` how long after its arrival it is canceled, or `NEVER`.
    """

    arrive: Times
    applies: NDArray[np.bool_]
    workspace: Times
    plan: Times
    confirm: Times
    apply: Times
    pool: Times
    execution_mode: Times
    plan_result: Times
    discards: NDArray[np.bool_]
    apply_fails: NDArray[np.bool_]
    cancel: Times

    def __len__(self) -> int:
        return len(self.arrive)


@dataclass(frozen=True, slots=True)
class PodDeletionStrike:
    """Delete the pod of `pool` that `target` means. If that is `random`, `chance`, from 0 to below 1, picks the pod."""

    at: int
    target: int | str
    chance: float
    pool: int = 0


@dataclass(frozen=True, slots=True)
class PodOfflineStrike:
    """Silence the agent of the pod of `pool` that `target` means for `duration`; `NEVER` means for good."""

    at: int
    target: int | str
    chance: float
    duration: int
    pool: int = 0


@dataclass(frozen=True, slots=True)
class ServerRestartStrike:
    """Stop the server for `downtime`. A `reconcile_after` of `NEVER` means that reservations are never restored."""

    at: int
    downtime: int
    reconcile_after: int
    running_tasks: Literal["survive", "fail"]


@dataclass(frozen=True, slots=True)
class ConfigChangeStrike:
    """Have every pod that is there rebuilt, each as soon as its slots are all idle."""

    at: int


Strike: TypeAlias = PodDeletionStrike | PodOfflineStrike | ServerRestartStrike | ConfigChangeStrike


def _no(number: int) -> bool:
    return False


def _nothing(number: int) -> int:
    return 0


def _middle(number: int, applies: bool) -> float:
    return 0.5


def _no_numbers(name: str) -> Generator:
    raise LookupError("numbers_for is not available: these inputs were not made by a World")


@dataclass(frozen=True, slots=True)
class PodInputs:
    """What is random about the pods of one pool, as functions of a number counted from 0.

    `startup` gives the start-up time of the n-th pod, `never_connects` whether that pod never connects, and
    `creation_fails` whether the n-th attempt to make a pod fails.
    """

    startup: Callable[[int], int]
    never_connects: Callable[[int], bool] = _no
    creation_fails: Callable[[int], bool] = _no


@dataclass(frozen=True, slots=True)
class RandomInputs:
    """Everything that is random in one replication.

    `tasks` has the tasks, `faults` has, for each fault of the scenario in its order, when and how it strikes, and
    `pods` has for each pool what is random about its pods. `reinit` gives how much longer the apply of the n-th task
    takes on another pod than that of its plan. `placement` gives the number, from 0 to below 1, that the n-th task has
    for its plan, or for its apply, with `placement: random`. `numbers_for` makes a generator of random numbers for a
    process of one's own; in one world the same name gives the same sequence.
    """

    tasks: TaskInputs
    faults: Sequence[Sequence[Strike]]
    pods: Sequence[PodInputs]
    reinit: Callable[[int], int] = _nothing
    placement: Callable[[int, bool], float] = _middle
    numbers_for: Callable[[str], Generator] = _no_numbers
