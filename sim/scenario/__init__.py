"""What is to be simulated, as frozen and checked values."""

from sim.scenario.errors import InputError
from sim.scenario.scenario import PolicyChoice, Scenario

__all__ = ["InputError", "PolicyChoice", "Scenario"]
