"""How things look: colours that all eyes tell apart (Okabe and Ito, "Color universal design", 2008), and never colour
alone: policies differ in line and marker too, phases in hatching.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C")
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")

GREY = "#8C8C8C"
WAIT = "#D55E00"


@dataclass(frozen=True)
class BarStyle:
    """How a phase of a slot looks in a timeline."""

    name: str
    colour: str
    hatch: str = ""


PHASES = {
    "plan": BarStyle("plan", "#56B4E9"),
    "reserved": BarStyle("reserved", "#E69F00", "////"),
    "apply": BarStyle("apply", "#009E73"),
    "starting": BarStyle("pod starting", "none", "...."),
    "draining": BarStyle("pod draining", "#F0E442", ""),
    "offline": BarStyle("agent silent", "none", "xxxx"),
}


def name(text: object, longest: int = 30) -> str:
    """The name that somebody gave to something, as a picture shows it: on one line, not too long, and literally.

    Between dollar signs Matplotlib would read formulas.
    """
    words = " ".join(str(text).split())
    return (words if len(words) <= longest else words[: longest - 1] + "…").replace("$", r"\$")


def legend(axes: Axes, labels: Sequence[str], **options: Any) -> None:
    """A legend of what was drawn with these *labels*, also of those that begin with an underscore."""
    drawn: list[Any] = [*axes.lines, *axes.containers]
    found = {each.get_label(): each for each in drawn if each.get_label() in labels}
    axes.legend(handles=list(found.values()), labels=list(found), frameon=False, **options)


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a frame, with its columns as attributes."""
    return iter(frame.itertuples(index=False))


def line(number: int) -> dict[str, Any]:
    """How the line of the *number*-th policy is drawn."""
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": LINES[number % len(LINES)]}


def marker(number: int) -> str:
    """The marker of the *number*-th policy."""
    return MARKERS[number % len(MARKERS)]


def clock(seconds: float, _: object = None) -> str:
    """A moment on a time axis: hours and minutes, with seconds where they matter."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}" + (f":{rest:02d}" if rest else "")


def duration(seconds: float, _: object = None) -> str:
    """A length of time in its natural unit."""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


def time_axis(axes: Axes, begin: float, end: float) -> None:
    """Have the x axis of *axes* show simulated time, with ticks at round moments."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    steps = [1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200]
    days = [86400 * each for each in (1, 2, 7, 14, 30, 90, 365, 1825, 7300)]
    axes.set_xlim(begin, end)
    if end - begin < 5:
        return
    step = next((each for each in [*steps, *days] if (end - begin) / each <= 9), days[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(clock if step < days[0] else lambda at, _: f"{at / 86400:g} d"))


def duration_axis(axis: Axis, longest: float) -> None:
    """Have *axis* show lengths of time from 0 to about *longest* seconds, with ticks at round ones."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    steps = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 432000]
    axis.set_major_locator(MultipleLocator(next((step for step in steps if longest / step <= 7), longest or 1.0)))
    axis.set_major_formatter(FuncFormatter(duration))


def plain(axes: Axes) -> None:
    """Take away what carries no information."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both", color=GREY, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)


def new_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """*ax*, or axes of a new figure of *size* inches."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def new_column(rows: int, size: tuple[float, float], heights: Sequence[float] | None = None) -> list[Axes]:
    """Axes below each other that share the x axis, in a new figure of *size* inches."""
    from matplotlib import pyplot as plt

    _, grid = plt.subplots(
        rows, 1, figsize=size, sharex=True, squeeze=False, layout="constrained", height_ratios=heights
    )
    return list(grid[:, 0])
