"""The platform: it puts the parts together and owns them."""

from __future__ import annotations

from collections.abc import Sequence

from sim.model.autoscaler import Autoscaler, control_loop
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
        policies: the autoscaling policy of each pool.
    """

    def __init__(self, settings: PlatformSettings, inputs: RandomInputs, policies: Sequence[Policy]) -> None:
        self.settings = settings
        self.numbers_for = inputs.numbers_for
        """Makes a generator of random numbers for a name: the same one for every policy that meets this world."""
        self.env = PlatformEnvironment(self._before_time_passes)
        self.record = RunRecorder()
        self.server = Server(self.env, settings, inputs, self.record)
        self.autoscalers: list[Autoscaler] = []
        for pool, policy, random in zip(self.pools, policies, inputs.pods, strict=True):
            for _ in range(pool.config.initial_pods):
                pool.connect(pool.make_pod())
            provisioning = Provisioning(self.env, settings, random, self.server, pool)
            autoscaler = Autoscaler(self.env, settings, policy, self.server, pool, provisioning, self.record)
            self.autoscalers.append(autoscaler)
        self.env.process(control_loop(self.env, settings.autoscaler_interval, self.server, self._tick))
        self._next_task = len(inputs.tasks)
        self._next_workspace = int(max(inputs.tasks.workspace, default=-1)) + 1

    @property
    def pools(self) -> Sequence[Pool]:
        """All pools, in the order of the scenario."""
        return self.server.pools

    @property
    def pool(self) -> Pool:
        """The first pool, which is the only one in most scenarios."""
        return self.pools[0]

    def _tick(self) -> None:
        for autoscaler in self.autoscalers:
            autoscaler.tick()

    def _before_time_passes(self, until: int) -> None:
        split_waits(self.server, until - self.env.now)

    def submit(
        self,
        plan: float,
        confirm: float = NEVER,
        apply: float | None = None,
        workspace: int | None = None,
        pool: int = 0,
    ) -> Task:
        """Have one more task arrive now, as a process of one's own may want. Durations are in nanoseconds.

        Args:
            plan: how long its plan takes.
            confirm: how long after the plan's end its human confirms.
            apply: how long its apply takes; None for a task that is only a plan.
            workspace: the number of its workspace; None for one of its own.
            pool: the number of its pool.
        """
        if apply is None and confirm != NEVER:
            raise ValueError("a task that is only a plan is not confirmed: give it an apply")
        if workspace is None:
            workspace, self._next_workspace = self._next_workspace, self._next_workspace + 1
        times = (round(plan), round(confirm), round(apply or 0))
        task = Task(self._next_task, apply is not None, workspace, *times, pool=pool)
        self._next_task += 1
        self.env.process(self.server.arrival(task, self.env.now))
        return task
