"""What a search for the best point found, in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.report.aligned import aligned

if TYPE_CHECKING:
    from sim.experiment.choose import Choice, Constraint


WORDS = {"open": "still open", "infeasible": "misses a limit", "beaten": "another is better"}


def choice_lines(choice: Choice, minimize: str, limits: Sequence[Constraint], confidence: float) -> list[str]:
    """The outcome in lines: a sentence, and a row for each candidate."""
    candidates = choice.candidates
    paths = list(candidates[0].point)
    head = [*paths, "policy", minimize, *(limit.metric for limit in limits), "worlds", ""]
    rows = [
        [
            *(str(each.point[path]) for path in paths),
            each.policy,
            f"{each.figure:,.6g}",
            *(f"{value:,.6g}" for value in each.limited),
            str(each.replications),
            "chosen" if number == choice.chosen else WORDS[each.state],
        ]
        for number, each in enumerate(candidates)
    ]
    table = aligned([head, *rows])
    equal = len(candidates) * max(each.replications for each in candidates)
    return [
        _sentence(choice, minimize, limits, confidence),
        f"It took {choice.runs:,} runs. To observe every candidate as often as the hardest one takes {equal:,}.",
        "",
        *table,
        "",
        "Figures are means over the worlds in which a candidate was observed, which are not equally many.",
    ]


def _sentence(choice: Choice, minimize: str, limits: Sequence[Constraint], confidence: float) -> str:
    if choice.chosen is not None:
        best = choice.candidates[choice.chosen]
        where = ", ".join(f"{path} = {value}" for path, value in best.point.items())
        within = " of those within the limits" if limits else ""
        return (
            f"{best.policy} with {where} has the smallest {minimize}{within} (with a probability of {confidence:.0%})."
        )
    if choice.decided:
        return f"No candidate keeps within the limits (with a probability of {confidence:.0%})."
    left = sum(each.state == "open" for each in choice.candidates)
    return f"{left} candidates cannot be told apart yet: more worlds (-r) or a larger --indifference would."
