"""The one error that bad input raises."""

from __future__ import annotations

from collections.abc import Sequence


class InputError(ValueError):
    """Something a user wrote cannot be simulated.

    Args:
        where: what the mistake is in, usually a file name, with a line number where there is one.
        field: dotted path of the field, e.g. ``pool.max_pods``; empty if the mistake is not in a field.
        problem: what was found and what was expected, in one line.
    """

    def __init__(self, where: str, field: str, problem: str) -> None:
        self.where = where
        self.field = field
        self.problem = problem
        super().__init__(where, field, problem)

    def __str__(self) -> str:
        parts = (part for part in (self.where, self.field, self.problem) if part)
        return " ".join(": ".join(parts).split())


def shown(value: object) -> str:
    """*value* as an error message quotes it: on one line, and never long."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a number of more than 20 digits"
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def dotted(path: Sequence[str | int]) -> str:
    """A path as people write it: ``workload.tasks[3].plan``."""
    text = ""
    for step in path:
        text += f"[{step}]" if type(step) is int else f".{step}" if text else str(step)
    return text
