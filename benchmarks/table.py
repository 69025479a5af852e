"""The table of what was measured, and the page it is written to."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from benchmarks.alone import ROOT
from benchmarks.pairs import quartiles

PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- Written by `make bench`: do not edit from here ... -->"
END = "<!-- ... to here. -->"

HEAD = f"""\
# Performance

{BEGIN}
{END}
"""

PACKAGES = ("simpy", "ciw", "simfaas", "salabim", "numpy", "pandas", "pyarrow")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `values` are the ratios, one per pair. The goal is `at_least` or `at_most` that much, if there is one. `times` are
    the medians behind the ratio, and `problem` says why there is no ratio.
    """

    what: str
    values: list[float] = field(default_factory=list)
    at_least: float | None = None
    at_most: float | None = None
    times: str = ""
    problem: str = ""
    note: str = ""
    """What has to be known to read the figure; stands below the table."""

    @property
    def goal(self) -> str:
        """The goal for people."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}" if self.at_most is not None else ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None if there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        if not self.values:
            return False
        reached = median(self.values)
        return reached >= self.at_least if self.at_least is not None else reached <= (self.at_most or 0)

    def cells(self) -> tuple[str, ...]:
        """What, median, spread, goal, whether it is met, and the times."""
        if self.values:
            low, high = quartiles(self.values)
            figures = (_digits(median(self.values)), f"{_digits(low)} .. {_digits(high)}")
        else:
            figures = ("-", self.problem)
        met = {None: "", True: "yes", False: "**no**"}[self.met]
        return (self.what, *figures, self.goal, met, self.times)


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def markdown(rows: Iterable[Row], pairs: int) -> str:
    """The table and what has to be known to read it."""
    rows = list(rows)
    lines = [
        f"Measured on {_machine()}. Each ratio is the median of {pairs} pairs, with the quartiles as its spread; CPU "
        "time, in a process of its own for each measurement, unless the line says otherwise.",
        "",
        "| what | ratio | spread | goal | met | times |",
        "|---|---|---|---|---|---|",
        *(f"| {' | '.join(row.cells())} |" for row in rows),
    ]
    notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def write_page(table: str, page: Path = PAGE) -> None:
    """Put *table* between the marks of the page; all else on it is written by hand and stays."""
    text = page.read_text(encoding="utf-8") if page.exists() else HEAD
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page}: the two marks of the table are not there")
    page.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


def _machine() -> str:
    return f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, {_versions()}"


def _versions() -> str:
    return ", ".join(f"{package} {_version(package)}" for package in PACKAGES)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
