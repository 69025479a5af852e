"""Changes to a scenario, named by paths: `pool.max_pods`, `pools.infra.max_pods`, `policies[1].keep`, `demand.keep`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sim.scenario.errors import InputError, shown

_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")


def steps_of(path: str) -> list[str | int]:
    """The steps of a path, names and numbers.

    Raises:
        InputError: it is no path.
    """
    if not isinstance(path, str):
        raise InputError("", "", f"found {shown(path)}, expected the path of a field, such as pool.max_pods")
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        if path[at] == "." and at:
            at += 1
        match = _STEP.match(path, at)
        if match is None:
            raise InputError(
                "", path, "found no path of a field, expected one such as pool.max_pods or policies[0].keep"
            )
        steps.append(match[1] if match[2] is None else int(match[2]))
        at = match.end()
    if not steps:
        raise InputError("", "", "found no path, expected that of a field, such as pool.max_pods")
    return steps


def changed(data: Mapping[str, Any], path: str, value: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario as plain data with the field at *path* changed. What is in *data* stays as it is.

    A path that begins with the label of a policy means that policy's parameter, and one that begins with the name of a
    pool's field, such as `pod_startup`, that field of every pool.

    Args:
        data: the scenario.
        path: of the field.
        value: what it is to be.
        known: the names of a scenario's fields.

    Raises:
        InputError: there is no such field.
    """
    steps = steps_of(path)
    first = steps[0]
    if first == "pool" and data.get("pools") is not None:
        names = ", ".join(map(str, data["pools"]))
        raise InputError(
            "", path, f"found a path into pool, expected pools.<name>, as the scenario has the pools {names}"
        )
    pools = data.get("pools")
    if first == "pools" and len(steps) > 1 and isinstance(pools, Mapping) and steps[1] not in pools:
        raise InputError("", path, f"found the pool {shown(steps[1])}, expected one of: {', '.join(map(str, pools))}")
    if first not in known:
        labels = [policy.get("label") or policy["name"] for policy in map(_as_mapping, data.get("policies") or ())]
        if first not in labels:
            expected = ", ".join([*map(str, known), *labels])
            raise InputError("", path, f"found {shown(first)}, expected it to begin with one of: {expected}")
        steps = ["policies", labels.index(first), *steps[1:]]
        data = {**data, "policies": [_as_mapping(policy) for policy in data["policies"]]}
    found = _with(data, steps, value, path)
    assert isinstance(found, dict)
    return found


def _as_mapping(policy: Any) -> dict[str, Any]:
    return dict(policy) if isinstance(policy, Mapping) else {"name": str(policy)}


def _with(data: Any, steps: list[str | int], value: Any, path: str) -> Any:
    if not steps:
        return value
    step, *rest = steps
    if isinstance(data, list | tuple) and isinstance(step, int):
        if not 0 <= step < len(data):
            raise InputError("", path, f"found the number {step}, expected one from 0 to {len(data) - 1}")
        return [_with(each, rest, value, path) if n == step else each for n, each in enumerate(data)]
    if data is None or (isinstance(data, Mapping) and isinstance(step, str)):
        inner = {} if data is None else dict(data)
        return {**inner, step: _with(inner.get(step) if isinstance(step, str) else None, rest, value, path)}
    raise InputError("", path, f"found {shown(step)} where there is {shown(data)}, expected a field of a mapping")
