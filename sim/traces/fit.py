"""The `arrivals:` block that is most like a trace, and how like it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sim.scenario.weekly import WEEKDAYS
from sim.traces.columns import COLUMNS, RECORDED
from sim.traces.families import ENOUGH_FOR_A_FAMILY, Block, distance, distribution_of, rounded
from sim.traces.moments import week_offset
from sim.traces.recording import Recording, read_recording

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DAY, WEEK = 86400.0, 7 * 86400.0
LONG_ENOUGH = 2 * DAY
"""A recording from that length on shows which hours are busy; a shorter one has one rate."""

BURST_GAP = 1.0
"""Tasks that arrive so few seconds after one another are of one burst."""

DIFFERENT: Final = 0.15
"""Plans of the two types whose distributions are so far apart get a block each."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a block's distribution of one quantity compares with the recorded one. Times in seconds."""

    pool: str
    quantity: str
    family: str
    values: int
    distance: float
    """The largest difference of the two distribution functions (Kolmogorov-Smirnov)."""
    recorded: tuple[float, float, float]
    """The median, the 95th percentile and the mean."""
    fitted: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the week: how many tasks arrived in it on average, and how many the block makes."""

    pool: str
    weekday: str
    hour: int
    recorded: float
    fitted: float


@dataclass(frozen=True, slots=True)
class Fit:
    """What was found."""

    blocks: tuple[Block, ...]
    likeness: tuple[Likeness, ...]
    hours: tuple[Hour, ...] = field(repr=False)
    notes: tuple[str, ...]
    samples: Mapping[tuple[str, str], tuple[Floats, Any]] = field(repr=False)
    """The recorded values of each quantity by pool and quantity, and the distribution that was fitted to them."""


def frame_of(recording: Recording) -> pd.DataFrame:
    """A recording as a frame with all the columns of a trace but names, the usual value where it says none."""
    import numpy as np
    import pandas as pd

    size = len(recording)
    usual = {"type": "plan", "execution_mode": "k8s", "plan_result": "changes", "decision": "confirm",
             "apply_result": "ok"}  # fmt: skip
    columns = {name: recording.columns.get(name, np.full(size, word, dtype=object)) for name, word in usual.items()}
    nothing = np.full(size, np.nan)
    for name in ("arrive", "plan", "confirm", "apply", "cancel"):
        columns[name] = recording.columns.get(name, nothing)
    for name in ("id", "workspace", "pool"):
        if name in recording.columns:
            columns[name] = recording.columns[name]
    for name in ("plan_started", "plan_ended", "confirmed", "apply_started", "apply_ended", "ended"):
        columns[f"recorded_{name}"] = recording.recorded.get(f"recorded_{name}", nothing)
    return pd.DataFrame({name: columns[name] for name in (*COLUMNS, *RECORDED) if name in columns})


def fit_arrivals(source: str | Path | pd.DataFrame, timezone: str | None = None, empirical: bool = False) -> Fit:
    """The `arrivals:` block that is most like recorded tasks, and how like it is.

    Args:
        source: a file that `sim.read_trace` can read, or a frame of its.
        timezone: whose hours and weekdays are meant, such as ``Europe/Berlin``.
        empirical: whether to take the recorded lengths themselves, and no family of distributions.

    Returns:
        Its `blocks` can stand in a scenario as they are: ``{"workload": {"arrivals": list(fit.blocks)}}``.

    Raises:
        InputError: the source cannot be read.
    """
    recording = read_recording(Path(source) if isinstance(source, str) else source, None, None)
    zero = recording.zero if isinstance(source, str | Path) else source.attrs.get("zero", recording.zero)
    return fit(recording, week_offset(60.0 * ((zero or 0.0) // 60), timezone), empirical)


def fit(recording: Recording, offset: float = 0.0, empirical: bool = False) -> Fit:
    """The blocks of arrivals most like a recording: one for each pool, or two where the types' plans differ.

    Args:
        recording: what was recorded.
        offset: how many seconds after Monday midnight its time 0 is.
        empirical: whether to take the recorded values themselves, and no family of distributions.
    """
    tasks = frame_of(recording)
    found = _Found(offset, empirical, float(tasks.arrive.max()))
    if "pool" not in tasks:
        found.add(tasks, None)
    else:
        for name, part in tasks.groupby("pool", sort=True):
            found.add(part, str(name))
    return Fit(
        tuple(found.blocks), tuple(found.likeness), tuple(found.hours), tuple(dict.fromkeys(found.notes)), found.samples
    )


class _Found:
    """Blocks that are found one after another, and what there is to say of them."""

    def __init__(self, offset: float, empirical: bool, last: float) -> None:
        self.offset = offset
        self.empirical = empirical
        self.last = last
        self.blocks: list[Block] = []
        self.likeness: list[Likeness] = []
        self.hours: list[Hour] = []
        self.notes: list[str] = []
        self.samples: dict[tuple[str, str], tuple[Floats, Any]] = {}

    def add(self, tasks: pd.DataFrame, pool: str | None) -> None:
        """The block, or the two, for the tasks of one pool."""
        from scipy.stats import ks_2samp

        elsewhere = tasks.execution_mode != "k8s"
        if elsewhere.any():
            for mode, part in tasks[elsewhere].groupby("execution_mode"):
                self._block(part, pool, execution_mode=str(mode))
            tasks = tasks[~elsewhere]
        if not len(tasks):
            return
        applies = tasks.type == "plan_and_apply"
        plans = tasks["plan"]
        enough = min(int(applies.sum()), int((~applies).sum())) >= ENOUGH_FOR_A_FAMILY
        if enough and ks_2samp(plans[applies], plans[~applies]).statistic > DIFFERENT:
            self.notes.append("Plans of the two types take different times: each type has a block, and workspaces, "
                              "of its own.")  # fmt: skip
            self._block(tasks[applies], pool)
            self._block(tasks[~applies], pool)
        else:
            self._block(tasks, pool)

    def _block(self, tasks: pd.DataFrame, pool: str | None, **more: str) -> None:
        applies = tasks.type == "plan_and_apply"
        asks = applies & (tasks.plan_result == "changes") & tasks.cancel.isna() & ~self._open_at_the_end(tasks, applies)
        decided = asks & tasks.confirm.notna()
        confirmed = decided & (tasks.decision == "confirm")
        block: Block = {} if pool is None else {"pool": pool}
        block |= more
        block |= self._arrivals(tasks, pool)
        if "workspace" in tasks:
            block["workspaces"] = _workspaces(tasks)
        name = pool or "all"
        block["plan_and_apply_share"] = _share(applies)
        block["plan"] = self._distribution(tasks["plan"], name, "plan")
        _put(block, "plan_error_probability", tasks.plan_result == "error")
        if applies.any():
            _put(block, "no_changes_probability", tasks.plan_result[applies] == "no_changes")
        if decided.any():
            block["confirm"] = self._distribution(tasks.confirm[decided], name, "confirm")
            if not decided[asks].all():
                block["confirm_probability"] = _share(decided[asks])
            _put(block, "discard_probability", tasks.decision[decided] == "discard")
            lengths = tasks["apply"][confirmed].dropna()
            block["apply"] = self._distribution(lengths, name, "apply") if len(lengths) else 0.0
            if confirmed.any():
                _put(block, "apply_error_probability", tasks.apply_result[confirmed] == "error")
        canceled = tasks.cancel.notna()
        if canceled.any():
            block["cancel"] = self._distribution(tasks.cancel[canceled], name, "cancel")
            block["cancel_probability"] = _share(canceled)
        self.blocks.append(block)

    def _open_at_the_end(self, tasks: pd.DataFrame, applies: pd.Series[bool]) -> pd.Series[bool]:
        """Tasks that nobody decided, and that kept no other from running: they would have been decided later."""
        undecided = applies & (tasks.plan_result == "changes") & tasks.confirm.isna() & tasks.cancel.isna()
        if "workspace" in tasks:
            last = tasks[applies].groupby("workspace").arrive.transform("max").reindex(tasks.index)
            undecided &= tasks.arrive == last
        if undecided.any():
            self.notes.append(
                f"{int(undecided.sum())} tasks that nobody had decided when the recording ended are taken to be "
                "decided later, like the others."
            )
        return undecided

    def _arrivals(self, tasks: pd.DataFrame, pool: str | None) -> Block:
        """The process: one rate, or one that depends on the hour and the weekday, and how many tasks come at once."""
        import numpy as np

        arrive = np.sort(tasks.arrive.to_numpy())
        bursts = 1 + int(np.count_nonzero(np.diff(arrive) > BURST_GAP))
        size = len(arrive) / bursts
        burst: Block = {"burst": {"mean": rounded(size)}} if size >= 1.02 else {}
        per_burst = size if burst else 1.0
        span = max(self.last, 1.0)
        if span < LONG_ENOUGH:
            rate = len(arrive) / span * 3600
            self._show_hours(arrive, lambda day, hour: rate, pool)
            return {"process": "poisson", "rate": f"{rounded(rate / per_burst)}/h", **burst}
        rates, factors = _profile(arrive, self.offset, span)
        self._show_hours(arrive, lambda day, hour: float(rates[hour] * factors[day]), pool)
        return {
            "process": "profile",
            "start": f"{WEEKDAYS[int(self.offset // DAY) % 7]} {int(self.offset % DAY // 3600):02}:"
                     f"{int(self.offset % 3600 // 60):02}",
            "rates": {f"{hour:02}:00": f"{rounded(rates[hour] / per_burst)}/h" for hour in range(24)},
            "weekdays": {day: rounded(factors[n]) for n, day in enumerate(WEEKDAYS)},
            **burst,
        }  # fmt: skip

    def _show_hours(self, arrive: Floats, rate: Any, pool: str | None) -> None:
        counts, exposure = _by_hour(arrive, self.offset, max(self.last, 1.0))
        for day, hour in zip(*exposure.nonzero(), strict=True):
            recorded = float(counts[day, hour] / exposure[day, hour])
            fitted = float(rate(int(day), int(hour)))
            self.hours.append(Hour(pool or "all", WEEKDAYS[int(day)], int(hour), recorded, fitted))

    def _distribution(self, values: pd.Series[float], pool: str, quantity: str) -> Block | float:
        import numpy as np
        from pydantic import TypeAdapter

        from sim.scenario.distributions import Distribution

        there = np.asarray(values, dtype=np.float64)
        family, found = distribution_of(there, self.empirical)
        if isinstance(found, float):
            return found
        distribution: Any = TypeAdapter(Distribution).validate_python(found)
        grid = (np.arange(2000) + 0.5) / 2000
        drawn = distribution.quantile(grid)
        self.likeness.append(
            Likeness(
                pool, quantity, family, len(there), distance(there, distribution), _figures(there), _figures(drawn)
            )
        )
        self.samples[(pool, quantity)] = there, distribution
        return found


def _figures(values: Floats) -> tuple[float, float, float]:
    import numpy as np

    median, high = np.quantile(values, [0.5, 0.95])
    return float(median), float(high), float(values.mean())


def _by_hour(arrive: Floats, offset: float, span: float) -> tuple[Floats, Floats]:
    """Arrivals in each hour of the week, and how many such hours the recording has: arrays of 7 by 24."""
    import numpy as np

    hours = np.floor((offset + arrive) / 3600).astype(np.int64)
    counts = np.bincount(hours % 168, minlength=168).astype(np.float64)
    weeks = span // WEEK
    exposure = np.full(168, weeks)
    at, end = offset, offset + span - weeks * WEEK
    while at < end:
        upto = min((at // 3600 + 1) * 3600, end)
        exposure[int(at // 3600) % 168] += (upto - at) / 3600
        at = upto
    return counts.reshape(7, 24), exposure.reshape(7, 24)


def _profile(arrive: Floats, offset: float, span: float) -> tuple[Floats, Floats]:
    """Rates by hour of the day, per hour, and factors by weekday, whose product explains the counts best.

    Counts are taken to be Poisson; rates and factors of greatest likelihood are found in turn. An hour or a day without
    arrivals, or that the recording has not, is given a little, as a rate has to be above 0.
    """
    import numpy as np

    counts, exposure = _by_hour(arrive, offset, span)
    factors = np.ones(7)
    seen = exposure.sum(axis=1) > 0
    rates = np.ones(24)
    for _ in range(100):
        rates = (counts.sum(axis=0) + 1e-6) / np.maximum(factors @ exposure, 1e-9)
        factors[seen] = ((counts.sum(axis=1) + 1e-6) / np.maximum(exposure @ rates, 1e-9))[seen]
        factors[~seen] = 1.0
        scale = factors[seen].mean()
        factors /= scale
        rates *= scale
    least = 0.1 * len(arrive) / span * 3600 / 24
    return np.maximum(rates, least), factors


def _workspaces(tasks: pd.DataFrame) -> Block | int:
    """How many workspaces, and how much busier some are: the skew of Zipf's law that is most likely."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    counts = np.sort(tasks.workspace.value_counts().to_numpy(dtype=np.float64))[::-1]
    ranks = np.log(np.arange(1, len(counts) + 1))
    if len(counts) < 3:
        return max(len(counts), 1)

    def unlikely(skew: float) -> float:
        return float(skew * (counts @ ranks) + counts.sum() * np.log(np.exp(-skew * ranks).sum()))

    skew = float(minimize_scalar(unlikely, bounds=(0, 5), method="bounded").x)
    return {"count": len(counts), "skew": rounded(skew)} if skew > 0.05 else len(counts)


def _share(rows: pd.Series[Any]) -> float:
    return rounded(float(rows.mean()))


def _put(block: Block, name: str, rows: pd.Series[Any]) -> None:
    """Put a probability into the block, unless it is 0."""
    if rows.any():
        block[name] = _share(rows)
