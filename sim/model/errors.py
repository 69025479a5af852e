"""What can go wrong in a run."""

from __future__ import annotations


class IllegalMoveError(RuntimeError):
    """The model tried something that model.md does not allow. A defect of the simulator."""


class PolicyError(Exception):
    """A policy did what no policy may: it raised, or answered with something that is not a number of pods."""
