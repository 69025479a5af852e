"""`sim sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sim.experiment.points import Point
    from sim.experiment.sweep import Sweep
    from sim.scenario import Scenario


@click.command("sweep")
@click.argument("scenario", metavar="SCENARIO")
@click.option(
    "--set", "settings", metavar="PATH=VALUES", multiple=True,
    help="A setting and its values: pool.max_pods=5..50:5, demand.keep=1m,5m,15m, demand.keep=10s..30m:log8. "
    "Repeatable.",
)  # fmt: skip
@click.option("--sample", metavar="N", type=click.IntRange(1), help="So many points in place of all combinations.")
@click.option("--method", type=click.Choice(["lhs", "sobol"]), default="lhs", show_default=True, help="Of the sample.")
@click.option(
    "-p", "--policy", "policies", metavar="NAME", multiple=True, help="In place of the scenario's. Repeatable."
)
@click.option("-r", "--replications", metavar="N", type=click.IntRange(1), help="How many worlds at each point.")
@click.option("--seed", metavar="N", type=click.IntRange(0), help="Seed of all random numbers.")
@click.option("-j", "--jobs", metavar="N", type=click.IntRange(1), help="Processes to use. [default: one per core]")
@click.option("--engine", type=click.Choice(["auto", "simpy", "fast"]), default="auto", show_default=True)
@click.option(
    "-o", "--out", metavar="DIR", type=click.Path(path_type=Path), default="results", show_default=True,
    help="Folder for studies.",
)  # fmt: skip
@click.option("--name", metavar="STUDY", help="Folder of this study in DIR. [default: the scenario's name and -sweep]")
@click.option("--picture", metavar="FILE", type=click.Path(path_type=Path), help="png, svg or pdf.")
@click.option(
    "--metric",
    metavar="NAME",
    help="What the picture shows, such as cost.total, pod_seconds or plan_wait.max. [default: plan_wait.p95]",
)
@click.option(
    "--minimize",
    metavar="METRIC",
    help="Look for the point where this is smallest, such as cost.total; -r is then the most worlds for a point.",
)
@click.option(
    "--subject-to",
    "limits",
    metavar="LIMIT",
    multiple=True,
    help="What the point has to keep within: 'plan_wait.p95 <= 60s'. Repeatable; with --minimize.",
)
@click.option("--indifference", metavar="X", help="A difference of --minimize that does not matter. [default: 1 %]")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--allow-plugins", is_flag=True, help="Let scenarios name policies as package.module:Class.")
def sweep_command(
    scenario: str,
    settings: tuple[str, ...],
    sample: int | None,
    method: Any,
    policies: tuple[str, ...],
    replications: int | None,
    seed: int | None,
    jobs: int | None,
    engine: Any,
    out: Path,
    name: str | None,
    picture: Path | None,
    metric: str | None,
    minimize: str | None,
    limits: tuple[str, ...],
    indifference: str | None,
    quiet: bool,
    allow_plugins: bool,
) -> None:
    """Run SCENARIO with every combination of some settings, all in the same worlds.

    A point that is done is not run again: after Ctrl-C or a crash, the same command goes on where it was.
    """
    from sim.cli.progress import cores, progress
    from sim.cli.signals import leave_if_asked
    from sim.experiment.sweep import Sweep, run_points
    from sim.report.pictures.sweep import sweep as draw
    from sim.report.save import save_figure
    from sim.report.sweep_table import sweep_lines
    from sim.results.study import Study, asked
    from sim.scenario import InputError
    from sim.traces.load import load_scenario

    loaded = load_scenario(scenario)
    changes = {"replications": replications, "seed": seed}
    loaded = loaded.with_changes({key: value for key, value in changes.items() if value is not None})
    points = _points(loaded, settings, sample, method)
    sweep = Sweep(loaded, points, policies or None, jobs or cores(), engine, allow_plugins)
    for point in points:
        sweep.at(point)  # Every point is looked at before the first is run: a mistake in the last costs no time.
    if minimize is not None:
        _choose(sweep, minimize, limits, indifference, replications or MOST_WORLDS, quiet)
        return
    if limits or indifference:
        raise InputError("", "--minimize", "found limits without it, expected the metric that is to be smallest")
    study = Study(out / (name or f"{loaded.name}-sweep"), asked(sweep))
    with study.opened() as done:
        left = [number for number in range(len(points)) if number not in done]
        if done and not quiet:
            click.echo(f"Points that are there already: {len(done)} of {len(points)}.", err=True)
        with progress(f"{loaded.name}: points", quiet) as advance:
            for count, (number, found) in enumerate(
                zip(left, run_points(sweep, [points[number] for number in left]), strict=True), 1
            ):
                study.add(number, found)
                advance(len(done) + count, len(points))
                leave_if_asked()
        frame = study.finish()
    if picture is not None:
        save_figure(lambda: draw(frame, _paths(points), metric), "sweep", picture)
    if not quiet:
        for line in sweep_lines(frame, _paths(points), (loaded.cost is not None and loaded.cost.currency) or None):
            click.echo(line)
        click.echo(f"Results: {study.folder}")


MOST_WORLDS = 200
"""In how many worlds a search observes a point at most, if nothing is said."""


def _choose(
    sweep: Sweep, minimize: str, limits: tuple[str, ...], indifference: str | None, most: int, quiet: bool
) -> None:
    from sim.cli.progress import progress
    from sim.experiment.choose import choose
    from sim.experiment.constraints import amount, constraint_of
    from sim.report.choice_table import choice_lines

    constraints = [constraint_of(limit) for limit in limits]
    matters = None if indifference is None else amount(indifference, minimize)
    with progress(f"{sweep.scenario.name}: runs", quiet) as advance:
        found = choose(sweep, minimize, constraints, matters, most, advance)
    for line in choice_lines(found, minimize, constraints, sweep.scenario.confidence):
        click.echo(line)


def _paths(points: list[Point]) -> list[str]:
    return list(dict.fromkeys(path for point in points for path in point))


def _points(scenario: Scenario, settings: tuple[str, ...], sample: int | None, method: Any) -> list[Point]:
    """The points of the command line, or of the scenario's `sweep:` block."""
    from sim.experiment.points import axes_of, grid
    from sim.experiment.points import sample as sampled
    from sim.scenario import InputError

    wanted: dict[str, Any] = dict(values_by_path(settings))
    if scenario.sweep is not None and not wanted:
        wanted = {
            path: list(values) if isinstance(values, tuple) else values for path, values in scenario.sweep.set.items()
        }
        sample, method = sample or scenario.sweep.sample, scenario.sweep.method
    if not wanted:
        raise InputError("", "--set", "found no setting, expected one at least, or a sweep block in the scenario")
    axes = axes_of(wanted)
    return list(grid(axes)) if sample is None else sampled(axes, sample, method, scenario.seed)


def values_by_path(settings: tuple[str, ...]) -> dict[str, str]:
    """What `--set` says: the values of each setting, as they are written, by its path."""
    from sim.scenario import InputError

    found = {}
    for setting in settings:
        path, equals, values = setting.partition("=")
        if not equals or not path.strip() or not values.strip():
            raise InputError("", "--set", f"found {setting!r}, expected PATH=VALUES, such as pool.max_pods=5..50:5")
        found[path.strip()] = values
    return found
