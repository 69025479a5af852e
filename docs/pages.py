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
from sim.report.lines import seconds
from sim.results.summary import entry

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
REAL = "firefox-ci"

HEAD = """\
# All policies on all scenarios

Written by `make docs`. Do not edit. What each policy does: `sim policies NAME`; why `demand` is as it is:
[demand.md](demand.md); what `old` and `fixed` do wrong: [findings.md](findings.md).

Every policy has its parameters' defaults, which are those of the original, and meets the same worlds as all others in
its table. Waits are those of confirmed tasks for their apply; `>` says that somebody still waited at the end, so that
the truth is more. "Unplanned" tasks had not begun their plan at the end; "plan wait" is how long tasks had waited for
it on average, so far as it was seen. Below each table stand the policies on the frontier: no other is at least as good
in mean wait, pod-hours and tasks left over (waiting or unplanned), and better in one of them.

**How to read it.** The field's autoscalers do what they were made for: they follow the load, and cheaply. What they are
not shown, in the natural way of putting their metric, is that only slot 0 takes a `plan_and_apply` and that a reserved
slot is lost to everybody else. So a queue of one looks served by a pod with an idle slot 1, for as long as it takes.
`demand` asks for the slots of the kind that waiting tasks need. It is on the frontier of steady-day and firefox-ci, and
nobody waits less on any of the small ones but reserved-pod-offline, where no number of pods helps. It is *not* on the
frontier where its insurance was not needed: in reserved-pod-deleted it keeps the replacement for five minutes after
use, which `arc-busy` does not; in reservation-lost-while-thinking it holds a slot for a human who, as it turns out,
comes only when another one is free (`spare: 0` does without); after a server restart it keeps pods for reservations
that come back. Nor is it in the picture of firefox-ci, which knows of waits and cost alone: under `keda` those who were
confirmed wait as little there, for 8 % less. But about 260 tasks more are left unplanned, and plans wait half as long
again: it is cheaper because it does less. The pool is at `max_pods` for much of that time, where it is chance who
waits.
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
        yield (
            "| policy | mean wait | p95 | longest | still waiting | unplanned | plan wait | pod-hours | peak pods |\n"
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        )
        for label in result.labels:
            cells = [figure(result, label, f"apply_wait.{part}") for part in ("mean", "p95", "max")]
            cells += [f"{value(result, label, metric):,.5g}" for metric in ("censored", "unplanned")]
            cells += [seconds(plan_wait(result, label))]
            cells += [f"{value(result, label, 'pod_seconds') / 3600:,.1f}", f"{value(result, label, 'peak_pods'):.3g}"]
            yield f"| {label} | {' | '.join(cells)} |\n"
        yield f"\nOn the frontier: {', '.join(frontier(result))}.\n"
        if (DOCS / "img" / f"frontier-{name}.svg").exists() or name in ("steady-day", REAL):
            yield f"\n![Mean apply wait against pod-hours on {name}](img/frontier-{name}.svg)\n"


def frontier(result: sim.Result) -> list[str]:
    """The policies that no other beats in mean wait, pod-hours and tasks left over."""

    def point(label: str) -> tuple[float, ...]:
        left = value(result, label, "censored") + value(result, label, "unplanned")
        return value(result, label, "apply_wait.mean"), value(result, label, "pod_seconds"), left

    points = {label: point(label) for label in result.labels}

    def beaten(mine: tuple[float, ...]) -> bool:
        return any(
            other != mine and all(theirs <= own for theirs, own in zip(other, mine, strict=True))
            for other in points.values()
        )

    return [label for label in result.labels if not beaten(points[label])]


def plan_wait(result: sim.Result, label: str) -> float:
    """How long tasks waited for their plan on average, in seconds; up to the horizon, if it did not come."""
    tasks = result.tasks[result.tasks.policy == label]
    return float((tasks.plan_started_at.fillna(result.scenario.horizon) - tasks.arrived_at).mean())


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
