"""The platform in SimPy, as model.md describes it: a specification of the rules that can be run.

Every tick and every retry happens. `sim.engine` gives the same records faster, and does not have to be read to know
what the platform does. Times are whole nanoseconds.
"""

from sim.model.faults import delete_pod, silence_pod, target
from sim.model.instant import PlatformEnvironment
from sim.model.platform import Platform
from sim.model.run import OwnProcess, simulate
from sim.model.task import Task
from sim.runs.time import SECOND

__all__ = [
    "SECOND",
    "OwnProcess",
    "Platform",
    "PlatformEnvironment",
    "Task",
    "delete_pod",
    "silence_pod",
    "simulate",
    "target",
]
