"""The policies there are, by name: those that come with the package, and those of installed packages.

A policy is a dataclass whose fields are its parameters, so the class is all there is to register: its docstring
explains it, its fields say what can be set. Classes are imported when they are asked for.

A package registers its own as entry points of the group `sim.policies`. The names of ours are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from inspect import cleandoc
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from sim.scenario.units import Duration, Period, Ratio, Share

GROUP = "sim.policies"
"""The group of entry points under which an installed package registers policies."""

BUILT_IN: MappingProxyType[str, str] = MappingProxyType(
    {
        "old": "old:Old",
        "fixed": "fixed:Fixed",
        "landed": "landed:Landed",
        "demand": "demand:Demand",
        "static": "static:Static",
        "hpa": "hpa:Hpa",
        "keda": "keda:Keda",
        "keda-jobs": "keda_jobs:KedaJobs",
        "knative": "knative:Knative",
        "arc": "arc:Arc",
        "arc-busy": "arc_busy:ArcBusy",
        "buildkite": "buildkite:Buildkite",
        "gitlab": "gitlab:Gitlab",
        "hcp-terraform": "hcp_terraform:HcpTerraform",
        "aws-target-tracking": "aws_target_tracking:AwsTargetTracking",
    }
)
"""The policies of this package: module in `sim.policies`, and class."""


def names() -> list[str]:
    """The names of all policies, ours first."""
    return [*BUILT_IN, *(point.name for point in _installed())]


def find(name: str) -> Any:
    """The policy's class (or what an installed package has registered in place of one).

    Raises:
        KeyError: there is none of that name.
        Exception: whatever the import of an installed package's policy raises.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return getattr(import_module(f"sim.policies.{module}"), attribute)
    for point in _installed():
        if point.name == name:
            return point.load()
    raise KeyError(name)


def _installed() -> Iterator[EntryPoint]:
    yield from (point for point in entry_points(group=GROUP) if point.name not in BUILT_IN)


def parameters_of(policy: Any) -> dict[str, str]:
    """The parameters of a policy's class: name, and what it may be with its default, in words."""
    if not is_dataclass(policy):
        return {}
    hints = get_type_hints(policy, include_extras=True)
    return {
        field.name: _in_words(hints[field.name]) + _default(field.default) for field in fields(policy) if field.init
    }


def summary_of(policy: Any) -> str:
    """The first line of a policy's docstring."""
    return explanation_of(policy).split("\n")[0]


def explanation_of(policy: Any) -> str:
    """A policy's docstring."""
    return cleandoc(getattr(policy, "__doc__", None) or "")


def _default(default: object) -> str:
    if default is MISSING:
        return ", required"
    return "" if default is None else f" (default {default})"


_WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
_QUANTITIES = {
    get_args(Period)[1:]: "duration in seconds or with a unit, above 0",
    get_args(Duration)[1:]: "duration in seconds or with a unit",
    get_args(Share)[1:]: "share or percentage",
    get_args(Ratio)[1:]: "number of at least 0, or percentage",
}


def _in_words(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(map(str, get_args(hint)))
    if getattr(hint, "__metadata__", None) is not None:
        for marks, words in _QUANTITIES.items():
            if hint.__metadata__[: len(marks)] == marks:
                return words
        return _in_words(hint.__origin__)
    if get_origin(hint) is list and hasattr(get_args(hint)[0], "__total__"):
        return f"list of mappings with {', '.join(get_type_hints(get_args(hint)[0]))}"
    parts = [part for part in get_args(hint) if part is not type(None)]
    return _WORDS.get(hint, "value") if not parts else ", ".join(dict.fromkeys(map(_in_words, parts)))
