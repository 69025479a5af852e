"""Faults from a recording of what went wrong in a real system (model.md, 4)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from sim.scenario.base import Part, refuse
from sim.scenario.errors import InputError, shown
from sim.scenario.faults import OneFault, ReconcileAfter, Target
from sim.scenario.reading.csv_file import read_rows
from sim.scenario.units import Duration, parse_duration

Kind = Literal["pod_deletion", "pod_offline", "server_restart", "config_change"]


class RecordedFaults(Part):
    """What went wrong in a real system: the CSV file `file` has a row for each strike.

    Its columns are `at` and `kind`, and for faults of pods `pod` (a number) or `target`, `pool` and `duration`; for a
    restart of the server `duration` is its downtime. What a row does not say is as it is said here, or else as a fault
    has it that is written out.
    """

    file: Annotated[str, Field(min_length=1)]
    kind: Kind | None = None
    target: Target | None = None
    pool: str | None = None
    duration: Duration | None = None
    reconcile_after: ReconcileAfter = 0.0
    running_tasks: Literal["survive", "fail"] = "survive"
    strikes: Annotated[tuple[OneFault, ...], Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any, info: ValidationInfo) -> Any:
        """Take the strikes from the file, relative to the folder that the validation context names."""
        if not isinstance(data, dict) or "file" not in data:
            return data
        if "strikes" in data:  # A scenario as it was resolved has them. A file cannot: it would hide what it names.
            if info.context is not None:
                known = ", ".join(name for name in cls.model_fields if name != "strikes")
                raise PydanticCustomError("unknown_key", "one of: {known}", {"key": "strikes", "known": known})
            return data
        folder = (info.context or {}).get("folder", Path())
        try:
            path = folder / str(data["file"])
            rows = read_rows(path)
            if not rows or "at" not in rows[0][1]:
                found = "no rows" if not rows else f"the columns {shown(', '.join(rows[0][1]))}"
                raise InputError(str(path), "", f"found {found}, expected a fault in each row, with a column at")
            strikes = [_strike(data, row, where) for where, row in rows]
        except InputError as error:
            raise refuse("file", f"a CSV file with a fault in each row; {error}") from None
        return {**data, "strikes": tuple(sorted(strikes, key=lambda strike: float(strike["at"])))}


_COLUMNS: Final = ("at", "kind", "pod", "target", "pool", "duration")


def _strike(defaults: dict[str, Any], row: dict[str, str], where: str) -> dict[str, Any]:
    """The fault that a *row* of a recording describes, as a scenario would have it written out."""
    for column in row:
        if column not in _COLUMNS:
            raise InputError(where, column, f"found the unknown column {shown(column)}, expected {', '.join(_COLUMNS)}")
    given = {name: cell for name, cell in row.items() if cell}
    kind = given.get("kind", defaults.get("kind"))
    if "pod" in given and not (given["pod"].isascii() and given["pod"].isdecimal()):
        raise InputError(where, "pod", f"found {shown(given['pod'])}, expected the number of a pod, such as 0")
    if "pod" in given and "target" in given:
        raise InputError(where, "target", f"found {shown(given['target'])}, expected none, as the row has a pod")
    target: Any = given.get("pod") or given.get("target") or defaults.get("target")
    strike: dict[str, Any] = {"kind": kind, "at": _seconds(given.get("at", ""), where, "at")}
    duration: Any = given.get("duration", defaults.get("duration"))
    if duration is not None:
        duration = _seconds(duration, where, "duration")
    if kind in ("pod_deletion", "pod_offline"):
        strike["target"] = int(target) if isinstance(target, str) and target.isdecimal() else target
        strike["pool"] = given.get("pool", defaults.get("pool"))
    if kind == "pod_offline":
        strike["duration"] = duration
    if kind == "server_restart":
        strike |= {name: defaults[name] for name in ("reconcile_after", "running_tasks") if name in defaults}
        strike["downtime"] = duration or 0.0
    try:
        TypeAdapter(OneFault).validate_python(strike)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        column = (
            "kind"
            if detail["type"].startswith("union_tag")
            else next(str(step) for step in detail["loc"] if step in strike)
        )
        expected = f"one of {', '.join(get_args(Kind))}" if column == "kind" else f"what {kind} has there"
        found = shown(row[column]) if row.get(column) else f"{shown(defaults.get(column))}, said beside the file"
        raise InputError(where, column, f"found {found}, expected {expected}") from None
    return strike


def _seconds(cell: object, where: str, column: str) -> float:
    try:
        number = float(cell) if isinstance(cell, str) and re.fullmatch(r"[0-9.eE+-]+", cell) else cell
        return parse_duration(number)
    except (PydanticCustomError, ValueError):
        expected = "seconds, or a duration such as 30s"
        raise InputError(where, column, f"found {shown(cell)}, expected {expected}") from None


def _how(value: object) -> str:
    """How a fault is given: by a file, or else by its kind."""
    if isinstance(value, RecordedFaults) or (isinstance(value, dict) and "file" in value):
        return "recorded"
    return "one"


Fault = Annotated[Annotated[RecordedFaults, Tag("recorded")] | Annotated[OneFault, Tag("one")], Discriminator(_how)]
"""One fault, or a recording of many."""
