"""`python -m benchmarks`: measure everything, print the table, and write it to docs/performance.md."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import click

from benchmarks import commands, compiled, kernel, peers, polling, scaling, stages
from benchmarks.alone import NotHereError, choose
from benchmarks.table import PAGE, Row, markdown, write_page

Parts = dict[str, Callable[[], Iterator[Row]]]


def full(pairs: int) -> Parts:
    """All that is measured, at full size."""
    return {
        "peers": lambda: peers.rows(pairs, customers=200_000),
        "kernel": lambda: kernel.rows(pairs, tasks=200_000),
        "compiled": lambda: compiled.rows(pairs, customers=200_000, tasks=200_000),
        "polling": lambda: polling.rows(pairs, days=30, backlog=1000, backlog_hours=6),
        "scaling": lambda: scaling.rows(
            pairs, tasks=1_000_000, less=10_000, pod_tasks=200_000, pods=10_000, memory_tasks=1_000_000
        ),
        "stages": lambda: stages.rows(3, tasks=1_000_000),
        "commands": lambda: commands.rows(pairs, count=100),
    }


def quick(pairs: int) -> Parts:
    """The source in a minute, for a change in progress."""
    return {
        "peers": lambda: peers.rows(pairs, customers=20_000),
        "kernel": lambda: kernel.rows(pairs, tasks=20_000),
        "polling": lambda: polling.rows(pairs, days=3, backlog=100, backlog_hours=6),
        "scaling": lambda: scaling.rows(
            pairs, tasks=50_000, less=10_000, pod_tasks=20_000, pods=1000, memory_tasks=40_000
        ),
        "stages": lambda: stages.rows(1, tasks=50_000),
        "commands": lambda: commands.rows(pairs, count=20),
    }


@click.command()
@click.argument("parts", nargs=-1)
@click.option("--quick", "is_quick", is_flag=True, help="Smaller, in a minute.")
@click.option("--pairs", type=click.IntRange(1), help="Pairs of runs for each line: 7, or 2 if quick.")
def main(parts: tuple[str, ...], is_quick: bool, pairs: int | None) -> None:
    """Measure all PARTS, or those named: as source and, unless quick, compiled, where there is a C compiler.

    The page is written only if all were measured in both forms, at full size and in 7 pairs or more.
    """
    pairs = pairs or (2 if is_quick else 7)
    measured = quick(pairs) if is_quick else full(pairs)
    unknown = [part for part in parts if part not in measured]
    if unknown:
        raise click.UsageError(f"found {unknown[0]}, expected one of: {', '.join(measured)}")
    begun = time.perf_counter()

    def rows(form: str) -> Iterator[Row]:
        for part in parts or measured:
            if part == "compiled" and form == "source":
                continue  # it compares the two
            for row in measured[part]():
                click.echo(f"{time.perf_counter() - begun:5.0f} s  {form}: {row.line()}", err=True)
                yield row

    forms: dict[str, list[Row]] = {}
    if not is_quick:
        try:
            compiled.compile_engine()
            choose(compiled=True)
            forms["compiled"] = list(rows("compiled"))
        except NotHereError as error:
            click.echo(f"The engine cannot be compiled here: {error}", err=True)
    choose(compiled=False)
    forms["source"] = list(rows("source"))
    table = markdown(forms, pairs)
    click.echo(table)
    if "compiled" in forms and not parts and pairs >= 7:
        write_page(table)
        click.echo(f"Written to {PAGE}", err=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
