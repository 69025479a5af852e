"""Asking a policy for its answer, and refusing answers that are not numbers of pods."""

from __future__ import annotations

from math import isnan, nan
from numbers import Real
from operator import index

from sim.policies.view import Policy, PoolView
from sim.runs.errors import PolicyError


def answer_of(policy: Policy, view: PoolView) -> int:
    """The number of pods that *policy* wants when it is shown *view*.

    Raises:
        PolicyError: it raised, or its answer is not a whole number of at least 0, or it has an `unchanged_until` that
            is not a time.
    """
    try:
        answer = policy.desired_pods(view)
    except (Exception, SystemExit, GeneratorExit) as error:
        found = _in_words(error)
        raise PolicyError(f"at {view.time:g} s it raised {found}, expected a number of pods") from error
    if type(answer) is int and answer >= 0:
        return answer
    try:
        desired = None if isinstance(answer, bool) else index(answer)
    except Exception:
        desired = None
    if desired is None or desired < 0:
        found = _in_words(answer)
        raise PolicyError(f"at {view.time:g} s it answered {found}, expected a whole number of at least 0")
    return desired


def unchanged_until(policy: Policy, now: float) -> float:
    """Up to when *policy*, which answered at the time *now*, says that its answer is unchanged; times in seconds.

    A policy that says nothing of it answers anew at every tick: 0 is returned.

    Raises:
        PolicyError: it is not a time.
    """
    try:
        given = getattr(policy, "unchanged_until", 0.0)
        until = float(given) if isinstance(given, Real) else nan
    except (Exception, SystemExit, GeneratorExit) as error:
        if isinstance(error, OverflowError):
            until = nan
        else:
            raise PolicyError(f"at {now:g} s it raised {_in_words(error)}, expected a number of pods") from error
    if isnan(until):
        problem = f"it said that its answer is unchanged until {_in_words(given)}, expected a time in seconds"
        raise PolicyError(f"at {now:g} s {problem}")
    return until


def _in_words(found: object) -> str:
    """What a policy answered or raised, on one short line; it may be something that cannot even be printed."""
    try:
        if isinstance(found, BaseException):
            words = f"{type(found).__name__}: {found}" if str(found) else type(found).__name__
        else:
            words = repr(found)
    except Exception:
        words = f"something of type {type(found).__name__}"
    return words if len(words) <= 200 else words[:197] + "..."
