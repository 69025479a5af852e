"""What is to be simulated: frozen, checked values, and reading them from files."""

from sim.scenario.errors import InputError
from sim.scenario.load import load_scenario, parse_scenario
from sim.scenario.scenario import PolicyChoice, Scenario

__all__ = ["InputError", "PolicyChoice", "Scenario", "load_scenario", "parse_scenario"]
