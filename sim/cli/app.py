"""The commands of `sim`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sim.scenario import Scenario

# What is imported inside the commands takes long to import, and `sim --help` should not wait for it.


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="slotpool-sim")
def cli() -> None:
    """Simulate autoscaling policies for slot-based worker pools, side by side on the same random world."""


_scenarios = click.argument("scenarios", metavar="SCENARIO...", nargs=-1, required=True)
_allow_plugins = click.option(
    "--allow-plugins",
    is_flag=True,
    help="Let scenarios name policies as package.module:Class, which runs that code.",
)


@cli.command()
@_scenarios
@click.option(
    "-p",
    "--policy",
    "policies",
    metavar="NAME",
    multiple=True,
    help="Run this policy, in place of the scenario's. Repeatable; the first is what the others are compared with.",
)
@click.option("-r", "--replications", metavar="N", type=click.IntRange(1), help="How many worlds.")
@click.option("--seed", metavar="N", type=click.IntRange(0), help="Seed of all random numbers.")
@click.option(
    "--confidence", metavar="P", type=click.FloatRange(0.5, 1, max_open=True), help="Level of the intervals, as 0.95."
)
@click.option("-j", "--jobs", metavar="N", type=click.IntRange(1), help="Processes to use. [default: one per core]")
@click.option(
    "-o", "--out", metavar="DIR", type=click.Path(path_type=Path), default="results", show_default=True,
    help="Folder for the results.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, and nothing else.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@_allow_plugins
def run(
    scenarios: tuple[str, ...],
    policies: tuple[str, ...],
    replications: int | None,
    seed: int | None,
    confidence: float | None,
    jobs: int | None,
    out: Path,
    as_json: bool,
    quiet: bool,
    allow_plugins: bool,
) -> None:
    """Run every policy of each SCENARIO side by side, print the comparison and write the results.

    SCENARIO is a YAML file, or - for standard input.
    """
    from contextlib import ExitStack

    import sim
    from sim.cli.progress import cores, progress
    from sim.results.store import reserved_place

    loaded = _load(scenarios, quiet, policies, allow_plugins)
    summaries: dict[str, Any] = {}
    with ExitStack() as stack:
        # Every place is taken before the first simulation begins: a folder that cannot be written costs no time.
        places = [stack.enter_context(reserved_place(out, scenario.name)) for scenario in loaded]
        for scenario, place in zip(loaded, places, strict=True):
            with progress(scenario.name, quiet) as advance:
                result = sim.run(
                    scenario,
                    policies or None,
                    replications,
                    seed=seed,
                    confidence=confidence,
                    jobs=jobs or cores(),
                    allow_plugins=allow_plugins,
                    progress=advance,
                )
            folder = place.write(result)
            summaries[scenario.name] = result.summary
            if not quiet and not as_json:
                from sim.report.table import comparison, show

                show(comparison(result))
                click.echo(f"Results: {folder}\n")
    if as_json:
        click.echo(json.dumps(summaries[loaded[0].name] if len(loaded) == 1 else summaries, indent=2))


@cli.command()
@_scenarios
@_allow_plugins
def validate(scenarios: tuple[str, ...], allow_plugins: bool) -> None:
    """Read and check each SCENARIO; run nothing."""
    for scenario, source in zip(_load(scenarios, False, (), allow_plugins), scenarios, strict=True):
        click.echo(f"{source}: {scenario.name} is fine")


@cli.command()
def policies() -> None:
    """List the policies and their parameters."""
    from sim.policies import POLICIES, parameters_of, summary_of

    for name, policy in POLICIES.items():
        click.echo(f"{name:<10} {summary_of(policy)}")
        for parameter, kind in parameters_of(policy).items():
            click.echo(f"{'':<10}   {parameter}: {kind}")


@cli.command()
def schema() -> None:
    """Print the JSON Schema of a scenario file, for editors."""
    from sim.scenario.schema import scenario_schema

    click.echo(json.dumps(scenario_schema(), indent=2))


def _load(sources: tuple[str, ...], quiet: bool, policies: tuple[str, ...], allow_plugins: bool) -> list[Scenario]:
    """The scenarios, with their policies looked up, so that a mistake in the last is found before the first runs."""
    from sim.scenario import load_scenario

    if len(sources) != len(set(sources)):
        raise click.UsageError("found a scenario twice, expected each once", click.get_current_context())
    loaded = [load_scenario(source) for source in sources]
    names: dict[str, str] = {}
    for scenario, source in zip(loaded, sources, strict=True):
        _check_policies(scenario, policies, allow_plugins)
        other = names.setdefault(scenario.name, source)
        if other != source:
            raise scenario.mistake(("name",), f"found {scenario.name!r}, which is the name in {other} too; "
                                              "expected another, as results go by it")  # fmt: skip
        if not quiet:
            for note in scenario.notes:
                click.echo(note, err=True)
    return loaded


def _check_policies(scenario: Scenario, policies: tuple[str, ...], allow_plugins: bool) -> None:
    from sim.experiment.contestants import contestants

    contestants(scenario, policies or None, allow_plugins)
