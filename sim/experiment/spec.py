"""A description of a run, from which every process makes the same record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sim.engine import run as fast
from sim.experiment.named_policies import NamedPolicy
from sim.experiment.time_limited_policy import TimeLimitedPolicy
from sim.model import OwnProcess
from sim.model import run as model
from sim.policies.view import Policy
from sim.runs.errors import PolicyError
from sim.runs.record import Record
from sim.scenario import InputError, Scenario
from sim.traces.recording import recording_of
from sim.world.platform import settings_of
from sim.world.world import World

Implementation: TypeAlias = Literal["simpy", "fast"]
"""Which of the two implementations of the rules makes a run: `sim.model` or `sim.engine`."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run: a policy in one world. It can be pickled and made into a record anywhere.

    `scenario` says how the platform is set up and, with `replication`, which world it meets. `answer_timeout` limits
    the seconds that a policy may take for an answer; that works only in a worker process, see `sim.experiment.worker`.
    `trace_sha256` is the checksum of the scenario's trace, with which a worker checks that the trace has not changed.
    """

    scenario: Scenario
    replication: int
    policy: NamedPolicy
    implementation: Implementation
    processes: tuple[OwnProcess, ...] = ()
    answer_timeout: float | None = None
    trace_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The record of one policy in one replication."""

    label: str
    replication: int
    record: Record


def runs_of(specs: Iterable[RunSpec]) -> Iterator[Run]:
    """Make the runs, one after the other. Consecutive specs of the same world share one drawing of it.

    Raises:
        InputError: a policy raised, or did not answer with a number of pods, or the trace has changed.
    """
    last: tuple[Scenario, int, World] | None = None
    for spec in specs:
        if last is None or last[0] is not spec.scenario or last[1] != spec.replication:
            _expect_same_trace(spec)
            last = (spec.scenario, spec.replication, World(spec.scenario, spec.replication))
        yield Run(spec.policy.label, spec.replication, _record(spec, last[2]))


def _record(spec: RunSpec, world: World) -> Record:
    settings, inputs = settings_of(spec.scenario), world.inputs()
    policies = [_fresh_policy(spec) for _ in settings.pools]
    try:
        if spec.implementation == "fast":
            return fast.simulate(settings, inputs, policies)
        return model.simulate(settings, inputs, policies, spec.processes)
    except PolicyError as error:
        problem = f"{error} (replication {spec.replication})"
        raise InputError(f"policy {spec.policy.label}", "", problem) from error


def _fresh_policy(spec: RunSpec) -> Policy:
    """A copy of the policy for one pool."""
    policy = spec.policy.fresh()
    if spec.answer_timeout is None or spec.policy.is_built_in:
        return policy
    return TimeLimitedPolicy(policy, spec.answer_timeout)


def _expect_same_trace(spec: RunSpec) -> None:
    recording = recording_of(spec.scenario)
    if recording is not None and spec.trace_sha256 not in (None, recording.sha256):
        problem = "found that the trace has changed since the experiment began, expected the same file"
        raise spec.scenario.mistake(("workload", "trace"), problem)
