"""The points of a sweep: which values the settings take, and in which combinations.

Values are written as

- a list, `1m,5m,15m`;
- a range with a step, `5..50:5`, both ends included;
- a range without one, `5..50`: every whole number, or, in a sample, any value in between;
- a range with `log`, `10s..30m:log`, or `10s..30m:log8`: so many values (5), each larger by the same factor. In a
  sample any value in between, spread evenly over the logarithm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import exp, log, prod
from typing import Any, Final, Literal, TypeAlias

from sim.scenario import InputError
from sim.scenario.errors import shown
from sim.scenario.reading.document import Document
from sim.scenario.units import SECONDS

Value: TypeAlias = int | float | str | bool | None
Point: TypeAlias = dict[str, Value]
"""The settings of one point, by path."""

Method: TypeAlias = Literal["lhs", "sobol"]

LOG_VALUES: Final = 5
MOST_POINTS: Final = 1_000_000

_RANGE = re.compile(r"\s*([^.\s][^:\s]*?)\.\.([^:\s]+?)(?::(\S+))?\s*")
_NUMBER = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)\s*([smhd%]?)")


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting of a sweep.

    `values` are those that it takes in a grid. `low` and `high` are the ends of a range, in which a sample lies
    anywhere; None if there is only a list. `unit` is what is written after a number of the range.
    """

    path: str
    values: tuple[Value, ...]
    low: float | None = None
    high: float | None = None
    logarithmic: bool = False
    whole: bool = False
    unit: str = ""

    def at(self, u: float) -> Value:
        """The value that the uniform number *u* from [0, 1) stands for."""
        if self.low is None or self.high is None:
            return self.values[int(u * len(self.values))]
        if self.whole:
            count = int(self.high - self.low) + 1
            if self.logarithmic:
                return min(int(exp(log(self.low) + u * (log(self.high + 1) - log(self.low)))), int(self.high))
            return int(self.low) + int(u * count)
        if self.logarithmic:
            value = exp(log(self.low) + u * (log(self.high) - log(self.low)))
        else:
            value = self.low + u * (self.high - self.low)
        return _written(float(f"{value:.4g}"), self.unit)


def axis_of(path: str, text: Any) -> Axis:
    """The axis that *text* describes, or a list of values, or a range of Python's.

    Raises:
        InputError: it describes none.
    """
    if isinstance(text, str):
        match = _RANGE.fullmatch(text)
        if match is not None:
            return _range(path, text, match[1], match[2], match[3])
        parts: Sequence[Any] = [Document(part, f"--set {path}").data for part in _split(text)]
    elif isinstance(text, Sequence | range):
        parts = list(text)
    elif isinstance(text, int | float | bool) or text is None:
        parts = [text]
    else:
        parts = list(text)
    if not parts:
        raise InputError("", path, "found no values, expected a list or a range, such as 5..50:5")
    return Axis(path, tuple(parts))


def _split(text: str) -> list[str]:
    """The parts of a list, of which none is split within brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _range(path: str, text: str, low_text: str, high_text: str, step_text: str | None) -> Axis:
    def mistake(expected: str) -> InputError:
        return InputError("", path, f"found {shown(text)}, expected {expected}")

    low_match, high_match = _NUMBER.fullmatch(low_text), _NUMBER.fullmatch(high_text)
    if low_match is None or high_match is None:
        raise mistake("a range of numbers, such as 5..50:5 or 10s..30m:log")
    (low, low_unit), (high, high_unit) = ((float(m[1]), m[2]) for m in (low_match, high_match))
    unit = low_unit
    if low_unit != high_unit:
        if low_unit not in SECONDS or high_unit not in SECONDS:
            raise mistake("the same unit at both ends, or units of time")
        low, high, unit = low * SECONDS[low_unit], high * SECONDS[high_unit], "s"
    whole = unit == "" and all("." not in m[1] and "e" not in m[1].lower() for m in (low_match, high_match))
    if low > high:
        raise mistake("the lower end first")
    if step_text is None or step_text.startswith("log"):
        logarithmic = step_text is not None
        if logarithmic and low <= 0:
            raise mistake("a lower end above 0 for log")
        digits = "" if step_text is None else step_text[3:]
        if logarithmic and digits and (not digits.isdecimal() or int(digits) < 2):
            raise mistake("log with a number of values of at least 2, such as log8")
        values: list[float]
        if logarithmic:
            count = int(digits) if digits else LOG_VALUES
            values = [low * (high / low) ** (n / (count - 1)) for n in range(count)]
        elif whole and high - low < MOST_POINTS:
            values = [low + n for n in range(int(high - low) + 1)]
        else:
            values = [low, (low + high) / 2, high]
        return Axis(path, _all_written(values, unit, whole), low, high, logarithmic, whole, unit)
    step_match = _NUMBER.fullmatch(step_text)
    if step_match is None:
        raise mistake("a step that is a number, with a unit of time or none, such as 5..50:5 or 10s..5m:30s")
    if not float(step_match[1]) > 0:
        raise mistake("a step above 0, such as 5..50:5")
    step = float(step_match[1])
    if step_match[2] != unit:
        if step_match[2] not in SECONDS or unit not in SECONDS:
            raise mistake("a step in the unit of the ends")
        low, high, step, unit = low * SECONDS[unit], high * SECONDS[unit], step * SECONDS[step_match[2]], "s"
    if (high - low) / step > MOST_POINTS:
        raise mistake(f"at most {MOST_POINTS:,} values")
    values = [low + n * step for n in range(int((high - low) / step + 1e-9) + 1)]
    return Axis(path, _all_written(values, unit, whole and "." not in step_match[1]), low, high, False, whole, unit)


def _all_written(values: Sequence[float], unit: str, whole: bool) -> tuple[Value, ...]:
    found: list[Value] = [round(value) if whole else _written(float(f"{value:.6g}"), unit) for value in values]
    return tuple(dict.fromkeys(found))


def _written(value: float, unit: str) -> Value:
    if not unit:
        return value
    return f"{value:g}{unit}"


def grid(axes: Sequence[Axis]) -> Iterator[Point]:
    """All combinations of the axes' values.

    Raises:
        InputError: there are too many.
    """
    count = prod(len(axis.values) for axis in axes)
    if count > MOST_POINTS:
        raise InputError(
            "", "sweep", f"found {count:,} points, expected at most {MOST_POINTS:,}: --sample takes some of them"
        )
    for values in product(*(axis.values for axis in axes)):
        yield dict(zip((axis.path for axis in axes), values, strict=True))


def sample(axes: Sequence[Axis], count: int, method: Method, seed: int) -> list[Point]:
    """So many points that fill the space of the axes evenly: a Latin hypercube, or the Sobol sequence.

    Two that fall on the same values count once, so there may be fewer.
    """
    import numpy as np
    from scipy.stats import qmc

    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SAMPLE,)))
    if method == "lhs":
        numbers = qmc.LatinHypercube(len(axes), rng=random).random(count)
    else:
        power = max(count - 1, 1).bit_length()
        numbers = qmc.Sobol(len(axes), rng=random).random_base2(power)[:count]
    points = [{axis.path: axis.at(float(u)) for axis, u in zip(axes, row, strict=True)} for row in numbers]
    return [dict(each) for each in dict.fromkeys(tuple(point.items()) for point in points)]


_SAMPLE: Final = 1000
"""Keeps the numbers of a sample apart from those of all worlds."""


def axes_of(settings: Mapping[str, Any]) -> list[Axis]:
    """The axes of settings by path."""
    return [axis_of(path, values) for path, values in settings.items()]
