"""Where the tasks come from: listed in the scenario, recorded in a file, or generated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sim.scenario.base import Part, not_empty, refuse
from sim.scenario.distributions import Quantity
from sim.scenario.units import Duration, Rate, Share

TaskType = Literal["plan", "plan_and_apply"]
Identifier = int | str
Name = Annotated[str, Field(min_length=1, max_length=200)]


class ListedTask(Part):
    """One task, written out. A task without `confirm` is never confirmed."""

    id: Identifier
    type: TaskType
    workspace: Annotated[Name, BeforeValidator(lambda value: str(value) if type(value) is int else value)]
    arrive: Duration
    plan: Quantity
    confirm: Quantity | None = None
    apply: Quantity | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type == "plan":
            for field in ("confirm", "apply"):
                if getattr(self, field) is not None:
                    raise refuse(field, f"no {field}, as the task is a plan and ends with it")
        elif self.confirm is not None and self.apply is None:
            raise refuse("apply", "a duration, as the task is confirmed and then applies")
        return self


class Draws(Part):
    """What a task's numbers are drawn from, where nothing else gives them. Each task's numbers are its own.

    `workspaces` is the number of workspaces, each as likely as the others; without it every task has its own.
    """

    workspaces: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    plan_and_apply_share: Share | None = None
    plan: Quantity | None = None
    confirm: Quantity | None = None
    confirm_probability: Share | None = None
    apply: Quantity | None = None

    @model_validator(mode="after")
    def _probability_of_something(self) -> Self:
        if self.confirm_probability is not None and self.confirm is None:
            raise refuse("confirm_probability", "no confirm_probability, as there is no confirm")
        return self


class Trace(Draws):
    """Recorded tasks: a CSV or Parquet file with the columns of a listed task and times in seconds, or a `.dat` file
    of arrivals and durations (see `sim.scenario.trace`). A column the file lacks is drawn.
    """

    file: Annotated[str, Field(min_length=1)]


class Arrivals(Draws):
    """Generated tasks."""

    process: Literal["poisson", "deterministic"]
    rate: Rate
    plan: Quantity

    @model_validator(mode="after")
    def _applies_can_run(self) -> Self:
        check_applies(self)
        return self


def check_applies(draws: Draws) -> None:
    """Refuse *draws* that make tasks of both types without saying how many, or confirm them with nothing to apply."""
    if draws.plan_and_apply_share is None and (draws.confirm is not None or draws.apply is not None):
        raise refuse("plan_and_apply_share", "a share from 0 to 1, as there is a confirm or an apply")
    if draws.plan_and_apply_share and draws.confirm is not None and draws.apply is None:
        raise refuse("apply", "a duration or a distribution, as tasks are confirmed and then apply")


def gaps(trace: Trace, columns: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What *trace* says beside the *columns* of its file that does not fit them: the field, and the problem."""
    gives = {"type": "plan_and_apply_share", "workspace": "workspaces"}
    for column in ("type", "workspace", "plan", "confirm", "apply"):
        field = gives.get(column, column)
        given = getattr(trace, field) is not None
        if given and column in columns:
            yield field, f"found a {field}, expected none, as the trace has the column {column}"
        if not given and column not in columns and column in ("type", "plan"):
            yield field, f"found nothing, expected it here, as the trace has no column {column}"
    confirmed = "confirm" in columns or trace.confirm is not None
    if confirmed and trace.plan_and_apply_share != 0 and "apply" not in columns and trace.apply is None:
        yield "apply", "found nothing, expected it here, as tasks are confirmed and the trace has no column apply"


class Workload(Part):
    """Exactly one of the three."""

    tasks: Annotated[tuple[ListedTask, ...], Field(strict=False), AfterValidator(not_empty)] | None = None
    trace: Annotated[Trace, BeforeValidator(lambda v: {"file": v} if isinstance(v, str) else v)] | None = None
    arrivals: Arrivals | None = None

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
