"""What goes wrong, and when: the faults of a scenario (model.md, 4)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from sim.scenario.base import Part, refuse
from sim.scenario.distributions import Quantity, mean_of

NamedTarget = Literal["any", "reserved", "running", "idle", "random"]

Target = Annotated[
    Annotated[int, Field(ge=0), Tag("number")] | Annotated[NamedTarget, Tag("name")],
    Discriminator(lambda value: "number" if isinstance(value, int | float) else "name"),
]
"""Which pod: its number, counted from 0 in the order pods were made, or a description of it."""


class _Fault(Part):
    """Strikes once, `at` a time, or again and again, `every` so often."""

    at: Quantity | None = None
    every: Quantity | None = None

    @model_validator(mode="after")
    def _once_or_again(self) -> Self:
        if (self.at is None) == (self.every is None):
            found = "neither" if self.at is None else "both"
            raise refuse("kind", f"exactly one of at and every; given: {found}")
        if self.every is not None and mean_of(self.every) < 0.001:
            raise refuse("every", "a duration of at least 0.001 s on average")
        return self


class PodDeletion(_Fault):
    """The pod is gone, and what ran on it has failed."""

    kind: Literal["pod_deletion"]
    target: Target
    pool: str | None = None


class PodOffline(_Fault):
    """The pod's agent falls silent for `duration`; for good if there is none."""

    kind: Literal["pod_offline"]
    target: Target
    pool: str | None = None
    duration: Quantity | None = None


ReconcileAfter = Annotated[
    Annotated[Literal["never"], Tag("never")] | Annotated[Quantity, Tag("after")],
    Discriminator(lambda value: "never" if value == "never" else "after"),
]


class ServerRestart(_Fault):
    """The server is down for `downtime`, and has forgotten which slots are reserved when it is up again."""

    kind: Literal["server_restart"]
    downtime: Quantity = 0.0
    reconcile_after: ReconcileAfter = 0.0
    running_tasks: Literal["survive", "fail"] = "survive"


class ConfigChange(_Fault):
    """The configuration of pods has changed: pods that are there are replaced, each once its slots are all idle."""

    kind: Literal["config_change"]


OneFault = Annotated[PodDeletion | PodOffline | ServerRestart | ConfigChange, Field(discriminator="kind")]
"""One fault that is written out."""
