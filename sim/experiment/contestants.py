"""Which policies run: from the names in a scenario, on a command line or handed over in Python, to policies."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sim.experiment.guard import Guarded
from sim.policies import Policy, registry
from sim.scenario import InputError, PolicyChoice, Scenario
from sim.scenario.errors import shown
from sim.scenario.mistakes import describe


@dataclass(frozen=True)
class Contestant:
    """A policy under the label that its results go by."""

    label: str
    policy: Policy

    def fresh(self) -> Policy:
        """A copy for one run, so that what one run remembers no other knows.

        Raises:
            InputError: it cannot be copied.
        """
        try:
            policy = deepcopy(self.policy)
            return policy if type(policy).__module__.startswith("sim.policies.") else Guarded(policy)
        except (Exception, SystemExit) as error:
            raise InputError(f"policy {self.label}", "", f"cannot be copied for a run ({_text(error)})") from None


def contestants(
    scenario: Scenario, policies: Sequence[str | Policy | type[Any]] | None = None, allow_plugins: bool = False
) -> tuple[Contestant, ...]:
    """The policies to run on *scenario*, the first of them being what the others are compared with.

    Args:
        scenario: names policies, with labels and parameters.
        policies: in place of the scenario's: labels of those, names, or policies themselves (an object with the
            method `desired_pods`, or a class that makes one without arguments).
        allow_plugins: whether a name such as ``package.module:Class`` may be imported.

    Raises:
        InputError: there is no such policy, it does not take such parameters, or two have one label.
    """
    if policies is None:
        found = [
            _chosen(choice, scenario, ("policies", index), allow_plugins)
            for index, choice in enumerate(scenario.policies)
        ]
    else:
        found = [_given(policy, scenario, allow_plugins) for policy in policies]
    if not found:
        raise InputError("", "policies", "found none, expected at least one")
    labels = [contestant.label for contestant in found]
    for label in labels:
        if labels.count(label) > 1:
            raise InputError("", "policies", f"found two labelled {shown(label)}, expected a label for each")
    return tuple(found)


def _given(policy: str | Policy | type[Any], scenario: Scenario, allow_plugins: bool) -> Contestant:
    if isinstance(policy, str):
        for index, choice in enumerate(scenario.policies):
            if choice.shown_label == policy:
                return _chosen(choice, scenario, ("policies", index), allow_plugins)
        try:
            choice = PolicyChoice(name=policy)
        except ValidationError as error:
            raise InputError("", "policy", describe(error.errors(include_url=False)[0])) from None
        return _chosen(choice, None, ("policy",), allow_plugins)
    label = getattr(policy, "label", None) or getattr(policy, "__name__", None) or type(policy).__name__
    made = _made(policy, {}, str(label)) if isinstance(policy, type) else policy
    return Contestant(str(label), _checked(made, str(label)))


def _chosen(
    choice: PolicyChoice, scenario: Scenario | None, path: tuple[str | int, ...], allow_plugins: bool
) -> Contestant:
    def mistake(problem: str, *further: str | int) -> InputError:
        if scenario is None:
            return InputError("", "policy", problem)
        return scenario.mistake((*path, *further), problem)

    try:
        factory = _factory(choice.name, allow_plugins)
        return Contestant(choice.shown_label, _checked(_made(factory, choice.parameters, choice.name), choice.name))
    except _BadParameterError as error:
        raise mistake(str(error), error.parameter) from None
    except InputError as error:
        raise mistake(error.problem) from None


class _BadParameterError(Exception):
    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(problem)
        self.parameter = parameter


def _factory(name: str, allow_plugins: bool) -> Any:
    if ":" not in name:
        try:
            return registry.find(name)
        except KeyError:
            problem = f"found the policy {shown(name)}, expected one of: {_names(registry.names())}"
            raise InputError("", "", problem) from None
        except (Exception, SystemExit) as error:
            raise InputError("", "", f"found {shown(name)}, which cannot be loaded ({_text(error)})") from None
    if not allow_plugins:
        raise InputError("", "", f"found {shown(name)}, expected --allow-plugins on the command line to load it")
    module_name, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (Exception, SystemExit) as error:
        raise InputError("", "", f"found {shown(name)}, which cannot be loaded ({_text(error)})") from None


def _made(factory: Any, parameters: dict[str, Any], name: str) -> Any:
    if is_dataclass(factory) and isinstance(factory, type):
        known = [field.name for field in fields(factory) if field.init]
        for parameter in parameters:
            if parameter not in known:
                expected = f"one of: {_names(known)}" if known else "none, as it has no parameters"
                raise _BadParameterError(parameter, f"found a parameter {name} does not have, expected {expected}")
        try:
            kinds = get_type_hints(factory, include_extras=True)
        except Exception as error:
            raise InputError("", "", f"found {shown(name)}, which cannot be made ({_text(error)})") from None
        for parameter, value in parameters.items():
            try:
                reader = TypeAdapter(kinds[parameter], config=ConfigDict(allow_inf_nan=False))
                parameters[parameter] = reader.validate_python(value, strict=True)
            except ValidationError as error:
                raise _BadParameterError(parameter, describe(error.errors(include_url=False)[0])) from None
    try:
        return factory(**parameters)
    except (Exception, SystemExit) as error:
        raise InputError("", "", f"found {shown(name)}, which cannot be made ({_text(error)})") from None


def _checked(policy: Any, name: str) -> Policy:
    if not isinstance(policy, Policy) or not callable(policy.desired_pods):
        raise InputError("", "", f"found {shown(name)}, expected a policy: an object with the method desired_pods")
    return policy


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)


def _text(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
