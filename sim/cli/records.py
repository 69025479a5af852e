"""The commands that begin with records of a real system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sim.traces.events import Imported
    from sim.traces.fit import Fit
    from sim.traces.importing import Kind

KINDS = ("table", "swf", "batsim", "hcp-terraform", "terranova", "gitlab", "github", "buildkite")


@click.command("import")
@click.argument("source")
@click.option("--from", "kind", type=click.Choice(KINDS), help="What wrote the records. [default: guessed]")
@click.option(
    "-o", "--out", metavar="FILE", type=click.Path(path_type=Path), required=True, help="The trace: a .parquet file."
)
@click.option("--scenario", metavar="FILE", type=click.Path(path_type=Path), help="Also draft a scenario that runs it.")
@click.option("--timezone", metavar="ZONE", help="Of times that do not say theirs, and of the draft: Europe/Berlin.")
@click.option("--no-lock", is_flag=True, help="Give each task a workspace of its own: the system does not lock them.")
@click.option("--anonymise", is_flag=True, help="Give tasks and workspaces other names, which nobody can undo.")
@click.option("--force", is_flag=True, help="Write over a scenario that is there already.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def import_command(
    source: str,
    kind: Kind | None,
    out: Path,
    scenario: Path | None,
    timezone: str | None,
    no_lock: bool,
    anonymise: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Read the records of a real system and write them as a trace.

    SOURCE is a file (.csv, .tsv, .json, .jsonl, .parquet, .swf, each also .gz or .zst), a folder with the pages of an
    API as .json files, or the address of a database (postgresql://...). It prints what became of every row.
    """
    from sim.results.atomic_write import write_text
    from sim.scenario import InputError
    from sim.traces.draft import draft
    from sim.traces.importing import with_other_names, write_trace
    from sim.traces.moments import expect_zone
    from sim.traces.records import import_records

    if out.suffix != ".parquet":
        raise InputError(str(out), "", "found another ending, expected a file that ends in .parquet")
    if timezone is not None:
        expect_zone(timezone, "--timezone")
    for path, what in ((out, "--out"), (scenario, "--scenario")):
        if (
            path is not None
            and "://" not in source
            and path.exists()
            and Path(source).exists()
            and path.samefile(source)
        ):
            raise InputError(str(path), what, "found the file that is read, expected another one")
    _expect_yaml(scenario, force)
    imported = import_records(source, kind, timezone, lock=not no_lock)
    if anonymise:
        import secrets

        imported = with_other_names(imported, secrets.token_hex(16))
    drafted = None if scenario is None else draft(imported, out, scenario, timezone)
    if scenario is not None and drafted is not None:
        is_new = not scenario.exists()
        write_text(scenario, drafted)
        try:
            write_trace(imported, out)
        except InputError:
            if is_new:
                scenario.unlink()
            raise
    else:
        write_trace(imported, out)
    if not quiet:
        for line in account_lines(imported):
            click.echo(line)
        click.echo(f"\nTrace: {out}")
        if scenario is not None:
            click.echo(f"Scenario: {scenario}   (next: sim run {scenario})")


@click.command("fit")
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--scenario", metavar="FILE", type=click.Path(path_type=Path), help="Also draft a scenario with it.")
@click.option("--picture", metavar="FILE", type=click.Path(path_type=Path), help="How alike: png, svg or pdf.")
@click.option("--empirical", is_flag=True, help="Take the recorded lengths themselves, and no distributions.")
@click.option("--timezone", metavar="ZONE", help="Whose hours and weekdays are meant, such as Europe/Berlin.")
@click.option("--force", is_flag=True, help="Write over a scenario that is there already.")
def fit_command(
    trace: Path, scenario: Path | None, picture: Path | None, empirical: bool, timezone: str | None, force: bool
) -> None:
    """Print the `arrivals:` block that is most like TRACE, and how like it is.

    So that a scenario can have as many worlds as it wants, and not only the one that was recorded.
    """
    from sim.report.pictures.likeness import likeness
    from sim.report.save import save_figure
    from sim.results.atomic_write import write_text
    from sim.scenario import InputError
    from sim.scenario.workload import Trace
    from sim.traces.draft import scenario_text
    from sim.traces.fit import fit, frame_of
    from sim.traces.moments import expect_zone, week_offset
    from sim.traces.recording import read_recording

    if timezone is not None:
        expect_zone(timezone, "--timezone")
    _expect_yaml(scenario, force)
    if trace.suffix in (".yaml", ".yml"):
        raise InputError(str(trace), "", "found a scenario, expected the trace that it names")
    recording = read_recording(trace, Trace(file=str(trace), timezone=timezone))
    zero = 60.0 * ((recording.zero or 0.0) // 60)  # a profile of arrivals begins with a minute
    found = fit(recording, week_offset(zero, timezone), empirical)
    for note in (*recording.notes, *found.notes):
        click.echo(note, err=True)
    block = yaml_of({"arrivals": list(found.blocks) if len(found.blocks) > 1 else found.blocks[0]})
    click.echo(block)
    for line in likeness_lines(found):
        click.echo(f"# {line}".rstrip())
    if scenario is not None:
        indented = "".join(f"  {line}\n" for line in block.splitlines()).rstrip()
        text = scenario_text(frame_of(recording), zero, str(trace), "sim fit", scenario, indented, timezone, 20)
        write_text(scenario, text)
        click.echo(f"# Scenario: {scenario}   (next: sim run {scenario})")
    if picture is not None:
        hours = [(each.pool, each.weekday, each.hour, each.recorded, each.fitted) for each in found.hours]
        save_figure(lambda: likeness(hours, found.samples), "likeness", picture)
        click.echo(f"# Picture: {picture}")


@click.command("calibrate")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("-p", "--policy", metavar="NAME", help="Which was in charge. [default: the scenario's first]")
@click.option("--fit", "names", metavar="NAME,...", help="Settings to look for, such as pod_startup,dispatch_retry.")
@click.option("--no-explain", is_flag=True, help="Do not try what each setting alone would explain.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, and nothing else.")
def calibrate_command(scenario: Path, policy: str | None, names: str | None, no_explain: bool, as_json: bool) -> None:
    """Compare how long tasks really waited with how long they wait in SCENARIO.

    SCENARIO has a trace that says when tasks really began, as `sim import` writes it, and as its first policy the one
    that was in charge.
    """
    import json

    from sim.check.calibration import calibrate
    from sim.check.calibration_words import as_data, calibration_lines
    from sim.scenario import InputError
    from sim.traces.load import load_scenario

    if scenario.suffix == ".parquet":
        raise InputError(str(scenario), "", "found a trace, expected a scenario that names it (.yaml)")
    loaded = load_scenario(scenario)
    fit = [name.strip() for name in names.split(",") if name.strip()] if names else []
    found = calibrate(loaded, policy, fit, explain=not no_explain)
    if as_json:
        click.echo(json.dumps(as_data(found), indent=2))
        return
    for line in calibration_lines(found, str(scenario)):
        click.echo(line)


def _expect_yaml(scenario: Path | None, force: bool) -> None:
    """Refuse another ending, and to write over a scenario that somebody may have edited."""
    from sim.scenario import InputError

    if scenario is not None and scenario.suffix not in (".yaml", ".yml"):
        raise InputError(str(scenario), "", "found another ending, expected a scenario file that ends in .yaml")
    if scenario is not None and scenario.is_file() and not force:
        problem = "found a scenario that is there already, expected a new file: --force writes over it"
        raise InputError(str(scenario), "", problem)


def yaml_of(data: dict[str, Any]) -> str:
    """*data* as YAML, small parts of it on one line."""
    from io import StringIO

    from ruamel.yaml import YAML

    writer = YAML()
    writer.default_flow_style = None
    writer.width = 110
    text = StringIO()
    writer.dump(data, text)
    return text.getvalue().rstrip()


def likeness_lines(found: Fit) -> list[str]:
    """How alike the block and the recording are, in lines."""
    lines = ["How alike (in seconds; distance: the largest difference of the two distribution functions)", ""]
    width = max([len(each.pool) for each in found.likeness], default=4)
    head = f"{'pool':<{width}}  {'':<8} {'family':<12} {'tasks':>7} {'distance':>8}"
    lines.append(f"{head} {'median':>18} {'95 % within':>20} {'mean':>18}")
    for each in found.likeness:
        pairs = [f"{a:,.4g} : {b:,.4g}" for a, b in zip(each.recorded, each.fitted, strict=True)]
        lines.append(
            f"{each.pool:<{width}}  {each.quantity:<8} {each.family:<12} {each.values:>7,} {each.distance:>8.3f} "
            f"{pairs[0]:>18} {pairs[1]:>20} {pairs[2]:>18}"
        )
    lines += ["", "Recorded : fitted. Arrivals in the busiest hours of the week (per hour):"]
    for hour in sorted(found.hours, key=lambda each: -each.recorded)[:5]:
        lines.append(f"{hour.pool}, {hour.weekday} {hour.hour:02}:00: {hour.recorded:.3g} : {hour.fitted:.3g}")
    return lines


def account_lines(imported: Imported) -> list[str]:
    """What became of every row, in lines."""
    account = imported.account
    left = sum(each.rows for each in account.left_out)
    lines = [f"{account.source}: {account.read:,} rows read = {account.kept:,} kept + {left:,} left out"]
    lines += [f"  left out: {each.rows:,}, {each.reason} (first: {each.first})" for each in account.left_out]
    lines += ["", "What they are"]
    lines += [f"  {count:>8,}  {what}" for what, count in account.endings.items() if count]
    lines += _pools(imported) + _waits(imported)
    for title, entries in (("What to know", account.notes), ("What had to be concluded", account.inferred)):
        if entries:
            lines += ["", title, *(f"  - {entry}" for entry in entries)]
    if account.odd:
        lines += ["", "The oddest rows: check whether they are true", *(f"  {o.row}: {o.what}" for o in account.odd)]
    return lines


def _pools(imported: Imported) -> list[str]:
    if "pool" not in imported.frame:
        return []
    counts = imported.frame.pool.value_counts()
    return ["", "By pool", *(f"  {count:>8,}  {name}" for name, count in counts.items())]


def _waits(imported: Imported) -> list[str]:
    """How long tasks really waited."""
    frame = imported.frame
    lines = []
    for what, waits in (
        ("to plan, from their arrival", frame.recorded_plan_started - frame.arrive),
        ("to apply, once confirmed", frame.recorded_apply_started - frame.recorded_confirmed),
    ):
        there = waits.dropna()
        if len(there):
            lines.append(
                f"  {what}: 50 % within {there.quantile(0.5):.3g} s, 95 % within {there.quantile(0.95):.3g} s, "
                f"longest {there.max():.3g} s ({len(there):,} tasks)"
            )
    return ["", "How long they really waited", *lines] if lines else []
