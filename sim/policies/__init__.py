"""Autoscaling policies, one file each, and the registry of those that a scenario can name."""

from __future__ import annotations

from sim.policies.demand import Demand
from sim.policies.fixed import Fixed
from sim.policies.landed import Landed
from sim.policies.old import Old
from sim.policies.static import Static
from sim.policies.view import Policy, PoolView

__all__ = ["Demand", "Fixed", "Landed", "Old", "Policy", "PoolView", "Static"]
