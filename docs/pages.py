"""`make docs`: write docs/policies.md and the pictures of the README and the docs, from runs of the shipped scenarios.

The scenario firefox-ci is part of it only where its recording is there (see docs/traces.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

import sim
from sim.policies import registry
from sim.report.answer import WAITS, answer, worse_than_another
from sim.report.lines import seconds
from sim.results.summary import entry

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
REAL = "firefox-ci"

HEAD = """\
# All policies on all scenarios

Written by `make docs`. Do not edit. What each policy does: `sim policies NAME`; why `demand` is as it is:
[demand.md](demand.md); what `old`, `fixed` and `landed` do wrong: [findings.md](findings.md).

Every policy has its parameters' defaults, which are those of the original, and meets the same worlds as all others in
its table. "apply" is the wait of confirmed tasks for their apply, "plan" the wait for a slot of tasks that are eligible
to plan; "95 %" is the time within which all but the slowest twentieth got theirs. `>` says that somebody still waited
at the end, so that the truth is more. `*`: another policy finishes as many tasks, lets nobody wait noticeably longer,
and costs no more. Above each table stands what `sim run` says of it.

**How to read it.** Look at the tasks that are finished, and at the waits for a plan, before the waits for an apply: a
policy under which most tasks never get so far has short apply waits and costs little. On steady-day twelve of fifteen
policies leave tasks undone that others finish, and let those which they do finish wait for hours. The field's
autoscalers do what they were made for: they follow the load, and cheaply. What they are not shown, in the natural way
of putting their metric, is that only slot 0 takes a `plan_and_apply` and that a reserved slot is lost to everybody
else. So a queue of one looks served by a pod with an idle slot 1, for as long as it takes.

`demand` asks for the slots of the kind that waiting tasks need. On steady-day 95 % of plans start within 35 s, against
30 min under `fixed` for twice the pods, and 16 s under `landed` for a third more pods. In reserved-pod-deleted it
keeps the replacement for five minutes after use, which `arc-busy` does not; in reservation-lost-while-thinking it
holds a slot for a human who, as it turns out, comes only when another one is free (`spare: 0` does without); after a
server restart it keeps pods for reservations that come back. On firefox-ci the pool is at `max_pods` for much of the
time; `fixed` makes the slowest apply wait less there, for 38 % more pods.
"""


def main() -> None:
    """Write everything."""
    results = {path.stem: run(path) for path in sorted((ROOT / "scenarios").glob("*.yaml")) if is_there(path)}
    (DOCS / "policies.md").write_text(HEAD + "".join(page(results)), encoding="utf-8")
    for name in ("steady-day", REAL):
        if name in results:
            results[name].plot.frontier()
            save(f"frontier-{name}")
    case = sim.run(sim.load_scenario(ROOT / "scenarios" / "reserved-pod-deleted.yaml"))
    case.plot.timeline()
    save("timeline")


def is_there(path: Path) -> bool:
    """Whether the scenario can be run here."""
    try:
        sim.load_scenario(path)
    except sim.InputError as error:
        print(f"left out: {error}")
        return False
    return True


def run(path: Path) -> sim.Result:
    """The scenario with every policy of ours."""
    return sim.run(sim.load_scenario(path), list(registry.BUILT_IN), jobs=2)


def page(results: dict[str, sim.Result]) -> Iterator[str]:
    """The tables, one scenario after the other."""
    for name, result in results.items():
        many = f", mean of {result.replications} replications" if result.replications > 1 else ""
        yield f"\n## {name}\n\n{' '.join(result.scenario.description.split())}\n\n"
        yield f"{result.scenario.horizon / 3600:g} h{many}.\n\n"
        yield " ".join(answer(result)) + "\n\n"
        yield (
            "| policy | finished | apply 95 % | longest | plan 95 % | longest | never planned | pod-hours | peak |\n"
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        )
        worse = worse_than_another(result.summary, result.labels)
        for label in result.labels:
            cells = [f"{value(result, label, 'completed'):,.5g}"]
            cells += [figure(result, label, f"{wait}.{part}") for wait in WAITS for part in ("p95", "max")]
            cells += [f"{value(result, label, 'unplanned'):,.5g}"]
            cells += [f"{value(result, label, 'pod_seconds') / 3600:,.1f}", f"{value(result, label, 'peak_pods'):.3g}"]
            yield f"| {label}{' *' if label in worse else ''} | {' | '.join(cells)} |\n"
        if (DOCS / "img" / f"frontier-{name}.svg").exists() or name in ("steady-day", REAL):
            yield f"\n![Mean apply wait against pod-hours on {name}](img/frontier-{name}.svg)\n"


def value(result: sim.Result, label: str, metric: str) -> float:
    """A metric of a policy; 0 where there is none."""
    return float(entry(result.summary["policies"][label], metric)["value"] or 0)


def figure(result: sim.Result, label: str, metric: str) -> str:
    """A wait in words."""
    found = entry(result.summary["policies"][label], metric)
    return "-" if found["value"] is None else ("> " if found.get("lower_bound") else "") + seconds(found["value"])


def save(name: str) -> None:
    """Save the picture that was drawn last, on white."""
    with plt.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        plt.savefig(DOCS / "img" / f"{name}.svg", metadata={"Date": None, "Creator": None})
    plt.close("all")


if __name__ == "__main__":
    main()
