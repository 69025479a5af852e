"""How long short commands take to start, and what a second process gains."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.alone import Measured, alone, command
from benchmarks.pairs import paired
from benchmarks.table import Row

SCENARIO = "scenarios/steady-day.yaml"


def replications(count: int, jobs: int, seed: int) -> None:
    """So many replications of the steady day, its three policies in each."""
    import sim

    sim.run(sim.load_scenario(SCENARIO), replications=count, jobs=jobs, seed=seed)


def _run_of(*words: str) -> Callable[[int], Measured]:
    return lambda _: command(*words)


def rows(pairs: int, count: int) -> Iterator[Row]:
    """Start-up times, and `-j 2`."""
    for words, goal in ((("sim", "--help"), 3.0), (("sim", "validate", SCENARIO), 10.0)):
        found = paired(_run_of(*words), _run_of("python", "-c", "pass"), 3 * pairs)
        what = f"`{' '.join(words[:2])}` / `python -c pass`"
        yield Row(what, found.ratios, at_most=goal, times=found.times, note=f"{3 * pairs} pairs.")

    def on(jobs: int, n: int) -> Measured:
        return alone("benchmarks.commands:replications", count, jobs, n + 1, warm=(1, 1, 1))

    found = paired(lambda n: on(1, n), lambda n: on(2, n), pairs, by="elapsed")
    yield Row(
        f"`-j 1` / `-j 2`, {count} replications",
        found.ratios,
        at_least=1.85,
        times=found.times,
        note=f"{SCENARIO}; by the clock, so it needs two idle cores; starting workers and sending results included.",
    )
