"""`sim tune`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("tune")
@click.argument("scenario", metavar="SCENARIO")
@click.option(
    "--set", "settings", metavar="PATH=VALUES", multiple=True, required=True,
    help="A setting and its range: demand.keep=10s..30m:log, pool.max_pods=5..50, or a list. Repeatable.",
)  # fmt: skip
@click.option("--minimize", metavar="METRIC", required=True, help="What is to be smallest, such as cost.total.")
@click.option("--subject-to", "limits", metavar="LIMIT", multiple=True, help="'plan_wait.p95 <= 60s'. Repeatable.")
@click.option("-p", "--policy", metavar="NAME", help="Whose settings. [default: the scenario's first policy]")
@click.option("--trials", metavar="N", type=click.IntRange(1), default=50, show_default=True, help="How many points.")
@click.option("--timeout", metavar="TIME", help="Stop after that long, such as 10m, and say what is best so far.")
@click.option("-r", "--replications", metavar="N", type=click.IntRange(1), help="How many worlds for each point.")
@click.option("--seed", metavar="N", type=click.IntRange(0), help="Seed of all random numbers.")
@click.option("-j", "--jobs", metavar="N", type=click.IntRange(1), help="Processes to use. [default: one per core]")
@click.option(
    "-o", "--out", metavar="DIR", type=click.Path(path_type=Path), default="results", show_default=True,
    help="Folder for studies.",
)  # fmt: skip
@click.option("--name", metavar="STUDY", help="Folder of this study in DIR. [default: the scenario's name and -tune]")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--allow-plugins", is_flag=True, help="Let scenarios name policies as package.module:Class.")
def tune_command(
    scenario: str,
    settings: tuple[str, ...],
    minimize: str,
    limits: tuple[str, ...],
    policy: str | None,
    trials: int,
    timeout: str | None,
    replications: int | None,
    seed: int | None,
    jobs: int | None,
    out: Path,
    name: str | None,
    quiet: bool,
    allow_plugins: bool,
) -> None:
    """Look for the settings of one policy with which METRIC is smallest, within limits.

    Trials are kept: the same command goes on where it was. The best point is run again in worlds that the search has
    not seen.
    """
    from time import monotonic

    from sim.cli.progress import cores, progress
    from sim.cli.signals import leave_if_asked
    from sim.cli.sweeping import values_by_path
    from sim.experiment.constraints import amount, constraint_of
    from sim.experiment.named_policies import named_policies
    from sim.experiment.points import axes_of
    from sim.experiment.sweep import Sweep
    from sim.experiment.tune import tune
    from sim.report.tune_lines import tune_lines
    from sim.results.study import Study, asked
    from sim.traces.load import load_scenario

    loaded = load_scenario(scenario)
    changes = {"replications": replications, "seed": seed}
    loaded = loaded.with_changes({key: value for key, value in changes.items() if value is not None})
    chosen = named_policies(loaded, [policy] if policy else None, allow_plugins)[0].label
    axes = axes_of(values_by_path(settings))
    constraints = [constraint_of(limit) for limit in limits]
    seconds = None if timeout is None else amount(timeout, "apply_wait.mean")
    sweep = Sweep(loaded, (), [chosen], jobs or cores(), "auto", allow_plugins)
    for axis in axes:
        for value in (axis.values[0], axis.values[-1]):
            sweep.at({axis.path: value})  # A mistake in a path costs no time.
    question = asked(sweep) | {
        "kind": "tune", "settings": dict(values_by_path(settings)), "minimize": minimize, "limits": list(limits),
    }  # fmt: skip
    study = Study(out / (name or f"{loaded.name}-tune"), question)
    began = monotonic()

    def is_over() -> bool:
        leave_if_asked()
        return seconds is not None and monotonic() - began > seconds

    with study.opened(), progress(f"{loaded.name}: points", quiet) as advance:
        found = tune(sweep, axes, minimize, constraints, trials, study.folder / "trials.log", advance, is_over)
    if not quiet:
        for line in tune_lines(found, minimize, constraints):
            click.echo(line)
        click.echo(f"Study: {study.folder}")
