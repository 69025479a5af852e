"""The policies there are, by name.

A policy is a frozen dataclass whose fields are its parameters, so the class is all there is to register: its
docstring's first line explains it, its fields say what can be set.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from types import MappingProxyType
from typing import Any

from sim.policies.fixed import Fixed
from sim.policies.old import Old
from sim.policies.static import Static
from sim.policies.view import Policy, PoolView

__all__ = ["POLICIES", "Fixed", "Old", "Policy", "PoolView", "Static", "parameters_of", "summary_of"]

POLICIES: MappingProxyType[str, type[Any]] = MappingProxyType({"old": Old, "fixed": Fixed, "static": Static})
"""Every policy that a scenario can name, by that name."""


def parameters_of(policy: type[Any]) -> dict[str, str]:
    """The parameters of a policy's class: name, and type with default as text."""
    if not is_dataclass(policy):
        return {}
    return {
        field.name: f"{field.type}" if field.default is MISSING else f"{field.type} = {field.default!r}"
        for field in fields(policy)
        if field.init
    }


def summary_of(policy: type[Any]) -> str:
    """The first line of a policy's docstring."""
    return (policy.__doc__ or "").strip().split("\n")[0]
