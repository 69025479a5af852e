"""Where the tasks come from: listed in the scenario, recorded in a file, or generated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from sim.scenario.base import Part, not_empty, refuse
from sim.scenario.distributions import Quantity
from sim.scenario.units import Duration, Period, Rate, Share, known_time, parse_rate, positive, seconds_of
from sim.scenario.weekly import DAY, WEEKDAYS, TimeOfDay, Weekday


def known_start(start: str) -> str:
    """*start*, refused unless it is a weekday and a time of day."""
    day, _, time = start.partition(" ")
    if day not in WEEKDAYS:
        raise PydanticCustomError("start", "a weekday and a time of day such as 'mon 08:00'")
    known_time(time)
    return start


class Geometric(Part):
    """A whole number of at least 1, with the given mean: as many trials as it takes."""

    mean: Annotated[float, Field(ge=1, le=1_000_000)]


TaskType = Literal["plan", "plan_and_apply"]
ExecutionMode = Literal["k8s", "agent", "local"]
PlanResult = Literal["changes", "no_changes", "error"]
Decision = Literal["confirm", "discard"]
ApplyResult = Literal["ok", "error"]
Identifier = int | str
Scalar = int | float | str | bool
Name = Annotated[str, Field(min_length=1, max_length=200)]


def _number_as_name(value: object) -> object:
    return str(value) if type(value) is int else value


def _file_alone(value: object) -> object:
    return {"file": value} if isinstance(value, str) else value


def _rate_or_none(value: object) -> float:
    return 0.0 if value in (0, "0") else parse_rate(value)


class ListedTask(Part):
    """One task, written out. A task without `confirm` is never confirmed."""

    id: Identifier
    type: TaskType
    workspace: Annotated[Name, BeforeValidator(_number_as_name, json_schema_input_type=str | int)]
    arrive: Duration
    plan: Quantity
    confirm: Quantity | None = None
    apply: Quantity | None = None
    pool: str | None = None
    execution_mode: ExecutionMode = "k8s"
    plan_result: PlanResult = "changes"
    decision: Decision = "confirm"
    apply_result: ApplyResult = "ok"
    cancel: Quantity | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type == "plan":
            for field in ("confirm", "apply", "decision", "apply_result"):
                if getattr(self, field) != type(self).model_fields[field].default:
                    raise refuse(field, f"no {field}, as the task is a plan and ends with it")
        elif self.applies and self.apply is None:
            raise refuse("apply", "a duration, as the task is confirmed and then applies")
        return self

    @property
    def applies(self) -> bool:
        """Whether it comes to its apply if nothing goes wrong."""
        return self.confirm is not None and self.decision == "confirm" and self.plan_result == "changes"


class BusyWorkspaces(Part):
    """Workspaces of which some are busier than others: the k-th of `count` is 1 / k ** `skew` as busy as the first."""

    count: Annotated[int, Field(ge=1, le=10_000_000)]
    skew: Annotated[float, Field(ge=0, le=5)]


class Draws(Part):
    """What a task's numbers are drawn from, where nothing else gives them. Each task's numbers are its own.

    `workspaces` is the number of workspaces, each as likely as the others, or `{count: ..., skew: ...}` where some are
    busier (Zipf's law); without it every task has its own. `pool` and `execution_mode` are those of all of the tasks. A
    plan finds nothing to change with `no_changes_probability` and ends with an error with `plan_error_probability`; a
    human discards a plan with `discard_probability`; an apply ends with an error with `apply_error_probability`; with
    `cancel_probability` a task is canceled, `cancel` after its
    arrival.
    """

    workspaces: (
        Annotated[
            Annotated[int, Field(ge=1, le=10_000_000), Tag("number")] | Annotated[BusyWorkspaces, Tag("busy")],
            Discriminator(lambda value: "busy" if isinstance(value, dict | BaseModel) else "number"),
        ]
        | None
    ) = None
    plan_and_apply_share: Share | None = None
    plan: Quantity | None = None
    confirm: Quantity | None = None
    confirm_probability: Share | None = None
    apply: Quantity | None = None
    pool: str | None = None
    execution_mode: ExecutionMode = "k8s"
    no_changes_probability: Share | None = None
    plan_error_probability: Share | None = None
    discard_probability: Share | None = None
    apply_error_probability: Share | None = None
    cancel: Quantity | None = None
    cancel_probability: Share | None = None

    @model_validator(mode="after")
    def _probability_of_something(self) -> Self:
        for probability, of in (
            ("confirm_probability", "confirm"),
            ("discard_probability", "confirm"),
            ("apply_error_probability", "apply"),
        ):
            if getattr(self, probability) is not None and getattr(self, of) is None and not isinstance(self, Trace):
                raise refuse(probability, f"no {probability}, as there is no {of}")
        if self.confirm_probability is not None and self.confirm is None:
            raise refuse("confirm_probability", "no confirm_probability, as there is no confirm")
        if self.cancel_probability is not None and self.cancel is None:
            raise refuse("cancel_probability", "a cancel beside it, which says how long after its arrival")
        if (self.no_changes_probability or 0.0) + (self.plan_error_probability or 0.0) > 1:
            raise refuse("plan_error_probability", "at most 1 together with no_changes_probability")
        return self


TRACE_COLUMNS = (
    "id", "workspace", "pool", "type", "execution_mode", "plan_result", "decision", "apply_result", "arrive", "plan",
    "confirm", "apply", "cancel", "recorded_plan_started", "recorded_plan_ended", "recorded_confirmed",
    "recorded_apply_started", "recorded_apply_ended", "recorded_ended",
)  # fmt: skip
"""The columns of a trace. What begins with `recorded_` says when things really happened, and is not simulated."""

ColumnName = Annotated[str, Field(min_length=1, max_length=1000)]


def _known_zone(name: str) -> str:
    """*name*, refused unless it is a time zone of the IANA database, or an offset such as +02:00."""
    from zoneinfo import ZoneInfo

    if name.upper() in ("UTC", "Z") or re.fullmatch(r"[+-]([01][0-9]|2[0-3]):?[0-5][0-9]", name):
        return name
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise PydanticCustomError("timezone", "the name of a time zone, such as Europe/Berlin, or +02:00") from None
    return name


def _an_hour(seconds: float) -> float:
    if seconds < 3600:
        raise PydanticCustomError("resample", "a block of at least an hour, such as 1d or 7d")
    return seconds


class Trace(Draws):
    """Recorded tasks, in a file or in a frame (see `sim.traces`). A column that they lack is drawn.

    `columns` says which column of the file is what; two columns stand for their difference, the second less the first.
    `where` has the rows to keep, by the values of a column. `timezone` is that of times that do not say theirs. With
    `resample` each replication is put together of blocks of that length, drawn anew from the recording.
    """

    file: Annotated[str, Field(min_length=1)]
    columns: dict[str, ColumnName | Annotated[tuple[ColumnName, ColumnName], Field(strict=False)]] | None = None
    where: dict[str, Scalar | Annotated[tuple[Scalar, ...], Field(strict=False), AfterValidator(not_empty)]] | None = (
        None
    )
    timezone: Annotated[str, AfterValidator(_known_zone)] | None = None
    resample: Annotated[Period, AfterValidator(_an_hour)] | None = None

    @model_validator(mode="after")
    def _known_columns(self) -> Self:
        for name, source in (self.columns or {}).items():
            if name not in TRACE_COLUMNS:
                raise PydanticCustomError(
                    "unknown_key",
                    "one of: {known}",
                    {"key": name, "known": ", ".join(TRACE_COLUMNS), "at": "columns"},
                )
            is_time = name.startswith("recorded_") or name in ("arrive", "plan", "confirm", "apply", "cancel")
            if isinstance(source, tuple) and (not is_time or name == "arrive" or name.startswith("recorded_")):
                raise refuse(f"columns.{name}", "one column, as only a length can be the difference of two")
        if self.columns is not None and "arrive" not in self.columns:
            raise refuse("columns", "arrive among them, the column that says when a task arrived")
        return self


class _Generated(Draws):
    """Generated tasks. At each arrival come `burst` tasks at once: a number, or `{mean: ...}` of a geometric one."""

    plan: Quantity
    burst: Annotated[
        Annotated[int, Field(ge=1, le=1_000_000), Tag("number")] | Annotated[Geometric, Tag("geometric")],
        Discriminator(lambda value: "geometric" if isinstance(value, dict | BaseModel) else "number"),
    ] = 1

    @model_validator(mode="after")
    def _applies_can_run(self) -> Self:
        check_applies(self)
        return self

    @property
    def mean_burst(self) -> float:
        return self.burst if isinstance(self.burst, int) else self.burst.mean


class Poisson(_Generated):
    """Arrivals at random, `rate` of them in time."""

    process: Literal["poisson"]
    rate: Rate


class Deterministic(_Generated):
    """Arrivals 1 / `rate` apart, the first after that long."""

    process: Literal["deterministic"]
    rate: Rate


class Profile(_Generated):
    """Arrivals at random, at a rate that depends on the time of day and the weekday.

    `rates` maps times of day to the rate from then on, until the next; the last holds over midnight. `weekdays` maps
    days to factors by which that day's rates are multiplied. Time 0 of the simulation is `start`.
    """

    process: Literal["profile"]
    rates: Annotated[dict[TimeOfDay, Rate], AfterValidator(not_empty)]
    weekdays: dict[Weekday, Annotated[float, Field(ge=0, le=1e6)]] = Field(default={})
    start: Annotated[str, AfterValidator(known_start)] = "mon 00:00"

    @model_validator(mode="after")
    def _ever(self) -> Self:
        if not any(self.weekdays.get(day, 1.0) > 0 for day in WEEKDAYS):
            raise refuse("weekdays", "a factor above 0 for at least one day")
        return self

    def week(self) -> list[tuple[float, float]]:
        """The rates of a week from Monday midnight on: (seconds from when, events per second), in order."""
        steps = sorted((seconds_of(time), rate) for time, rate in self.rates.items())
        if steps[0][0] > 0:
            steps.insert(0, (0.0, steps[-1][1]))
        return [
            (number * DAY + second, rate * self.weekdays.get(day, 1.0))
            for number, day in enumerate(WEEKDAYS)
            for second, rate in steps
        ]

    def offset(self) -> float:
        """How many seconds after Monday midnight the simulation starts."""
        day, time = self.start.split()
        return [str(each) for each in WEEKDAYS].index(day) * DAY + seconds_of(time)


class Phase(Part):
    """A state of Markov-modulated arrivals: the rate while it lasts, and how long that is on average."""

    rate: Annotated[float, BeforeValidator(_rate_or_none, json_schema_input_type=str | int)]
    mean: Annotated[Duration, AfterValidator(positive)]


class MarkovModulated(_Generated):
    """Arrivals at random, at the rate of the phase that it is in. Phases follow each other, in order and over again,
    and last exponentially long.
    """

    process: Literal["mmpp"]
    phases: Annotated[tuple[Phase, ...], Field(strict=False), AfterValidator(not_empty)]

    @model_validator(mode="after")
    def _ever(self) -> Self:
        if not any(phase.rate > 0 for phase in self.phases):
            raise refuse("phases", "a rate above 0 in at least one of them")
        return self


ArrivalProcess = Annotated[Poisson | Deterministic | Profile | MarkovModulated, Field(discriminator="process")]


def check_applies(draws: Draws) -> None:
    """Refuse *draws* that make tasks of both types without saying how many, or confirm them with nothing to apply."""
    if draws.plan_and_apply_share is None and (draws.confirm is not None or draws.apply is not None):
        raise refuse("plan_and_apply_share", "a share from 0 to 1, as there is a confirm or an apply")
    if draws.plan_and_apply_share and draws.confirm is not None and draws.apply is None:
        raise refuse("apply", "a duration or a distribution, as tasks are confirmed and then apply")


PROBABILITIES_OF = {
    "plan_result": ("no_changes_probability", "plan_error_probability"),
    "decision": ("discard_probability",),
    "apply_result": ("apply_error_probability",),
    "cancel": ("cancel_probability",),
}
"""Which probabilities a column of a trace stands in place of."""


def gaps(trace: Trace, columns: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What *trace* says beside the *columns* of its file that does not fit them: the field, and the problem."""
    gives = {"type": "plan_and_apply_share", "workspace": "workspaces"}
    for column in ("type", "workspace", "plan", "confirm", "apply", "pool", "execution_mode", "cancel"):
        field = gives.get(column, column)
        given = getattr(trace, field) != Trace.model_fields[field].default
        if given and column in columns:
            yield field, f"found a {field}, expected none, as the trace has the column {column}"
        if not given and column not in columns and column in ("type", "plan"):
            yield field, f"found nothing, expected it here, as the trace has no column {column}"
    for column, probabilities in PROBABILITIES_OF.items():
        for field in probabilities if column in columns else ():
            if getattr(trace, field) is not None:
                yield field, f"found a {field}, expected none, as the trace has the column {column}"
    confirmed = "confirm" in columns or trace.confirm is not None
    if confirmed and trace.plan_and_apply_share != 0 and "apply" not in columns and trace.apply is None:
        yield "apply", "found nothing, expected it here, as tasks are confirmed and the trace has no column apply"


class WorkloadSettings(Part):
    """Exactly one of the three."""

    tasks: Annotated[tuple[ListedTask, ...], Field(strict=False), AfterValidator(not_empty)] | None = None
    trace: Annotated[Trace, BeforeValidator(_file_alone, json_schema_input_type=str | Trace)] | None = None
    arrivals: (
        Annotated[
            Annotated[tuple[ArrivalProcess, ...], Field(strict=False), AfterValidator(not_empty), Tag("list")]
            | Annotated[ArrivalProcess, Tag("one")],
            Discriminator(lambda value: "list" if isinstance(value, list | tuple) else "one"),
        ]
        | None
    ) = None

    @property
    def blocks(self) -> tuple[ArrivalProcess, ...]:
        """The blocks of generated arrivals: none, one, or as many as are listed."""
        if self.arrivals is None:
            return ()
        return self.arrivals if isinstance(self.arrivals, tuple) else (self.arrivals,)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in ("tasks", "trace", "arrivals") if getattr(self, name) is not None]
        if len(given) != 1:
            problem = f"exactly one of tasks, trace, arrivals; given: {', '.join(given) or 'none'}"
            raise refuse(given[1] if given else "", problem)
        seen: dict[str, int] = {}
        for index, task in enumerate(self.tasks or ()):
            first = seen.setdefault(str(task.id), index)
            if first != index:
                raise refuse(f"tasks.{index}.id", f"an id of its own: tasks[{first}] has the same")
        return self
