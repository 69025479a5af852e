"""Where the time of a whole `sim run` goes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.alone import all_cpu, alone, command
from benchmarks.pairs import in_words
from benchmarks.table import Row

RATE = 200
"""Tasks an hour."""

STAGES = ("load", "simulate", "frames", "statistics", "write", "print")


def scenario_text(tasks: int) -> str:
    """The scenario as a file; JSON is YAML."""
    from benchmarks.traffic import traffic

    document = traffic(RATE, tasks / RATE).model_dump(mode="json", exclude_defaults=True)
    document["workload"]["arrivals"]["rate"] = f"{RATE}/h"
    return json.dumps(document, indent=2)


def stages(path: str, out: str) -> dict[str, float]:
    """Do what `sim run -j 1` does, in its order; seconds of CPU time by stage. Imports belong to who needs them."""
    spent: dict[str, float] = {}
    last = all_cpu()

    def lap(stage: str) -> None:
        nonlocal last
        now = all_cpu()
        spent[stage] = spent.get(stage, 0.0) + now - last
        last = now

    import sim

    scenario = sim.load_scenario(path)
    lap("load")
    result = sim.run(scenario, jobs=1)
    lap("simulate")
    assert result.tables
    lap("frames")
    assert result.summary
    lap("statistics")
    from sim.results.store import reserved_place

    with reserved_place(Path(out), scenario.name) as place:
        place.write(result)
    lap("write")
    from sim.report.table import comparison, show

    show(comparison(result))
    lap("print")
    return spent


def rows(runs: int, tasks: int) -> Iterator[Row]:
    """Each stage after the simulation against it, and the whole command against the simulation."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.json"
        path.write_text(alone("benchmarks.stages:scenario_text", tasks).found, encoding="utf-8")
        spent, whole = [], []
        for _ in range(runs):
            spent.append(alone("benchmarks.stages:stages", str(path), folder).found)
            whole.append(command("sim", "run", "-q", "-j", "1", "-o", folder, str(path)).cpu)
    simulate = [each["simulate"] for each in spent]
    base = in_words(median(simulate))
    for stage in STAGES:
        if stage != "simulate":
            values = [each[stage] / each["simulate"] for each in spent]
            times = f"{in_words(median(each[stage] for each in spent))} / {base}"
            goal = None if stage == "load" else 1.0
            yield Row(f"`sim run`, {tasks:,} tasks: {stage} / simulate", values, at_most=goal, times=times)
    values = [total / one for total, one in zip(whole, simulate, strict=True)]
    what = f"`sim run`, {tasks:,} tasks: whole command / simulate"
    yield Row(
        what,
        values,
        times=f"{in_words(median(whole))} / {base}",
        note=f"{runs} runs; `simulate` includes drawing the world.",
    )
