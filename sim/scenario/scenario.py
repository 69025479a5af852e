"""A scenario: one experiment, as its file describes it. Durations are floats in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sim.scenario.base import Part, not_empty, refuse
from sim.scenario.changes import changed
from sim.scenario.distributions import mean_of
from sim.scenario.errors import InputError, dotted
from sim.scenario.faults import PodDeletion, PodOffline
from sim.scenario.pools import ONLY_POOL, PoolName, PoolSettings
from sim.scenario.reading.document import Document
from sim.scenario.reading.error_messages import mistake_in
from sim.scenario.recorded_faults import Fault, RecordedFaults
from sim.scenario.safeguards import SafeguardSettings
from sim.scenario.units import Duration, Period, Share, parse_duration, parse_share
from sim.scenario.weekly import DAY, ScheduledMinimum
from sim.scenario.workload import Name, Profile, WorkloadSettings

MOST_STRIKES: Final = 10_000_000
"""Of one fault, on average. More are refused rather than tried."""

MOST_FREEZES: Final = 10_000


class ControlSettings(Part):
    """How often the server looks."""

    autoscaler_interval: Period = 5.0
    dispatch: Literal["poll", "notify"] = "poll"
    dispatch_retry: Period = 10.0
    queue_order: Literal["eligible", "applies_first"] = "eligible"
    workspace_lock: Literal["applies", "all"] = "applies"
    task_timeout: Period | None = None
    view_delay: Duration = 0.0

    @model_validator(mode="after")
    def _has_a_queue(self) -> Self:
        if self.queue_order != "eligible" and self.dispatch != "notify":
            raise refuse("queue_order", "dispatch: notify beside it, as tasks that poll stand in no queue")
        return self


class PolicyChoice(Part):
    """One policy to run: its name, the label its results go by, and its parameters as further keys.

    `schedule` has parts of the week in which there are at least so many pods, whatever the policy says.
    """

    model_config = ConfigDict(extra="allow")

    name: Name
    label: Name | None = None
    schedule: Annotated[tuple[ScheduledMinimum, ...], Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, data: Any) -> Any:
        """Which parameters there are only the policy knows."""
        if isinstance(data, dict):
            for key in data:
                if not isinstance(key, str):
                    raise refuse(key, "the name of a parameter")
        return data

    @property
    def parameters(self) -> dict[str, Any]:
        """The policy's parameters, by name."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def shown_label(self) -> str:
        """What the policy is called in every result."""
        return self.label or self.name


class SweepSettings(Part):
    """What `sim sweep` runs: settings by path with their values, all combinations or a `sample` of so many points."""

    set: dict[str, str | int | float | Annotated[tuple[str | int | float | bool | None, ...], Field(strict=False)]]
    sample: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    method: Literal["lhs", "sobol"] = "lhs"


class CostSettings(Part):
    """What things cost: an hour of a pod, and an hour for which a confirmed task, and so its human, waits."""

    pod_hour: Annotated[float, Field(ge=0, le=1e9)] | None = None
    waiting_hour: Annotated[float, Field(ge=0, le=1e9)] | None = None
    currency: Annotated[str, Field(min_length=1, max_length=20)] = "EUR"

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.pod_hour is None and self.waiting_hour is None:
            raise refuse("currency", "a pod_hour or a waiting_hour beside it")
        return self


class SloSettings(Part):
    """How long tasks may wait, by kind of wait: the service level objective."""

    apply_wait: Duration | None = None
    plan_wait: Duration | None = None
    blocked_wait: Duration | None = None

    @property
    def limits(self) -> dict[str, float]:
        """The limits in seconds that are given, by kind of wait."""
        return {name: limit for name, limit in self if limit is not None}


class Precision(Part):
    """How narrow an interval has to be: replications are added until it is, or until there are `max_replications`."""

    metric: Name
    relative: Annotated[Share, Field(gt=0, lt=1)] | None = None
    absolute: Annotated[Duration, Field(gt=0)] | None = None
    on: Literal["value", "difference"] = "value"
    max_replications: Annotated[int, Field(ge=2, le=1_000_000)] = 1000

    @model_validator(mode="after")
    def _one_width(self) -> Self:
        if (self.relative is None) == (self.absolute is None):
            found = "neither" if self.relative is None else "both"
            raise refuse("metric", f"exactly one of relative and absolute beside it; given: {found}")
        return self


class Tolerance(NamedTuple):
    """By how much a metric may be larger than in the baseline: as a share of it, or absolutely, in seconds."""

    relative: float
    absolute: float


def _tolerance(value: object) -> Tolerance:
    if isinstance(value, str) and not value.strip().endswith("%"):
        return Tolerance(0.0, parse_duration(value))
    return Tolerance(parse_share(value), 0.0)


def _known_moment(start: str) -> str:
    try:
        datetime.fromisoformat(start)
    except ValueError:
        raise PydanticCustomError("moment", "a date and a time such as '2026-06-01T06:00+02:00'") from None
    return start


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


_AS_IT_IS: Any = Field(default={}, validate_default=True)
"""The default of a part. It is made by the whole, so that the part needs no reader of its own."""


class TraceFrame:
    """A frame of recorded tasks in place of a file. It is compared by what it is, not by what it holds.

    Args:
        frame: a pandas frame with the columns of a trace.
    """

    def __init__(self, frame: Any) -> None:
        self.frame = frame


class Scenario(Part):
    """One experiment."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    description: str = ""
    start: Annotated[str, AfterValidator(_known_moment)] | None = None
    horizon: Period
    drain: Duration = 0.0
    warmup: Annotated[
        Annotated[Literal["auto"], Tag("auto")] | Annotated[Duration, Tag("duration")],
        Discriminator(lambda value: "auto" if value == "auto" else "duration"),
    ] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    replications: Annotated[
        Annotated[Literal["enough"], Tag("enough")] | Annotated[int, Field(ge=1, le=1_000_000), Tag("number")],
        Discriminator(lambda value: "enough" if value == "enough" else "number"),
    ] = 1
    max_replications: Annotated[int, Field(ge=2, le=1_000_000)] = 1000
    precision: Precision | None = None
    confidence: Annotated[Share, Field(ge=0.5, lt=1)] = 0.95
    pool: PoolSettings = _AS_IT_IS
    pools: Annotated[dict[PoolName, PoolSettings], AfterValidator(not_empty)] | None = None
    quota: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    control: ControlSettings = _AS_IT_IS
    safeguards: SafeguardSettings = _AS_IT_IS
    workload: WorkloadSettings
    faults: Annotated[tuple[Fault, ...], Field(strict=False)] = ()
    policies: Annotated[
        tuple[Annotated[PolicyChoice, BeforeValidator(_named, json_schema_input_type=str | PolicyChoice)], ...],
        Field(strict=False),
        AfterValidator(not_empty),
    ] = Field(default_factory=lambda: (PolicyChoice(name="old"), PolicyChoice(name="fixed")))
    cost: CostSettings | None = None
    slo: SloSettings = _AS_IT_IS
    sweep: SweepSettings | None = None
    thresholds: Annotated[tuple[str, ...], Field(strict=False)] = ()
    equivalent_within: Annotated[Share, Field(gt=0, lt=1)] | None = None
    undecided: Literal["fail", "pass", "warn"] = "fail"
    regression: dict[str, str | float] = Field(
        default={"apply_wait.mean": "5%", "apply_wait.p95": "5%", "censored": "0%", "pod_seconds": "10%"}
    )

    _document: Document | None = PrivateAttr(default=None)
    _folder: Path = PrivateAttr(default=Path())
    _trace_frame: TraceFrame | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _pools_fit(self) -> Self:
        if self.pools is not None and self.pool != PoolSettings():
            raise refuse("pools", "a pool or pools, and not both")
        if self.quota is not None:
            at_start = sum(pool.pods_at_start for pool in self.all_pools.values())
            if at_start > self.quota:
                raise refuse("quota", f"at least the pods that there are at the start ({at_start})")
        for path, name in self._pools_named():
            if name is not None and name not in self.all_pools:
                raise refuse(path, f"one of the pools: {', '.join(self.all_pools)}")
        for index, block in enumerate(self.workload.blocks):
            if self.start is not None and isinstance(block, Profile) and block.offset() != self.week_offset:
                is_list = isinstance(self.workload.arrivals, tuple)
                at = f"workload.arrivals.{index}.start" if is_list else "workload.arrivals.start"
                raise refuse(at, f"the weekday and the time of the scenario's start ({self.start})")
        return self

    def _pools_named(self) -> Iterator[tuple[str, str | None]]:
        """Where the scenario names a pool, and which."""
        for index, task in enumerate(self.workload.tasks or ()):
            yield f"workload.tasks.{index}.pool", task.pool
        if self.workload.trace is not None:
            yield "workload.trace.pool", self.workload.trace.pool
        is_list = isinstance(self.workload.arrivals, tuple)
        for index, block in enumerate(self.workload.blocks):
            yield f"workload.arrivals.{index}.pool" if is_list else "workload.arrivals.pool", block.pool
        for index, fault in enumerate(self.faults):
            if isinstance(fault, PodDeletion | PodOffline | RecordedFaults):
                yield f"faults.{index}.pool", fault.pool
            if isinstance(fault, RecordedFaults):
                for strike in fault.strikes:
                    yield f"faults.{index}.file", getattr(strike, "pool", None)

    @property
    def week_offset(self) -> float:
        """How many seconds after Monday midnight time 0 is: by `start`, or else by the start of a profile."""
        if self.start is not None:
            at = datetime.fromisoformat(self.start)
            return at.weekday() * DAY + at.hour * 3600.0 + at.minute * 60.0 + at.second
        profiles = [block for block in self.workload.blocks if isinstance(block, Profile)]
        return profiles[0].offset() if profiles else 0.0

    @property
    def all_pools(self) -> Mapping[str, PoolSettings]:
        """The pools by name, in the order of the file. A single `pool` is called `default`."""
        return {ONLY_POOL: self.pool} if self.pools is None else self.pools

    def pool_number(self, name: str | None) -> int:
        """Which pool has that *name*, from 0; None stands for the first."""
        return 0 if name is None else list(self.all_pools).index(name)

    @model_validator(mode="after")
    def _whole_fits(self) -> Self:
        if self.warmup != "auto" and self.warmup >= self.horizon:
            raise refuse("warmup", f"less than horizon ({self.horizon:g} s)")
        if self.replications == "enough" and self.precision is not None:
            raise refuse("replications", "a number, as there is a precision, which says when there are enough")
        if self.replications == "enough" and not self.thresholds:
            raise refuse("replications", "a number, as there are no thresholds to be decided")
        for index, fault in enumerate(self.faults):
            every = None if isinstance(fault, RecordedFaults) else fault.every
            if every is not None and self.horizon / mean_of(every) > MOST_STRIKES:
                raise refuse(f"faults.{index}.every", f"at most {MOST_STRIKES} strikes on average up to the horizon")
        for index, freeze in enumerate(self.safeguards.freezes):
            if freeze.every is not None and self.horizon / freeze.every > MOST_FREEZES:
                raise refuse(f"safeguards.freezes.{index}.every", f"at most {MOST_FREEZES} freezes up to the horizon")
        labels: dict[str, int] = {}
        for index, policy in enumerate(self.policies):
            first = labels.setdefault(policy.shown_label, index)
            if first != index:
                raise refuse(f"policies.{index}", f"a label of its own: policies[{first}] has the same")
            most = max(pool.max_pods for pool in self.all_pools.values())
            for number, minimum in enumerate(policy.schedule):
                if minimum.min_pods > most:
                    raise refuse(f"policies.{index}.schedule.{number}.min_pods", f"at most max_pods ({most})")
        return self

    @model_validator(mode="after")
    def _tolerances(self) -> Self:
        for metric, value in self.regression.items():
            try:
                _tolerance(value)
            except PydanticCustomError:
                expected = "a share such as 5%, or a duration such as 3s"
                raise refuse(f"regression/{metric}", expected) from None
        return self

    @property
    def end(self) -> float:
        """When a run ends, in seconds: at the horizon, or after the drain, in which nothing new arrives or strikes."""
        return self.horizon + self.drain

    @property
    def tolerances(self) -> dict[str, Tolerance]:
        """By how much each metric may be larger than in the baseline."""
        return {metric: _tolerance(value) for metric, value in self.regression.items()}

    def read_from(self, document: Document, folder: Path) -> Self:
        """This scenario, knowing the file it was read from. Paths in it are relative to *folder*."""
        scenario = self.model_copy()
        scenario._document = document
        scenario._folder = folder
        return scenario

    def line(self, path: Sequence[str | int]) -> int | None:
        """The line of the scenario's file where *path* is, if it was read from one."""
        return None if self._document is None else self._document.line(path)

    def mistake(self, path: Sequence[str | int], problem: str) -> InputError:
        """The error for a mistake at *path* that only shows when the scenario is used."""
        if self._document is None:
            return InputError(f"scenario {self.name}", dotted(path), problem)
        return InputError(f"{self._document.source}:{self._document.line(path)}", dotted(path), problem)

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """This scenario with some of its fields changed, and checked again. All others stay as they are.

        Args:
            changes: new values by path, such as `seed`, `pool.max_pods`, `pools.infra.max_pods`, `policies[1].keep`, or
                `demand.keep` for the parameter of the policy with that label.

        Raises:
            InputError: there is no such field, or a new value is none that it can have.
        """
        if not isinstance(changes, Mapping):
            raise InputError("", "changes", f"found {type(changes).__name__}, expected a mapping from paths to values")
        if not changes:
            return self
        data: Any = {name: getattr(self, name) for name in self.model_fields_set}
        if any(path not in type(self).model_fields for path in changes):
            data = self.model_dump(exclude_unset=True, exclude_none=True)
        for path, value in changes.items():
            data = changed(data, path, value, type(self).model_fields)
        try:
            found = type(self).model_validate(data)
        except ValidationError as error:
            raise mistake_in(error, data) from None
        found._document, found._folder, found._trace_frame = self._document, self._folder, self._trace_frame
        return found

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The scenario that is written as plain data: what a scenario file says.

        Args:
            data: mappings, lists, texts and numbers. In place of the file of a trace there may be a pandas frame.

        Raises:
            InputError: it is no scenario.
        """
        workload = data.get("workload")
        trace = workload.get("trace") if isinstance(workload, Mapping) else None
        frame = trace.get("file") if isinstance(trace, Mapping) else trace
        if frame is not None and not isinstance(frame, str):
            assert isinstance(workload, Mapping)
            rest = dict(trace) if isinstance(trace, Mapping) else {}
            data = {**data, "workload": {**workload, "trace": {**rest, "file": "a frame"}}}
        try:
            found = cls.model_validate(data)
        except ValidationError as error:
            raise mistake_in(error, data) from None
        if frame is not None and not isinstance(frame, str):
            found._trace_frame = TraceFrame(frame)
        return found

    def with_trace(self, frame: Any) -> Self:
        """This scenario with the tasks in a frame, which has the columns of a trace, in place of its workload.

        Args:
            frame: a pandas frame. `pandas.read_csv` makes one, and so does `sim.read_trace`.
        """
        of_a_file = {"columns", "where"}
        trace = (
            {} if self.workload.trace is None else self.workload.trace.model_dump(exclude_unset=True, exclude=of_a_file)
        )
        found = self.with_changes({"workload": {"trace": {**trace, "file": "a frame"}}})
        found._trace_frame = TraceFrame(frame)
        return found

    @property
    def trace_frame(self) -> TraceFrame | None:
        """The frame that stands in place of the trace's file, if there is one."""
        return self._trace_frame

    @property
    def trace_path(self) -> Path | None:
        """The file of the trace, if there is one."""
        return None if self.workload.trace is None else self._folder / self.workload.trace.file
