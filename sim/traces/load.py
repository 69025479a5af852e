"""A scenario with the trace that it names."""

from __future__ import annotations

from pathlib import Path

from sim.scenario import Scenario
from sim.scenario.reading.load import read_scenario


def load_scenario(path: str | Path) -> Scenario:
    """The scenario in the YAML file *path*, checked together with its trace if it has one.

    Args:
        path: the file; ``-`` is standard input.

    Raises:
        InputError: the file cannot be read, or is not a scenario, or its trace cannot be used. The error's text is
            one line that names file, line and field, and says what was found and what was expected.
    """
    scenario = read_scenario(path)
    if scenario.workload.trace is not None:
        from sim.traces.recording import recording_of

        recording_of(scenario)
    return scenario
