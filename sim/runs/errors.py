"""What can go wrong in a run."""

from __future__ import annotations


class IllegalMoveError(RuntimeError):
    """Something tried a transition that the platform does not allow: a defect of the simulator, or of a process of a
    user's own.
    """


class PolicyError(Exception):
    """A policy raised an error, or its answer is not a number of pods."""
