"""Skipping what cannot matter changes nothing: literal mode makes every tick and every retry."""

from __future__ import annotations

from hypothesis import given

import sim
from sim.scenario import Scenario

from support import assert_same_records, scenarios


@given(scenarios(guarded=True))
def test_skipping_and_literal_mode_give_identical_records(scenario: Scenario) -> None:
    assert_same_records(sim.run(scenario), sim.run(scenario, literal=True))
