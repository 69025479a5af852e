"""The platform: who owns what there is."""

from __future__ import annotations

from sim.model.autoscaler import Autoscaler
from sim.model.causes import split_waits
from sim.model.instant import PlatformEnvironment
from sim.model.pool import Pool
from sim.model.provisioning import Provisioning
from sim.model.recorder import RunRecorder
from sim.model.server import Server
from sim.model.task import Task
from sim.policies.view import Policy
from sim.runs.inputs import RandomInputs
from sim.runs.settings import PlatformSettings


class Platform:
    """A platform at time 0: with its first pods ready, and no tasks yet.

    Args:
        settings: how it is set up.
        inputs: what is random in its world.
        policy: the autoscaling policy.
    """

    def __init__(self, settings: PlatformSettings, inputs: RandomInputs, policy: Policy) -> None:
        self.settings = settings
        self.env = PlatformEnvironment(self._before_time_passes)
        self.record = RunRecorder()
        self.server = Server(self.env, settings, inputs, self.record)
        provisioning = Provisioning(self.env, settings, inputs, self.server)
        self.autoscaler = Autoscaler(self.env, settings, policy, self.server, provisioning, self.record)
        self._made = len(inputs.tasks)
        for _ in range(settings.initial_pods):
            self.pool.connect(self.pool.make_pod())

    @property
    def pool(self) -> Pool:
        """The pods."""
        return self.server.pool

    def _before_time_passes(self, until: int) -> None:
        split_waits(self.server, until - self.env.now)

    def submit(self, task: Task, at: int) -> None:
        """Have *task* arrive at the time *at*."""
        self.env.process(self.server.arrival(task, at))
