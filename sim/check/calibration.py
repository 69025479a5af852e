"""How long tasks really waited, and how long they wait in the simulation of the same tasks.

The trace says when plans and applies began (`recorded_*`, as `sim import` writes it). The scenario is run once, with
the policy that was in charge, and both kinds of wait are compared: to plan, from the arrival on (with the wait for
earlier tasks of the workspace, which records do not tell apart), and to apply, from the confirmation on.

Two distributions of waits are compared by the mean difference of equally ranked waits (the Wasserstein distance), in
seconds. Which setting could explain the difference is tried by changing one at a time; `fit` changes those that are
named, in turn, until that brings nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from sim.experiment.named_policies import NamedPolicy, named_policies
from sim.experiment.run_experiment import Experiment, run_experiment
from sim.results.result import ExperimentResult
from sim.scenario import InputError, Scenario
from sim.scenario.errors import shown
from sim.traces.fit import frame_of
from sim.traces.load import load_scenario
from sim.traces.recording import Recording, recording_of

if TYPE_CHECKING:
    import pandas as pd

KINDS: Final = {"plan": "to plan, from the arrival", "apply": "to apply, from the confirmation"}

ROUND = (0.0, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0)
CONTINUOUS: Final[Mapping[str, tuple[float, ...]]] = {
    "pod_startup": ROUND,
    "dispatch_retry": ROUND[1:],
    "autoscaler_interval": ROUND[1:],
}
"""Settings that are a time, and the values that are tried to explain a difference, in seconds."""

DENSE: Final = tuple(float(value) for part in (range(31), range(32, 61, 2), range(65, 121, 5), range(150, 601, 30))
                     for value in part)  # fmt: skip
"""The times that are tried to fit such a setting. People choose whole numbers, and a wait depends much on which."""

WHOLE: Final = ("slots_per_pod", "apply_slots", "min_pods", "max_pods")
"""Settings that are a number."""

NO_LOCK: Final = "none"
"""No value of a scenario's `workspace_lock`: every task has a workspace of its own (`sim import --no-lock`)."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "dispatch": ("poll", "notify"),
    "workspace_lock": ("applies", "all"),
    "apply_placement": ("first_slots", "any_slot"),
    "placement": ("first_fit", "spare_apply_slots"),
}
SETTINGS: Final = (*CONTINUOUS, *WHOLE, *CHOICES)
"""The settings that are tried, and that `fit` may name."""

OF_CONTROL: Final = ("dispatch_retry", "autoscaler_interval", "dispatch", "workspace_lock")
"""Those of them that are the server's; the others are a pool's, and are changed in all pools alike."""

ROUNDS: Final = 4
Setting = float | int | str


@dataclass(frozen=True, slots=True)
class Explained:
    """What one setting alone would explain."""

    setting: str
    now: str
    best: Setting
    distance: float
    """What is left of the difference with that value, in seconds."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Recorded and simulated waits of the same tasks.

    `waits` has a row for each task and kind of wait that is known in both: `kind task_id pool asked_at recorded
    simulated`, times in seconds. `unstarted` tasks still waited at the end of the simulation: their simulated wait is
    what they had waited by then. `fitted` is what was found for the settings that were to be fitted.
    """

    policy: str
    waits: pd.DataFrame
    unstarted: int
    distance: float
    explained: tuple[Explained, ...]
    fitted: dict[str, Setting] = field(default_factory=dict)
    distance_fitted: float | None = None
    clock: float = 0.0
    """How many seconds after midnight time 0 is, by the scenario's start."""
    changes: dict[str, Setting] = field(default_factory=dict)
    """The same as paths and values, for `Scenario.with_changes`."""


def calibrate(
    scenario: Scenario | str | Path,
    policy: str | None = None,
    fit: Sequence[str] | str = (),
    explain: bool = True,
    progress: Callable[[int], None] = lambda _: None,
) -> Calibration:
    """Compare the waits that a trace recorded with those of its simulation.

    Args:
        scenario: has a trace that says when tasks really began; a scenario, or its file.
        policy: which was in charge, a label or a name; by default the scenario's first.
        fit: settings to look for, of `SETTINGS`, those of pools for all pools alike.
        explain: whether to try all settings, one at a time.
        progress: called after each run with the number of runs so far.

    Raises:
        InputError: the scenario has no such trace, or there is no such policy or setting.
    """
    fit = [name.strip() for name in fit.split(",")] if isinstance(fit, str) else fit
    if isinstance(scenario, str | Path):
        scenario = load_scenario(scenario)
    if not isinstance(scenario, Scenario):
        raise InputError("", "scenario", f"found {type(scenario).__name__}, expected a scenario or its file")
    for name in fit:
        if "=" in name:
            raise InputError(
                "", "fit", f"found {shown(name)}, expected the name alone: its value is what is looked for"
            )
        if name not in SETTINGS:
            raise InputError("", "fit", f"found {shown(name)}, expected some of: {', '.join(SETTINGS)}")
    trace = scenario.workload.trace
    recording = recording_of(scenario)
    if recording is None or trace is None:
        raise InputError("", "workload", "found no trace, expected one that says when tasks really began")
    if all(np.isnan(recording.recorded.get(f"recorded_{name}_started", np.nan)).all() for name in KINDS):
        expected = "recorded_plan_started or recorded_apply_started, as 'sim import' writes them"
        raise scenario.mistake(
            ("workload", "trace"), f"found a trace that does not say when tasks began, expected {expected}"
        )
    scenario = scenario.with_changes({"replications": 1, "workload.trace.resample": None})
    chosen = named_policies(scenario, None if policy is None else [policy])[0]
    trials = _Trials(scenario, chosen, recording, progress)
    waits, unstarted = trials.waits({})
    clock = scenario.week_offset % 86400
    found = Calibration(
        chosen.label, waits, unstarted, distance_of(waits), trials.explained() if explain else (), clock=clock
    )
    if not fit:
        return found
    fitted, left = trials.fitted(fit)
    changes = {path: value for name, value in fitted.items() if value != NO_LOCK for path in paths(scenario, name)}
    return replace(found, fitted=fitted, distance_fitted=left, changes=changes)


def paths(scenario: Scenario, setting: str) -> list[str]:
    """The paths of a setting: of the server, or of each pool."""
    if setting in OF_CONTROL:
        return [f"control.{setting}"]
    if scenario.pools is None:
        return [f"pool.{setting}"]
    return [f"pools.{name}.{setting}" for name in scenario.pools]


def distance_of(waits: pd.DataFrame) -> float:
    """The mean difference in seconds of equally ranked waits, over the kinds of wait by how many tasks have them."""
    total, tasks = 0.0, 0
    for _, part in waits.groupby("kind"):
        recorded, simulated = (np.sort(part[name].to_numpy()) for name in ("recorded", "simulated"))
        total += float(np.abs(recorded - simulated).sum())
        tasks += len(part)
    return total / tasks if tasks else 0.0


class _Trials:
    """Runs of the scenario with changed settings, each made once."""

    def __init__(
        self, scenario: Scenario, policy: NamedPolicy, recording: Recording, progress: Callable[[int], None]
    ) -> None:
        self._scenario = scenario
        self._policy = policy
        self._recording = recording
        self._progress = progress
        self._distances: dict[tuple[tuple[str, Setting], ...], float] = {}

    def waits(self, settings: Mapping[str, Setting]) -> tuple[pd.DataFrame, int]:
        """The waits of both kinds with changed settings, and how many tasks still waited at the end."""
        import pandas as pd

        locks = settings.get("workspace_lock") != NO_LOCK
        changes = {
            path: value for name, value in settings.items() if value != NO_LOCK for path in paths(self._scenario, name)
        }
        scenario = (self._scenario if locks else self._without_locks()).with_changes(changes)
        experiment = Experiment(scenario, (self._policy,))
        tasks = ExperimentResult(experiment, run_experiment(experiment)).tasks
        recorded = self._recording
        arrive = recorded.columns["arrive"]
        there = arrive < scenario.horizon
        size = int(there.sum())
        nothing = np.full(len(recorded), np.nan)
        began = {
            name: recorded.recorded.get(f"recorded_{name}", nothing)[there]
            for name in ("plan_started", "confirmed", "apply_started")
        }
        names = tasks.task_id.to_numpy()
        parts, unstarted = [], 0
        for kind, asked, simulated_from in (
            ("plan", arrive[there], tasks.arrived_at),
            ("apply", began["confirmed"], tasks.confirmed_at),
        ):
            real = began[f"{kind}_started"] - asked
            start = tasks[f"{kind}_started_at"].to_numpy()
            until = np.fmin(np.where(np.isnan(start), tasks.ended_at.fillna(scenario.end), start), scenario.end)
            simulated = until - simulated_from.to_numpy()
            known = ~np.isnan(real) & ~np.isnan(simulated)
            unstarted += int((known & np.isnan(start) & tasks.ended_at.isna().to_numpy()).sum())
            parts.append(
                pd.DataFrame(
                    {
                        "kind": np.full(size, kind, dtype=object),
                        "task_id": names,
                        "pool": tasks.pool.to_numpy(),
                        "asked_at": asked,
                        "recorded": real,
                        "simulated": simulated,
                    }
                )[known]
            )
        return pd.concat(parts, ignore_index=True), unstarted

    def _without_locks(self) -> Scenario:
        """The scenario with the same tasks, each of which has a workspace of its own."""
        frame = frame_of(self._recording)
        return self._scenario.with_trace(frame.drop(columns="workspace", errors="ignore"))

    def distance(self, settings: Mapping[str, Setting]) -> float:
        """The distance with changed settings; infinite where they do not fit together."""
        key = tuple(sorted(settings.items()))
        if key not in self._distances:
            try:
                self._distances[key] = distance_of(self.waits(settings)[0])
            except InputError:
                self._distances[key] = float("inf")
            self._progress(len(self._distances))
        return self._distances[key]

    def now(self, setting: str) -> Setting | None:
        """What the setting is in the scenario, in the first pool; None if it is a distribution."""
        pool = next(iter(self._scenario.all_pools.values()))
        value = getattr(self._scenario.control if setting in OF_CONTROL else pool, setting)
        return value if isinstance(value, int | float | str) else None

    def _now_in_words(self, setting: str) -> str:
        """What the setting is, in all pools."""
        of = [self._scenario.control] if setting in OF_CONTROL else list(self._scenario.all_pools.values())
        values = [getattr(each, setting) for each in of]
        words = [_text(value) if isinstance(value, int | float | str) else "a distribution" for value in values]
        return ", ".join(dict.fromkeys(words))

    def values(self, setting: str, given: Setting | None, explaining: bool = False) -> list[Setting]:
        """The values to try; with *explaining* also one that no scenario can have."""
        if setting in CHOICES:
            return [*CHOICES[setting], *([NO_LOCK] if explaining and setting == "workspace_lock" else [])]
        if setting in CONTINUOUS:
            return list(CONTINUOUS[setting])
        about = int(given) if isinstance(given, int | float) else 1
        near = {about + step for step in (-2, -1, 1, 2)} | {about // 2, about * 2}
        return sorted(value for value in near if value >= (0 if setting.endswith("_pods") else 1))

    def explained(self) -> tuple[Explained, ...]:
        """What each setting alone would explain, the most first."""
        found = []
        for setting in SETTINGS:
            now = self.now(setting)
            best = min(self.values(setting, now, explaining=True), key=lambda value: self.distance({setting: value}))
            left = self.distance({setting: best})
            if np.isfinite(left):
                found.append(Explained(setting, self._now_in_words(setting), best, left))
        return tuple(sorted(found, key=lambda each: each.distance))

    def fitted(self, names: Sequence[str]) -> tuple[dict[str, Setting], float]:
        """The values of these settings with which the simulation is most like the recording, and what is left."""
        settings: dict[str, Setting] = {}
        best = self.distance({})
        for _ in range(ROUNDS):
            before = best
            for name in names:
                settings, best = self._improved(settings, name, best)
            if best >= before * 0.999:
                break
        for name in names:
            settings, best = self._refined(settings, name, best)
        return {name: settings.get(name, self._known(name)) for name in names}, best

    def _known(self, name: str) -> Setting:
        now = self.now(name)
        return 0.0 if now is None else now

    def _improved(self, settings: dict[str, Setting], name: str, best: float) -> tuple[dict[str, Setting], float]:
        """The settings with a better value of one of them, if there is one."""

        def left(value: Setting) -> float:
            return self.distance({**settings, name: value})

        given = settings.get(name, self.now(name))
        values: list[Setting] = self.values(name, given)
        if name in CONTINUOUS:
            values = [value for value in DENSE if value >= float(CONTINUOUS[name][0])]
        value = min(values, key=left)
        return ({**settings, name: value}, left(value)) if left(value) < best else (settings, best)

    def _refined(self, settings: dict[str, Setting], name: str, best: float) -> tuple[dict[str, Setting], float]:
        """The settings with a time that is better still, between the neighbours of the one that was found."""
        value = settings.get(name)
        if name not in CONTINUOUS or value not in DENSE or best < 1e-6:
            return settings, best
        at = DENSE.index(float(value))
        low, high = DENSE[max(at - 1, 0)], DENSE[min(at + 1, len(DENSE) - 1)]
        between = [float(f"{each:.3g}") for each in np.linspace(low, high, 9)]
        closer = min(between, key=lambda each: self.distance({**settings, name: each}))
        left = self.distance({**settings, name: closer})
        return ({**settings, name: closer}, left) if left < 0.99 * best else (settings, best)


def _text(value: Setting) -> str:
    return f"{value:g}" if isinstance(value, int | float) else value
