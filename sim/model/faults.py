"""What goes wrong: each fault is a process (model.md, 4)."""

from __future__ import annotations

from collections.abc import Sequence

from simpy.events import ProcessGenerator

from sim.model.instant import AGENT_ONLINE, FAULT, SILENCE
from sim.model.platform import Platform
from sim.model.pod import RESERVED, RUNNING, Pod
from sim.runs.errors import IllegalMoveError
from sim.runs.inputs import ConfigChangeStrike, PodDeletionStrike, PodOfflineStrike, ServerRestartStrike, Strike
from sim.runs.time import NEVER


def fault(platform: Platform, number: int, strikes: Sequence[Strike]) -> ProcessGenerator:
    """The process of the fault that has this *number* in the scenario file: it strikes whenever it is time."""
    env = platform.env
    for strike in strikes:
        yield env.moment(strike.at - env.now, FAULT + number)
        match strike:
            case PodDeletionStrike():
                pod = target(platform, strike.target, strike.chance, strike.pool)
                if pod is not None:
                    delete_pod(platform, pod)
            case PodOfflineStrike():
                pod = target(platform, strike.target, strike.chance, strike.pool)
                if pod is not None:
                    silence_pod(platform, pod, strike.duration)
            case ServerRestartStrike():
                restart = platform.server.restart(strike.downtime, strike.reconcile_after, strike.running_tasks)
                env.process(restart)
            case ConfigChangeStrike():
                platform.record.incident(env.now, env.now, "config_change")
                for autoscaler in platform.autoscalers:
                    autoscaler.outdate()
            case _:
                raise TypeError(f"the model knows no strike such as {strike!r}")


def target(platform: Platform, wanted: int | str, chance: float, pool: int = 0) -> Pod | None:
    """The pod of the *pool* with that number that a fault strikes, if there is one that fits."""
    pods = platform.pools[pool].pods
    if isinstance(wanted, int):
        fitting = [pod for pod in pods if pod.number == wanted]
    elif wanted == "random":
        fitting = pods[int(chance * len(pods)) :]
    elif wanted == "any":
        fitting = pods
    elif wanted == "idle":
        fitting = [pod for pod in pods if pod.is_idle]
    else:
        state = {"reserved": RESERVED, "running": RUNNING}[wanted]
        fitting = [pod for pod in pods if pod.has(state)]
    return next(iter(fitting), None)


def delete_pod(platform: Platform, pod: Pod) -> None:
    """pod_deletion: what ran on the pod has failed, and what was reserved there has no slot any more."""
    _expect_there(pod)
    now = platform.env.now
    platform.record.incident(now, now, "pod_deletion", pod)
    platform.server.lose_pod(pod, "pod_deletion")


def silence_pod(platform: Platform, pod: Pod, duration: int = NEVER) -> None:
    """pod_offline: the pod's agent is silent for *duration* nanoseconds. What runs there goes on.

    Attempts to send a task there fail (`Server.attempt`), and once the server has noticed the silence, the search for
    a free slot passes the pod over (`Pool.free_slot`).
    """
    _expect_there(pod)
    env = platform.env
    if not pod.is_offline:
        env.process(_heartbeats_missing(platform, pod))
    back_at = min(env.now + duration, NEVER)
    platform.record.incident(env.now, back_at, "pod_offline", pod)
    pod.pool.silence(pod, back_at)
    env.process(_agent_back(platform, pod))


def _expect_there(pod: Pod) -> None:
    if pod.is_gone:
        raise IllegalMoveError(f"nothing can happen to pod {pod.number}, which is gone")


def _heartbeats_missing(platform: Platform, pod: Pod) -> ProcessGenerator:
    """The process of the server noticing that a pod is silent."""
    since = platform.env.now
    yield platform.env.moment(pod.pool.config.heartbeat_timeout, SILENCE + pod.number)
    if not pod.is_gone and pod.offline_since == since:
        pod.pool.pass_over(pod)


def _agent_back(platform: Platform, pod: Pod) -> ProcessGenerator:
    """The process of a silence that ends, unless another one has made it longer."""
    yield platform.env.moment(pod.back_at - platform.env.now, AGENT_ONLINE + pod.number)
    if not pod.is_gone and pod.back_at <= platform.env.now:
        pod.pool.bring_back(pod)
