"""The platform: it puts the parts together and owns them."""

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
from sim.runs.time import NEVER


class Platform:
    """A platform at time 0: with its first pods ready, and no tasks yet.

    Args:
        settings: how it is set up.
        inputs: what is random in its world.
        policy: the autoscaling policy.
    """

    def __init__(self, settings: PlatformSettings, inputs: RandomInputs, policy: Policy) -> None:
        self.settings = settings
        self.numbers_for = inputs.numbers_for
        """Makes a generator of random numbers for a name: the same one for every policy that meets this world."""
        self.env = PlatformEnvironment(self._before_time_passes)
        self.record = RunRecorder()
        self.server = Server(self.env, settings, inputs, self.record)
        provisioning = Provisioning(self.env, settings, inputs, self.server)
        self.autoscaler = Autoscaler(self.env, settings, policy, self.server, provisioning, self.record)
        self._next_task = len(inputs.tasks)
        self._next_workspace = int(max(inputs.tasks.workspace, default=-1)) + 1
        for _ in range(settings.initial_pods):
            self.pool.connect(self.pool.make_pod())

    @property
    def pool(self) -> Pool:
        """The pods."""
        return self.server.pool

    def _before_time_passes(self, until: int) -> None:
        split_waits(self.server, until - self.env.now)

    def submit(
        self, plan: float, confirm: float = NEVER, apply: float | None = None, workspace: int | None = None
    ) -> Task:
        """Have one more task arrive now, as a process of one's own may want. Durations are in nanoseconds.

        Args:
            plan: how long its plan takes.
            confirm: how long after the plan's end its human confirms.
            apply: how long its apply takes; None for a task that is only a plan.
            workspace: the number of its workspace; None for one of its own.
        """
        if apply is None and confirm != NEVER:
            raise ValueError("a task that is only a plan is not confirmed: give it an apply")
        if workspace is None:
            workspace, self._next_workspace = self._next_workspace, self._next_workspace + 1
        task = Task(self._next_task, apply is not None, workspace, round(plan), round(confirm), round(apply or 0))
        self._next_task += 1
        self.env.process(self.server.arrival(task, self.env.now))
        return task
