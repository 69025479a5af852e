"""The policies there are, by name.

A policy is a frozen dataclass whose fields are its parameters, so the class is all there is to register: its
docstring's first line explains it, its fields say what can be set.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from sim.policies.fixed import Fixed
from sim.policies.old import Old
from sim.policies.static import Static
from sim.policies.view import Policy, PoolView

__all__ = ["POLICIES", "Fixed", "Old", "Policy", "PoolView", "Static", "parameters_of", "summary_of"]

POLICIES: MappingProxyType[str, type[Any]] = MappingProxyType({"old": Old, "fixed": Fixed, "static": Static})
"""Every policy that a scenario can name, by that name."""


def parameters_of(policy: type[Any]) -> dict[str, str]:
    """The parameters of a policy's class: name, and what it may be with its default, in words."""
    if not is_dataclass(policy):
        return {}
    kinds = get_type_hints(policy)
    words = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    described = {}
    for field in fields(policy):
        if field.init:
            kind = next(
                (words[part] for part in (kinds[field.name], *get_args(kinds[field.name])) if part in words), ""
            )
            default = "" if field.default in (MISSING, None) else f", {field.default} if not given"
            described[field.name] = kind + default
    return described


def summary_of(policy: type[Any]) -> str:
    """The first line of a policy's docstring."""
    return (policy.__doc__ or "").strip().split("\n")[0]
