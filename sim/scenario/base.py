"""What all parts of a scenario have in common: they are frozen, and a key they do not know is an error."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

T = TypeVar("T")


class Part(BaseModel):
    """A part of a scenario file: one mapping."""

    # Deferred: only the whole is validated, so what reads a part alone need not be built.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    known = ", ".join(cls.model_fields)
                    raise PydanticCustomError("unknown_key", "one of: {known}", {"key": key, "known": known})
        return data


def refuse(field: str, problem: str) -> PydanticCustomError:
    """The error for a mistake that only several fields together show; *field* is the one to point at."""
    return PydanticCustomError("together", "{problem}", {"at": field, "problem": problem})


def not_empty(items: T) -> T:
    """*items*, refused if there are none. Pydantic's own check would also speak up when an item is wrong."""
    if not items:
        raise PydanticCustomError("empty", "at least one")
    return items
