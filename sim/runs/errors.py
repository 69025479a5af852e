"""What can go wrong in a run."""

from __future__ import annotations


class IllegalMoveError(RuntimeError):
    """The simulation tried a transition that model.md does not allow. That is a defect of the simulator."""


class PolicyError(Exception):
    """A policy raised an error, or its answer is not a number of pods."""
