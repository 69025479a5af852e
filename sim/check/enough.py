"""`replications: enough`: as many as it takes to decide the thresholds."""

from __future__ import annotations

from collections.abc import Callable

from sim.check.threshold_verdict import judge
from sim.check.thresholds import thresholds_of
from sim.experiment.precision import looks
from sim.scenario import Scenario
from sim.statistics.columns import Worlds
from sim.statistics.metrics import Measured


def level_of_checks(scenario: Scenario) -> float:
    """The confidence at which checks are judged, so that all looks of an experiment together hold at the scenario's.

    With a given number of replications there is only one look.
    """
    return 1 - (1 - scenario.confidence) / looks(scenario)


def until_decided(scenario: Scenario) -> Callable[[Measured, Worlds], bool]:
    """A rule that says whether the figures of an experiment decide all thresholds of the scenario."""

    def enough(measured: Measured, worlds: Worlds) -> bool:
        level = level_of_checks(scenario)
        thresholds = thresholds_of(scenario, list(measured))
        return all(judge(each, measured, level, worlds).verdict != "undecided" for each in thresholds)

    return enough
