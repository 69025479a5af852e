"""Tasks, pods and slots: what each is and what it knows of the others. `EngineTasks` and `EnginePool` change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.engine.clock import Alarm
from sim.engine.task_counts import TaskCounts
from sim.runs.codes import PENDING
from sim.runs.time import NEVER

if TYPE_CHECKING:
    from sim.engine.pool import EnginePool

IDLE: Final = 0
RUNNING: Final = 1
RESERVED: Final = 2


class EngineSlot:
    """A place on a pod for one task.

    `number` counts from 0 on the pod, and `index` in the pool, whose pods all have as many slots. `bit` stands for the
    slot in `Pod.idle`.
    """

    __slots__ = ("bit", "end", "held_since", "index", "number", "pod", "reserved_at", "state", "takes_apply", "task")

    def __init__(self, pod: EnginePod, number: int, index: int, takes_apply: bool, end: Alarm) -> None:
        self.pod = pod
        self.number = number
        self.index = index
        self.bit = 1 << number
        self.takes_apply = takes_apply
        self.state = IDLE
        self.task: EngineTask | None = None
        """What runs on it, or what it is reserved for."""
        self.reserved_at = NEVER
        """When it was reserved for its task first: from then on the reservation ages."""
        self.held_since = NEVER
        """Since when it is reserved without a break."""
        self.end = end
        """Goes off when what runs on it has ended."""


class EnginePod:
    """A worker. `number` counts from 0 in the order in which the pods of its pool were made. `idle` has the bits of its
    idle slots, `applies` of its slots run or are reserved for a plan_and_apply, and `running` of them run.
    """

    __slots__ = (
        "applies",
        "back_at",
        "created_at",
        "gone",
        "idle",
        "listed",
        "listed_apply",
        "number",
        "offline_since",
        "passed_over",
        "pool",
        "ready_at",
        "running",
        "slots",
        "used",
    )

    def __init__(self, pool: EnginePool, number: int, created_at: int) -> None:
        self.pool = pool
        self.number = number
        self.created_at = created_at
        self.ready_at = NEVER
        self.gone = False
        self.offline_since = NEVER
        """Since when its agent is silent; `NEVER` while it is not."""
        self.back_at = NEVER
        """When it will be back, if it is silent."""
        self.passed_over = False
        """Whether the server has noticed the silence."""
        self.used = False
        """Whether a task ever ran on it."""
        self.idle = 0
        self.applies = 0
        self.running = 0
        self.slots: tuple[EngineSlot, ...] = ()
        self.listed = self.listed_apply = False
        """Whether it stands in the heap of pods with a free slot, and in that of pods with a free apply slot."""

    @property
    def is_ready(self) -> bool:
        """Whether its agent has connected."""
        return self.ready_at != NEVER

    @property
    def is_offline(self) -> bool:
        """Whether its agent is silent."""
        return self.offline_since != NEVER


class EngineTask:
    """One task.

    Args:
        index: its place in the list of tasks; the order of tasks within one instant.
        arrives_at: when it is to arrive.
        applies: whether it is a `plan_and_apply`.
        workspace: number of its workspace.
        plan: how long its plan takes.
        confirm: how long after the plan's end its human decides, or `NEVER`.
        apply: how long its apply takes.
        pool: its pool.
        elsewhere: whether it never uses the pods of its pool.
        plan_result: one of `sim.runs.codes.PLAN_RESULTS`.
        discards: whether its human decides against the plan.
        apply_fails: whether its apply ends with an error.
        cancel: how long after its arrival it is canceled, or `NEVER`.
    """

    __slots__ = (
        "applies",
        "apply",
        "apply_fails",
        "arrives_at",
        "cancel",
        "confirm",
        "confirmed_at",
        "counts",
        "discards",
        "elsewhere",
        "index",
        "is_eligible",
        "is_final",
        "is_replanning",
        "is_unblocked",
        "later",
        "later_apply",
        "plan",
        "plan_result",
        "planned_on",
        "pool",
        "retry_offset",
        "slot",
        "state",
        "times_out",
        "waiting",
        "waiting_since",
        "workspace",
    )

    waiting_since: int
    """When it became eligible, as long as it has no slot."""
    retry_offset: int
    """While it waits: where within the retry interval its retries fall, in nanoseconds."""

    def __init__(
        self,
        index: int,
        arrives_at: int,
        applies: bool,
        workspace: int,
        plan: int,
        confirm: int,
        apply: int,
        pool: EnginePool,
        elsewhere: bool,
        plan_result: int,
        discards: bool,
        apply_fails: bool,
        cancel: int,
    ) -> None:
        self.index = index
        self.arrives_at = arrives_at
        self.applies = applies
        self.workspace = workspace
        self.plan = plan
        self.confirm = confirm
        self.apply = apply
        self.pool = pool
        self.elsewhere = elsewhere
        self.counts: TaskCounts = pool.elsewhere if elsewhere else pool.tasks
        """Where it is counted."""
        self.plan_result = plan_result
        self.discards = discards
        self.apply_fails = apply_fails
        self.cancel = cancel
        self.state = PENDING
        self.is_final = False
        self.is_replanning = False
        """Whether it has planned again after its human had confirmed: what it waits for is still its apply."""
        self.is_eligible = False
        """Whether it is eligible as long as it is pending, which it stays once it is."""
        self.is_unblocked = False
        """Whether no earlier task of its workspace, of either type, is short of a final state."""
        self.times_out = False
        """Whether what runs takes longer than `task_timeout`."""
        self.later: EngineTask | None = None
        self.later_apply: EngineTask | None = None
        """The next task of its workspace, and the next plan_and_apply (see `sim.engine.tasks.Workspace`)."""
        self.slot: EngineSlot | None = None
        """The slot it runs on or that is reserved for it; None otherwise, and once it is final."""
        self.planned_on = -1
        """Number of the pod on which it has planned."""
        self.waiting = False
        """Whether an attempt for it has failed, or could not be made, so that it waits for the next."""
        self.confirmed_at = NEVER
        """When its human confirmed the plan that it has now."""
