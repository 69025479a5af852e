"""`make validate`: compare the simulator with what is known, and write docs/validation.md.

Ends with status 1 if a comparison does not hold.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bounds import bounds
from intervals import coverage
from peers import same_waits_as_ciw
from queues import Row, theory
from rare_waits import baselines, coverage_table, family_wise, population

PAGE = Path(__file__).parents[2] / "docs" / "validation.md"

HEAD = """\
# Validation

Written by `make validate`. Do not edit.

With `dispatch: notify`, one-slot pods, the policy `static` and plans only, the model is a queue, and what it should do
is known: Erlang C for M/M/c, Pollaczek-Khinchine for M/G/1. Each line of those is 20 replications of 20,000 customers,
the first fifth of the time not counted; deviations are in standard errors of the mean over replications, and with as
many comparisons the largest may be beyond 3.

"""

STATISTICS = """
## What the statistics are worth

The shipped scenario `steady-day`, of a day and cut off after 6 hours, where waits are 0 in most worlds and huge in some.
{size:,} replications were simulated and are taken for all worlds that there are, so that the truth is known. Experiments
are made by drawing from them.

"""

COVERAGE = """
How often a 95 % interval contains the truth, {experiments:,} experiments each, counting those with enough data.
`share` is the share of confirmed tasks that wait longer than 60 s. Bold: below 93 % or above 97 %. Above, the interval is
wider than it need be.

"""


def table(rows: Sequence[Row]) -> str:
    """The rows as a table."""
    lines = [
        f"| {r.what} | {r.known:.5g} | {r.ours:.5g} | {r.deviation} | {'yes' if r.holds else '**no**'} |" for r in rows
    ]
    return "| what | known | ours | deviation | holds |\n|---|---|---|---|---|\n" + "\n".join(lines) + "\n"


def main(size: int = 6000, experiments: int = 2000) -> int:
    """Make the page; the exit status."""
    known = [*theory(20_000, 20), *same_waits_as_ciw(20_000), *coverage(1000)]
    with ProcessPoolExecutor(2) as pool:
        populations = {"6 h": population("6h", size, pool), "24 h": population("1d", size, pool)}
        text, rows = coverage_table(populations, experiments, pool)
        rows += family_wise(populations["24 h"], experiments)
        rows += baselines(populations["24 h"], experiments // 5, pool)
        rows += bounds(2000, pool)
    PAGE.write_text(
        HEAD + table(known) + STATISTICS.format(size=size) + table(rows) + COVERAGE.format(experiments=experiments)
        + text + "\n", encoding="utf-8",
    )  # fmt: skip
    print(PAGE.read_text(encoding="utf-8"))
    return int(not all(row.holds for row in (*known, *rows)))


if __name__ == "__main__":
    sys.exit(main())
