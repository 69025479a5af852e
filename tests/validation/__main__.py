"""`make validate`: compare the simulator with what is known, and write docs/validation.md.

Ends with status 1 if a comparison does not hold.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from alarms import alarms
from intervals import coverage
from peers import same_waits_as_ciw
from queues import theory

PAGE = Path(__file__).parents[2] / "docs" / "validation.md"

HEAD = """\
# Validation

Written by `make validate`. Do not edit.

With `dispatch: notify`, one-slot pods, the policy `static` and plans only, the model is a queue, and what it should do
is known: Erlang C for M/M/c, Pollaczek-Khinchine for M/G/1. Each line of those is 20 replications of 20,000 customers,
the first fifth of the time not counted; deviations are in standard errors of the mean over replications, and with as
many comparisons the largest may be beyond 3.

| what | known | ours | deviation | holds |
|---|---|---|---|---|
"""


def main() -> int:
    """Make the page; the exit status."""
    rows = [*theory(20_000, 20), *same_waits_as_ciw(20_000), *coverage(1000), *alarms(200)]
    lines = [
        f"| {r.what} | {r.known:.5g} | {r.ours:.5g} | {r.deviation} | {'yes' if r.holds else '**no**'} |" for r in rows
    ]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return int(not all(row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(main())
