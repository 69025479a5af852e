"""A search for the best settings in ranges of them.

Optuna proposes points (TPE: Bergstra et al., 2011, "Algorithms for hyper-parameter optimization"), each of which is run
in the same worlds. Its trials are kept in a file, trial by trial. The proposal after n trials depends on these trials
and on n alone, so that a search that was killed and goes on proposes what it would have proposed.

The best of many noisy figures is better than the truth, because the noise was in its favour too. So the winner is run
again in worlds that the search has not seen, and the scenario's own settings beside it in both: by how much the winner
is better than these, there and here, does not depend on which worlds are the harder ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sim.experiment.choose import Constraint
from sim.experiment.points import Axis, Point
from sim.experiment.sweep import PointFigures, Sweep, run_points
from sim.scenario import InputError
from sim.scenario.errors import shown

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

FRESH: Final = 1_000_003
"""What is added to the seed for worlds that the search has not seen."""

_LIMITED, _POINT = "limited", "point"


@dataclass(frozen=True, slots=True)
class Tried:
    """A point that was tried: its settings, the figure to minimise, and the figures that are limited."""

    point: Point
    figure: float
    limited: tuple[float, ...]
    feasible: bool


@dataclass(frozen=True, slots=True)
class Tuned:
    """The outcome of a search: all that was tried, the best first; and the best in fresh worlds.

    `given` and `given_fresh` are the scenario's own settings in the worlds of the search and in the fresh ones.
    """

    tried: tuple[Tried, ...]
    fresh: Tried
    given: Tried
    given_fresh: Tried


def tune(
    sweep: Sweep,
    axes: Sequence[Axis],
    minimize: str,
    constraints: Sequence[Constraint],
    trials: int,
    journal: Path,
    progress: Callable[[int, int], None] = lambda done, of: None,
    is_over: Callable[[], bool] = lambda: False,
) -> Tuned:
    """Look for the point with the smallest *minimize* that keeps within the constraints.

    Args:
        sweep: the scenario and one policy; its points are not used.
        axes: the settings and their ranges.
        minimize: a metric.
        constraints: what other metrics may be at most on average.
        trials: how many points to try, those in the journal included.
        journal: a file for the trials.
        progress: called with the number of points that were tried, and of all.
        is_over: asked before each trial, whether the time is over.

    Raises:
        InputError: Optuna is missing, there is no such metric, or a point cannot be run.
    """
    with _study(journal) as study:
        while (done := len(_finished(study))) < trials and not is_over():
            study.sampler = _sampler(sweep.scenario.seed, done)
            trial = study.ask()
            point = {axis.path: _suggested(trial, axis) for axis in axes}
            trial.set_user_attr(_POINT, point)
            figure, limited = _observed(sweep, point, minimize, constraints)
            trial.set_user_attr(_LIMITED, list(limited))
            for number, (value, limit) in enumerate(zip(limited, constraints, strict=True)):
                trial.set_constraint(str(number), value - limit.at_most)
            study.tell(trial, figure)
            progress(done + 1, trials)
        tried = [_tried(each, constraints) for each in _finished(study)]
    tried.sort(key=lambda each: _rank(each, constraints))
    if not tried:
        raise InputError("", "--timeout", "found no time for a single point, expected more")
    best = tried[0]
    again = Sweep(
        sweep.scenario.with_changes({"seed": (sweep.scenario.seed + FRESH) % 2**63}), (), sweep.policies, sweep.jobs,
        sweep.engine, sweep.allow_plugins,
    )  # fmt: skip

    def observed(of: Sweep, point: Point) -> Tried:
        figure, limited = _observed(of, point, minimize, constraints)
        return Tried(point, figure, limited, _is_feasible(limited, constraints))

    return Tuned(tuple(tried), observed(again, best.point), observed(sweep, {}), observed(again, {}))


@contextmanager
def _study(journal: Path) -> Iterator[Study]:
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
    except ImportError:
        problem = "found no Optuna, which the search needs: pip install 'slotpool-sim[tune]'"
        raise InputError("", "", problem) from None
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        _without_half_a_line(journal)
        lock = JournalFileOpenLock(str(journal))
        Path(f"{journal}.lock").unlink(missing_ok=True)  # of a process that was killed: ours holds the folder
        storage = JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))
        yield optuna.create_study(study_name="tune", storage=storage, load_if_exists=True)
    finally:
        optuna.logging.set_verbosity(level)


def _without_half_a_line(journal: Path) -> None:
    """Take away a last line that a kill cut off: what is written next would be put behind it."""
    if journal.exists():
        data = journal.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with journal.open("r+b") as file:
                file.truncate(whole)


def _sampler(seed: int, done: int) -> Any:
    """What proposes the next point after *done* trials: the same, whatever has happened in between."""
    import numpy as np
    from optuna.samplers import TPESampler

    state = np.random.SeedSequence(seed, spawn_key=(2000, done)).generate_state(1)[0]
    return TPESampler(seed=int(state))


def _suggested(trial: Trial, axis: Axis) -> Any:
    if axis.low is None or axis.high is None:
        index = trial.suggest_int(axis.path, 0, len(axis.values) - 1)
        return axis.values[index]
    if axis.whole:
        return trial.suggest_int(axis.path, int(axis.low), int(axis.high), log=axis.logarithmic)
    value = float(f"{trial.suggest_float(axis.path, axis.low, axis.high, log=axis.logarithmic):.4g}")
    return f"{value:g}{axis.unit}" if axis.unit else value


def _observed(
    sweep: Sweep, point: Mapping[str, Any], minimize: str, constraints: Sequence[Constraint]
) -> tuple[float, tuple[float, ...]]:
    found: PointFigures = next(iter(run_points(sweep, [dict(point)])))
    (figures,) = found.figures.values()
    for name in (minimize, *(each.metric for each in constraints)):
        if name not in figures:
            raise InputError("", "metric", f"found {shown(name)}, expected a metric that the scenario has")
    limited = tuple(figures[each.metric].value or 0.0 for each in constraints)
    return figures[minimize].value or 0.0, limited


def _finished(study: Study) -> list[FrozenTrial]:
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _tried(trial: FrozenTrial, constraints: Sequence[Constraint]) -> Tried:
    limited = tuple(float(value) for value in trial.user_attrs[_LIMITED])
    assert trial.value is not None
    return Tried(trial.user_attrs[_POINT], trial.value, limited, _is_feasible(limited, constraints))


def _is_feasible(limited: Sequence[float], constraints: Sequence[Constraint]) -> bool:
    return all(value <= limit.at_most for value, limit in zip(limited, constraints, strict=True))


def _rank(tried: Tried, constraints: Sequence[Constraint]) -> tuple[bool, float, float]:
    """Those within the limits first, by their figure; then those that miss them least."""
    beyond = sum(
        max(0.0, value - limit.at_most) / max(abs(limit.at_most), 1e-9)
        for value, limit in zip(tried.limited, constraints, strict=True)
    )
    return not tried.feasible, beyond, tried.figure
