"""Tasks, pods and slots: what each is and what it knows of the others. `EngineTasks` and `EnginePool` change them."""

from __future__ import annotations

from typing import Final

from sim.engine.clock import Alarm
from sim.runs.codes import PENDING
from sim.runs.time import NEVER

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
    """A worker. `number` counts from 0 in the order pods were made. `idle` has the bits of its idle slots."""

    __slots__ = (
        "back_at",
        "created_at",
        "gone",
        "idle",
        "listed",
        "listed_apply",
        "number",
        "offline_since",
        "passed_over",
        "ready_at",
        "slots",
        "used",
    )

    def __init__(self, number: int, created_at: int) -> None:
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
        confirm: how long after the plan's end its human confirms, or `NEVER`.
        apply: how long its apply takes.
    """

    __slots__ = (
        "applies",
        "apply",
        "arrives_at",
        "confirm",
        "confirmed_at",
        "index",
        "plan",
        "planned_on",
        "retry_offset",
        "slot",
        "state",
        "waiting",
        "waiting_since",
        "workspace",
    )

    waiting_since: int
    """When it became eligible, as long as it has no slot."""
    retry_offset: int
    """While it waits: where within the retry interval its retries fall, in nanoseconds."""

    def __init__(
        self, index: int, arrives_at: int, applies: bool, workspace: int, plan: int, confirm: int, apply: int
    ) -> None:
        self.index = index
        self.arrives_at = arrives_at
        self.applies = applies
        self.workspace = workspace
        self.plan = plan
        self.confirm = confirm
        self.apply = apply
        self.state = PENDING
        self.slot: EngineSlot | None = None
        """The slot it runs on or that is reserved for it; None otherwise, and once it is final."""
        self.planned_on = -1
        """Number of the pod on which it has planned."""
        self.waiting = False
        """Whether an attempt for it has failed, or could not be made, so that it waits for the next."""
        self.confirmed_at = NEVER
        """When its human confirmed the plan that it has now."""
