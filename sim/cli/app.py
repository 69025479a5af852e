"""The commands of `sim`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.records import calibrate_command, fit_command, import_command
from sim.cli.running import load_all, results_of
from sim.cli.sweeping import sweep_command
from sim.cli.tuning import tune_command
from sim.report.plot import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.scenario import Scenario

# What is imported inside the commands takes long to import, and `sim --help` should not wait for it.


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=lambda context, _, asked: _print_version(context) if asked else None,
    help="Print the version, and whether the engine is compiled.",
)
def cli() -> None:
    """Simulate autoscaling policies for slot-based worker pools, side by side on the same random world."""


cli.add_command(import_command)
cli.add_command(fit_command)
cli.add_command(calibrate_command)
cli.add_command(sweep_command)
cli.add_command(tune_command)


def _print_version(context: click.Context) -> None:
    import sim
    from sim.engine import MACHINE_CODE

    click.echo(f"sim, version {sim.__version__} (engine: {'machine code' if MACHINE_CODE else 'Python source'})")
    context.exit()


_scenarios = click.argument("scenarios", metavar="SCENARIO...", nargs=-1, required=True)
_allow_plugins = click.option(
    "--allow-plugins",
    is_flag=True,
    help="Let scenarios name policies as package.module:Class, which runs that code.",
)


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that `run` and `check` share."""
    options = [
        click.option(
            "-p", "--policy", "policies", metavar="NAME", multiple=True,
            help="Run this policy, in place of the scenario's. Repeatable; the first is what the others are "
            "compared with.",
        ),
        click.option("-r", "--replications", metavar="N", type=click.IntRange(1), help="How many worlds."),
        click.option("--seed", metavar="N", type=click.IntRange(0), help="Seed of all random numbers."),
        click.option(
            "--confidence", metavar="P", type=click.FloatRange(0.5, 1, max_open=True), help="Of the intervals: 0.95."
        ),
        click.option(
            "--set", "settings", metavar="PATH=VALUE", multiple=True,
            help="Change a field of the scenario: pool.max_pods=30, pools.infra.max_pods=9, demand.keep=1m. "
            "Repeatable.",
        ),
        click.option(
            "-j", "--jobs", metavar="N", type=click.IntRange(1), help="Processes to use. [default: one per core]"
        ),
        click.option(
            "--engine", type=click.Choice(["auto", "simpy", "fast"]), default="auto", show_default=True,
            help="simpy: the model in SimPy. fast: the same results sooner. auto: simpy where that is quick enough.",
        ),
        click.option(
            "-o", "--out", metavar="DIR", type=click.Path(path_type=Path), default="results", show_default=True,
            help="Folder for the results.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, and nothing else."),
        click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
        _allow_plugins,
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@cli.command()
@_scenarios
@_run_options
@click.option("--report", is_flag=True, help="Also write report.html, beside the results.")
@click.option("-v", "--verbose", is_flag=True, help="Print every figure, with its interval.")
def run(scenarios: tuple[str, ...], as_json: bool, quiet: bool, report: bool, verbose: bool, **options: Any) -> None:
    """Run every policy of each SCENARIO side by side, print the comparison and write the results.

    SCENARIO is a YAML file, or - for standard input.
    """
    summaries: dict[str, Any] = {}
    for result, folder, _ in results_of(scenarios, quiet, False, report=report, **options):
        summaries[result.scenario.name] = result.summary
        if not quiet and not as_json:
            from sim.report.table import show

            show(result, every=verbose)
            click.echo(f"Results: {folder}")
            click.echo(f"Report: {folder / 'report.html'}\n" if report else "")
    if as_json:
        click.echo(json.dumps(next(iter(summaries.values())) if len(summaries) == 1 else summaries, indent=2))


@cli.command()
@_scenarios
@_run_options
@click.option("--save-baseline", is_flag=True, help="Write the figures as the baseline to compare with from now on.")
@click.option(
    "--baselines", metavar="DIR", type=click.Path(path_type=Path), help="Where baselines are. [default: OUT/baselines]"
)
@click.option("--require-baseline", is_flag=True, help="Refuse to run a scenario that has no baseline.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write a JUnit report.")
@click.option(
    "--format", "form", type=click.Choice(["text", "github"]), default="text", show_default=True,
    help="github: also annotations for GitHub Actions.",
)  # fmt: skip
@click.pass_context
def check(
    context: click.Context,
    /,
    scenarios: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    save_baseline: bool,
    baselines: Path | None,
    require_baseline: bool,
    junit: Path | None,
    form: str,
    **options: Any,
) -> None:
    """Run each SCENARIO, then judge its thresholds and compare with its baseline. The one for CI.

    Exit status 3 if one was missed, or is undecided (unless the scenario says that this is fine).
    """
    from time import perf_counter

    from sim.check.baseline import baseline_of, baseline_text, read_baseline
    from sim.check.checks import check_result
    from sim.cli.checking import Reporter
    from sim.results.atomic_write import write_text
    from sim.scenario import InputError

    folder = baselines or options["out"] / "baselines"
    reporter = Reporter(as_json, quiet, junit, form)

    def known(scenario: Scenario) -> dict[str, Any] | None:
        if save_baseline:
            return None
        path = folder / f"{scenario.name}.json"
        baseline = read_baseline(path)
        if baseline is None and require_baseline:
            raise InputError(str(path), "", "found no baseline, expected one: make it with --save-baseline")
        return baseline

    began = perf_counter()
    for result, _, source in results_of(scenarios, quiet, True, before=known, **options):
        scenario, baseline = result.scenario, known(result.scenario)
        findings = check_result(result, baseline)
        if save_baseline:
            path = folder / f"{scenario.name}.json"
            write_text(path, baseline_text(baseline_of(scenario, result.measured)))
            if not quiet and not as_json:
                click.echo(f"{scenario.name}: baseline saved: {path}")
        reporter.add(scenario.name, source, findings, baseline is not None, perf_counter() - began)
        began = perf_counter()
    reporter.close()
    if reporter.missed:
        context.exit(3)


@cli.command()
@_scenarios
@_allow_plugins
def validate(scenarios: tuple[str, ...], allow_plugins: bool) -> None:
    """Read and check each SCENARIO; run nothing."""
    for scenario, source in zip(load_all(scenarios, False, (), allow_plugins, True), scenarios, strict=True):
        click.echo(f"{source}: {scenario.name} is fine")


_STANDARD_OUTPUT = Path("/dev/stdout")


def _output(path: Path) -> Path:
    """Where to write what the command line calls *path*: ``-`` is standard output."""
    return _STANDARD_OUTPUT if str(path) == "-" else path


_result = click.argument("result_dir", metavar="RESULT_DIR", type=click.Path(path_type=Path))
_replication = click.option(
    "--replication", metavar="N", type=click.IntRange(0), default=0, show_default=True, help="Which world, from 0."
)


@cli.command()
@_result
@click.option("-o", "--out", metavar="FILE", type=click.Path(path_type=Path), help="[default: RESULT_DIR/report.html]")
def report(result_dir: Path, out: Path | None) -> None:
    """Write a page about the results in RESULT_DIR: one HTML file that needs nothing else."""
    import matplotlib

    from sim.report.page import report as page_of
    from sim.results.atomic_write import write_text
    from sim.results.stored import StoredResult

    matplotlib.use("Agg")
    path = _output(out or result_dir / "report.html")
    write_text(path, page_of(StoredResult(result_dir)))
    click.echo(f"Report: {path}", err=path == _STANDARD_OUTPUT)


@cli.command()
@_result
@click.argument("kind", type=click.Choice(KINDS))
@click.option("-o", "--out", metavar="FILE", type=click.Path(path_type=Path), required=True, help="png, svg or pdf.")
@_replication
@click.option("-p", "--policy", metavar="LABEL", help="Of a timeline: one policy only.")
@click.option("--dpi", metavar="N", type=click.IntRange(30, 1200), default=150, show_default=True)
def plot(result_dir: Path, kind: str, out: Path, replication: int, policy: str | None, dpi: int) -> None:
    """Draw one picture of the results in RESULT_DIR."""
    from sim.report.save import save_picture
    from sim.results.stored import StoredResult

    save_picture(StoredResult(result_dir), kind, out, replication, policy, dpi)


@cli.command()
@_result
@click.option(
    "--trace-events",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Chrome trace events, to open in Perfetto.",
)
@click.option(
    "--trace",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="One run as a .parquet trace: its tasks, and when things happened. A scenario can use it.",
)
@click.option("-p", "--policy", metavar="LABEL", help="Of a trace: whose run. [default: the first]")
@_replication
def export(
    result_dir: Path, trace_events: Path | None, trace: Path | None, policy: str | None, replication: int
) -> None:
    """Write the results in RESULT_DIR in another format."""
    from sim.report.trace_events import write_trace_events
    from sim.results.as_trace import as_trace
    from sim.results.stored import StoredResult
    from sim.traces.importing import write_frame

    if trace_events is None and trace is None:
        raise click.UsageError("found no format, expected --trace-events FILE or --trace FILE")
    result = StoredResult(result_dir)
    if trace_events is not None:
        write_trace_events(result, _output(trace_events), replication)
    if trace is not None:
        write_frame(as_trace(result, policy, replication), trace)


@cli.command()
@click.argument("name", required=False)
def policies(name: str | None) -> None:
    """List the policies and their parameters, or explain the one called NAME."""
    from sim.policies import registry
    from sim.scenario.errors import shown

    if name is None:
        for each in registry.names():
            try:
                policy = registry.find(each)
                parameters = registry.parameters_of(policy)
            except (Exception, SystemExit) as error:
                click.echo(f"{each}: cannot be loaded ({type(error).__name__}: {error})")
                continue
            click.echo(f"{each}: {registry.summary_of(policy)}")
            for parameter, kind in parameters.items():
                click.echo(f"    {parameter}: {kind}")
        return
    try:
        policy = registry.find(name)
        parameters = registry.parameters_of(policy)
    except (Exception, SystemExit) as error:
        if isinstance(error, KeyError) and name not in registry.names():
            known = ", ".join(registry.names())
            raise click.UsageError(f"found the policy {shown(name)}, expected one of: {known}") from None
        problem = f"found {shown(name)}, which cannot be loaded ({type(error).__name__}: {error})"
        raise click.UsageError(problem) from None
    click.echo(f"{name}: {registry.explanation_of(policy)}")
    click.echo("\nParameters:" if parameters else "\nIt has no parameters.")
    for parameter, kind in parameters.items():
        click.echo(f"    {parameter}: {kind}")


@cli.command()
def schema() -> None:
    """Print the JSON Schema of a scenario file, for editors."""
    from sim.scenario.schema import scenario_schema

    click.echo(json.dumps(scenario_schema(), indent=2))
