"""The table of what was measured, and the page it is written to."""

from __future__ import annotations

import os
import platform
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

    def figure(self) -> str:
        """The ratio with its spread, in bold if the goal is not met; or why there is none."""
        if not self.values:
            return self.problem
        low, high = quartiles(self.values)
        middle = _digits(median(self.values))
        return f"{f'**{middle}**' if self.met is False else middle} ({_digits(low)} .. {_digits(high)})"

    def line(self) -> str:
        """All of it, for the terminal."""
        return " | ".join((self.what, self.figure(), self.goal, self.times))


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def markdown(forms: dict[str, list[Row]], pairs: int) -> str:
    """The table, and what has to be known to read it: a line for what the rows of the same name say in all *forms*."""
    by_name = {form: {row.what: row for row in rows} for form, rows in forms.items()}
    lines = [
        f"Measured on {_machine()}. Each ratio is the median of {pairs} pairs, with the quartiles in brackets, and in "
        "bold where it misses the goal; CPU time, in a process of its own for each measurement, unless a note says "
        "otherwise.",
        "",
        f"| what | goal | {' | '.join(forms)} | {' | '.join(f'times, {form}' for form in forms)} |",
        f"|---|---|{'---|' * 2 * len(forms)}",
    ]
    notes = []
    for what in dict.fromkeys(row.what for rows in forms.values() for row in rows):
        rows = [named.get(what, Row(what)) for named in by_name.values()]
        goal = max(row.goal for row in rows)
        lines.append(f"| {' | '.join([what, goal, *(row.figure() for row in rows), *(row.times for row in rows)])} |")
        notes += [f"- {what}: {note}" for note in dict.fromkeys(row.note for row in rows) if note]
    return "\n".join([*lines, "", *notes])


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
