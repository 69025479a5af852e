"""The commands that begin with records of a real system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sim.traces.events import Imported
    from sim.traces.importing import Kind

KINDS = ("table", "swf", "batsim", "hcp-terraform", "terranova", "gitlab", "github", "buildkite")


@click.command("import")
@click.argument("source")
@click.option("--from", "kind", type=click.Choice(KINDS), help="What wrote the records. [default: guessed]")
@click.option(
    "-o", "--out", metavar="FILE", type=click.Path(path_type=Path), required=True, help="The trace: a .parquet file."
)
@click.option("--scenario", metavar="FILE", type=click.Path(path_type=Path), help="Also draft a scenario that runs it.")
@click.option("--timezone", metavar="ZONE", help="Of times that do not say theirs, such as Europe/Berlin.")
@click.option("--anonymise", is_flag=True, help="Give tasks and workspaces other names, which nobody can undo.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def import_command(
    source: str,
    kind: Kind | None,
    out: Path,
    scenario: Path | None,
    timezone: str | None,
    anonymise: bool,
    quiet: bool,
) -> None:
    """Read the records of a real system and write them as a trace.

    SOURCE is a file (.csv, .tsv, .json, .jsonl, .parquet, .swf, each also .gz or .zst), a folder with the pages of an
    API as .json files, or the address of a database (postgresql://...). It prints what became of every row.
    """
    from sim.results.atomic_write import write_text
    from sim.scenario import InputError
    from sim.traces.draft import draft
    from sim.traces.importing import import_records, with_other_names, write_trace
    from sim.traces.moments import zone_of

    if out.suffix != ".parquet":
        raise InputError(str(out), "", "found another ending, expected a file that ends in .parquet")
    if timezone is not None:
        try:
            zone_of(timezone)
        except ValueError:
            raise InputError("", "--timezone", f"found {timezone!r}, expected a time zone: Europe/Berlin") from None
    imported = import_records(source, kind, timezone)
    if anonymise:
        import secrets

        imported = with_other_names(imported, secrets.token_hex(16))
    write_trace(imported, out)
    if scenario is not None:
        write_text(scenario, draft(imported, out, scenario, timezone))
    if not quiet:
        for line in account_lines(imported):
            click.echo(line)
        click.echo(f"\nTrace: {out}")
        if scenario is not None:
            click.echo(f"Scenario: {scenario}   (next: sim run {scenario})")


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
