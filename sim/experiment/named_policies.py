"""Which policies run: from the names in a scenario, on a command line or handed over in Python, to policies."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sim.policies import Policy, registry
from sim.policies.scheduled import Scheduled
from sim.scenario import InputError, PolicyChoice, Scenario
from sim.scenario.errors import shown
from sim.scenario.reading.error_messages import describe
from sim.scenario.weekly import ScheduledMinimum


@dataclass(frozen=True)
class NamedPolicy:
    """A policy under the label that its results go by. `name` is what a scenario file could call it, if it could."""

    label: str
    policy: Policy
    name: str

    @property
    def is_built_in(self) -> bool:
        """Whether it comes with this package."""
        return type(self._asked).__module__.startswith("sim.policies.")

    @property
    def _asked(self) -> Any:
        """The policy itself, without its schedule."""
        return self.policy.policy if isinstance(self.policy, Scheduled) else self.policy

    @property
    def description(self) -> dict[str, Any]:
        """The policy as a scenario file would name it: name, label, and the parameters that it has, as plain data.

        The parameters of a class that is no dataclass are not known.
        """
        policy: Any = self._asked
        names = [field.name for field in fields(policy) if field.init] if is_dataclass(policy) else []
        values = {name: getattr(policy, name) for name in names}
        plain = {n: v if isinstance(v, str | int | float) else str(v) for n, v in values.items() if v is not None}
        schedule = {"schedule": str(self.policy.minimums)} if isinstance(self.policy, Scheduled) else {}
        return {"name": self.name, "label": self.label, **plain, **schedule}

    def fresh(self) -> Policy:
        """A copy for one run, so that what one run remembers no other knows.

        Raises:
            InputError: it cannot be copied.
        """
        try:
            policy = deepcopy(self.policy)
            bool(getattr(policy, "stateless", False))  # It may be a property that raises.
            return policy
        except (Exception, SystemExit) as error:
            raise InputError(f"policy {self.label}", "", f"cannot be copied for a run ({_text(error)})") from None


def named_policies(
    scenario: Scenario, policies: Sequence[str | Policy | type[Any]] | None = None, allow_plugins: bool = False
) -> tuple[NamedPolicy, ...]:
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
    labels = [named.label for named in found]
    for label in labels:
        if labels.count(label) > 1:
            raise InputError("", "policies", f"found two labelled {shown(label)}, expected a label for each")
    return tuple(found)


def _given(policy: str | Policy | type[Any], scenario: Scenario, allow_plugins: bool) -> NamedPolicy:
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
    kind = type(made)
    return NamedPolicy(
        str(label), _checked(made, str(label)), _known_name(kind) or f"{kind.__module__}:{kind.__qualname__}"
    )


def _chosen(
    choice: PolicyChoice, scenario: Scenario | None, path: tuple[str | int, ...], allow_plugins: bool
) -> NamedPolicy:
    def mistake(problem: str, *further: str | int) -> InputError:
        if scenario is None:
            return InputError("", "policy", problem)
        return scenario.mistake((*path, *further), problem)

    try:
        factory = _factory(choice.name, allow_plugins)
        made = _checked(_made(factory, choice.parameters, choice.name), choice.name)
        return NamedPolicy(choice.shown_label, _scheduled(made, choice.schedule), choice.name)
    except _BadParameterError as error:
        raise mistake(str(error), *error.path) from None
    except InputError as error:
        raise mistake(error.problem) from None


def _scheduled(policy: Policy, schedule: Sequence[ScheduledMinimum]) -> Policy:
    if not schedule:
        return policy
    return Scheduled(policy, tuple((begin, end, part.min_pods) for part in schedule for begin, end in part.spans()))


def _known_name(kind: type[Any]) -> str | None:
    """What a scenario file calls a policy of that class, if it is one of this package's."""
    for name, place in registry.BUILT_IN.items():
        module, _, attribute = place.partition(":")
        if (kind.__module__, kind.__qualname__) == (f"sim.policies.{module}", attribute):
            return name
    return None


class _BadParameterError(Exception):
    """A parameter is not as the policy wants it. *path* is where in the policy's mapping it stands."""

    def __init__(self, path: tuple[str | int, ...], problem: str) -> None:
        super().__init__(problem)
        self.path = path


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
                raise _BadParameterError((parameter,), f"found a parameter {name} does not have, expected {expected}")
        try:
            kinds = get_type_hints(factory, include_extras=True)
        except Exception as error:
            raise InputError("", "", f"found {shown(name)}, which cannot be made ({_text(error)})") from None
        for parameter, value in parameters.items():
            try:
                reader = TypeAdapter(kinds[parameter], config=ConfigDict(allow_inf_nan=False))
                parameters[parameter] = reader.validate_python(value, strict=True)
            except ValidationError as error:
                detail = error.errors(include_url=False)[0]
                raise _BadParameterError((parameter, *detail["loc"]), describe(detail)) from None
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
