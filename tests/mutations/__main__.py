"""`make mutants`: break each rule of docs/model.md once, in the model and in the engine, and see that a test notices.

The tests are those with exact times of the rules that the engine leaves to the model, and the comparison of the two on
random scenarios. A mutant that survives is a rule that nobody would miss.
Ends with status 1 if there is one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

TESTS = ("test_pods.py", "test_endings.py", "test_pools.py", "test_engine.py")


@dataclass(frozen=True)
class Mutant:
    """A rule, and a change of the text of a file that breaks it."""

    rule: str
    file: str
    before: str
    after: str


MODEL = [
    Mutant("1 a starting pod gets no task", "pool.py", "pod.is_ready and not pod.is_draining and", "not pod.is_draining and"),
    Mutant("1 which slots take an apply", "pool.py", "number < self.config.apply_slots", "number <= self.config.apply_slots"),
    Mutant("2.1 one plan_and_apply per workspace", "task.py", "(not is_locked or", "(True or"),
    Mutant("2.1 only confirmed tasks apply", "task.py", "            return task.is_confirmed\n", "            return True\n"),
    Mutant("2.2 an attempt at once", "waiting.py", "        delay = 0\n        while True:", "        delay = 1\n        while True:"),
    Mutant("2.2 retries", "waiting.py", "            delay = self._retry", "            delay = self._retry + 1"),
    Mutant("2.3 oldest pod first", "pool.py", "pod for pod in self.pods if self._is_searched", "pod for pod in reversed(self.pods) if self._is_searched"),
    Mutant("2.3 lowest slot first", "pool.py", "else free[0]", "else free[-1]"),
    Mutant("2.3 spare_apply_slots", "pool.py", 'placement == "spare_apply_slots" and not applies', "not applies"),
    Mutant("2.4 its own slot first", "server.py", "self.slot_of(task) or self.free_slot(task)", "self.free_slot(task) or self.slot_of(task)"),
    Mutant("2.6 reserved after the plan", "server.py", "            self.reservations.make(slot, task)\n", "            self.pool.release(slot)\n"),
    Mutant("2.6 reservation_ttl", "reservations.py", "config.reservation_ttl, EXPIRY", "config.reservation_ttl + 1, EXPIRY"),
    Mutant("2.7 confirm after the plan's end", "server.py", "self._env.moment(task.confirm, place)", "self._env.moment(task.confirm + 1, place)"),
    Mutant("2.8 the slot is idle after an apply", "server.py", "        if slot is not None:\n            slot.pod.pool.release(slot)\n        self._finish", "        self._finish"),
    Mutant("2 notify: order of the queue", "waiting.py", "APPLY_PENDING, task.queued_at, task.index", "APPLY_PENDING, task.index, task.index"),
    Mutant("2 notify: in the same instant", "waiting.py", "            yield self._env.moment(0, QUEUE)\n            while", "            yield self._env.moment(1, QUEUE)\n            while"),
    Mutant("3 ticks", "autoscaler.py", "env.moment(interval, TICK)", "env.moment(interval + 1, TICK)"),
    Mutant("3 min_pods", "autoscaler.py", "min(max(desired, pool.config.min_pods), pool.config.max_pods)", "min(desired, pool.config.max_pods)"),
    Mutant("3 max_pods", "autoscaler.py", "min(max(desired, pool.config.min_pods), pool.config.max_pods)", "max(desired, pool.config.min_pods)"),
    Mutant("3 pod_startup", "provisioning.py", "self._inputs.startup(pod.number), POD_READY", "self._inputs.startup(0) + 1, POD_READY"),
    Mutant("3 newest idle pods go", "pool.py", "for pod in reversed(self.counted) if pod.is_idle", "for pod in self.counted if pod.is_idle"),
    Mutant("3 a starting pod counts", "observation.py", "        pods=len(counted),", "        pods=len(ready),"),
    Mutant("3 slotless tasks", "observation.py", "if task not in with_slot]", "]"),
    Mutant("4 target: oldest", "faults.py", "return next(iter(fitting), None)", "return next(reversed(fitting), None)"),
    Mutant("4 target: random", "faults.py", "fitting = pods[int(chance * len(pods)) :]", "fitting = pods"),
    Mutant("4 pod_deletion: reserved stays apply_pending", "server.py", "                self.reservations.lose(slot)\n", "                del self.tasks.open[slot.task]\n                slot.pod.pool.release(slot)\n"),
    Mutant("4 pod_deletion: running has failed", "server.py", "            self._fail(slot)\n            return\n", "            slot.pod.pool.cut_off(slot)\n            return\n"),
    Mutant("4 pod_offline: the sending fails", "server.py", "slot is None or slot.pod.is_offline", "slot is None"),
    Mutant("4 pod_offline: heartbeat_timeout", "faults.py", "config.heartbeat_timeout, SILENCE", "config.heartbeat_timeout + 1, SILENCE"),
    Mutant("4 pod_offline: passed over later", "faults.py", "        pod.pool.pass_over(pod)\n", "        pass\n"),
    Mutant("4 pod_offline: back after duration", "faults.py", "yield platform.env.moment(pod.back_at - platform.env.now, AGENT", "yield platform.env.moment(pod.back_at - platform.env.now + 1, AGENT"),
    Mutant("4 restart: no attempts while down", "server.py", "        if self.is_down:\n            return False\n", ""),
    Mutant("4 restart: no ticks while down", "autoscaler.py", "        if not server.is_down:\n            tick()", "        tick()"),
    Mutant("4 restart: put off", "server.py", "        while self.is_down:\n", "        while False:\n"),
    Mutant("4 restart: nothing while down", "server.py", "        if self.is_down:\n            return\n        self._record", "        self._record"),
    Mutant("4.1 reserved slots look idle", "server.py", "        self.reservations.forget()\n", ""),
    Mutant("4.1 running_tasks: fail", "server.py", 'if running_tasks == "fail":', "if False:"),
    Mutant("4.2 reconcile_after", "reservations.py", "yield self._env.moment(delay, RESTORE)", "yield self._env.moment(delay + 1, RESTORE)"),
    Mutant("4.2 only if it still fits", "reservations.py", "still_fits = not slot.pod.is_gone and slot.state == IDLE", "still_fits = slot.state == IDLE"),
    Mutant("4.2 only if it is still needed", "reservations.py", "still_fits and still_needed and not", "still_fits and not"),
    Mutant("4.2 a later restart takes over", "reservations.py", "            self._restoring.interrupt()\n", "            pass\n"),
    Mutant("4.3 retries are lost", "waiting.py", "            asking.interrupt()\n", "            pass\n"),
    Mutant("4.3 first tick one interval later", "autoscaler.py", "    server.on_up.append(loop.interrupt)\n", ""),
    Mutant("5.1 pods become ready before faults", "instant.py", "POD_READY: Final = 1 << 32", "POD_READY: Final = (5 << 32) + 99"),
    Mutant("5.1 agents are back before attempts", "instant.py", "AGENT_ONLINE: Final = 2 << 32", "AGENT_ONLINE: Final = (9 << 32) + 99"),
    Mutant("5.1 expiry before faults", "instant.py", "EXPIRY: Final = 4 << 32", "EXPIRY: Final = (5 << 32) + 99"),
    Mutant("5.1 faults before ends", "instant.py", "FAULT: Final = 5 << 32", "FAULT: Final = (6 << 32) + 99"),
    Mutant("5.1 faults in the order of the file", "faults.py", "FAULT + number)", "FAULT - number)"),
    Mutant("5.2 ends before attempts", "instant.py", "END: Final = 6 << 32", "END: Final = (9 << 32) + 99"),
    Mutant("5.3 arrivals before attempts", "instant.py", "ARRIVAL: Final = 8 << 32", "ARRIVAL: Final = (10 << 32) + 99"),
    Mutant("5.4 attempts before the tick", "instant.py", "ATTEMPT: Final = 10 << 32", "ATTEMPT: Final = (11 << 32) + 99"),
    Mutant("5.4 attempts by index", "waiting.py", "yield self._env.moment(delay, ATTEMPT + task.index)", "yield self._env.moment(delay, ATTEMPT - task.index)"),
    Mutant("5 the horizon does not count", "run.py", "env.run(until=settings.horizon)", "env.run(until=settings.horizon + 1)"),
    Mutant("7 waits by cause", "causes.py", "        return SERVER_DOWN\n", "        return POLLING\n"),
    Mutant("7 waits for a plan", "causes.py", "for task in server.tasks.awaiting_plan:", "for task in server.tasks.awaiting_apply:"),
    Mutant("7 waits for a silent pod that was chosen", "causes.py", "return AGENT_OFFLINE if found.pod.is_offline else POLLING", "return POLLING"),
    Mutant("1 any_slot: only so many of a pod", "pod.py", "max(self.pool.config.apply_slots - taken, 0)", "self.pool.config.apply_slots"),
    Mutant("1 elsewhere uses no pod", "server.py", "        if task.elsewhere:\n            self._start_elsewhere(task)\n            return True\n", ""),
    Mutant("1 quota", "provisioning.py", "self._server.pools) < self._settings.quota", "self._server.pools) <= self._settings.quota"),
    Mutant("2.1 workspace_lock: all", "task.py", "is_locked = task.applies or self._locks_all", "is_locked = task.applies"),
    Mutant("2.3 most_idle", "pool.py", "pod = max(fitting", "pod = min(fitting"),
    Mutant("2.3 random", "pool.py", "pods[int(choice * len(pods))]", "pods[0]"),
    Mutant("2.6 a plan's error", "server.py", "if task.times_out or task.plan_result == PLAN_ERROR", "if task.times_out"),
    Mutant("2.6 no changes", "server.py", "elif task.plan_result == NO_CHANGES", "elif False"),
    Mutant("2.7 discard", "server.py", "        if task.discards:\n", "        if False:\n"),
    Mutant("2.8 an apply's error", "server.py", "ERRORED if task.times_out or task.apply_fails else", "ERRORED if task.times_out else"),
    Mutant("2.9 canceled so long after it arrived", "server.py", "self._env.moment(task.cancel, place)", "self._env.moment(task.cancel + 1, place)"),
    Mutant("2.10 task_timeout", "server.py", "duration > self._settings.task_timeout", "duration >= self._settings.task_timeout"),
    Mutant("2 queue_order", "waiting.py", "self._applies_first and task", "False and task"),
    Mutant("3 drain: busy pods", "autoscaler.py", 'if scale_down == "drain":', "if False:"),
    Mutant("3 drain: gone once idle", "pool.py", '                self.delete(pod, "drain")\n', "                pass\n"),
    Mutant("3 drain: no task", "pool.py", "and not pod.is_draining and", "and"),
    Mutant("3 drain: counts nowhere", "pool.py", "[pod for pod in self.pods if not pod.is_draining]", "list(self.pods)"),
    Mutant("3 kill: the newest", "autoscaler.py", 'if scale_down == "kill" else pool.newest_idle(surplus)', "if False else pool.newest_idle(surplus)"),
    Mutant("3 kill: the grace", "autoscaler.py", "config.termination_grace, GRACE", "config.termination_grace + 1, GRACE"),
    Mutant("3 ephemeral", "pool.py", "            elif self.config.ephemeral:\n", "            elif False:\n"),
    Mutant("3 ephemeral: not by forgetting", "reservations.py", "                    pool.forget(slot)\n", "                    pool.release(slot)\n"),
    Mutant("3 view_delay", "observation.py", "<= now - self._delay", "< now - self._delay"),
    Mutant("4 on_pod_loss", "server.py", "config.requeue or task.state != PLANNING", "config.requeue"),
    Mutant("4 the pool of a fault", "faults.py", "platform.pools[pool].pods", "platform.pools[0].pods"),
    Mutant("5.2 ends before the grace is over", "instant.py", "GRACE: Final = 7 << 32", "GRACE: Final = (6 << 32) - 1"),
    Mutant("5.3 decision before cancellation", "instant.py", "return ARRIVAL + 2 * task + 1", "return ARRIVAL + 2 * task - 1"),
]  # fmt: skip

ENGINE = [
    Mutant("1 a starting pod gets no task", "pool.py", "        self.pods[pod.number] = pod\n", "        self.pods[pod.number] = pod\n        self._list(pod)\n"),
    Mutant("1 which slots take an apply", "pool.py", "else (1 << config.apply_slots) - 1", "else (2 << config.apply_slots) - 1"),
    Mutant("2.1 one plan_and_apply per workspace", "tasks.py", "            return False\n", "            return True\n"),
    Mutant("2.2 retries", "polling.py", "        due = (now - offset + due_offset + wait, ATTEMPT + index)", "        due = (now - offset + due_offset + wait + 1, ATTEMPT + index)"),
    Mutant("2.3 oldest pod first", "pool.py", "            pod = self.pods.get(heap[0])", "            pod = self.pods.get(heap[-1])"),
    Mutant("2.3 lowest slot first", "pool.py", "return pod.slots[(free & -free).bit_length() - 1]", "return pod.slots[free.bit_length() - 1]"),
    Mutant("2.3 spare_apply_slots", "pool.py", "if self._plans_from_the_top and not applies", "if not applies"),
    Mutant("2.4 its own slot first", "dispatcher.py", "if task.slot is None else task.slot", "or task.slot"),
    Mutant("2.6 reservation_ttl", "reservations.py", "self._expiring[0][0] + self._lifetime, EXPIRY", "self._expiring[0][0] + self._lifetime + 1, EXPIRY"),
    Mutant("2.7 confirm after the plan's end", "dispatcher.py", "at = now + task.confirm", "at = now + task.confirm + 1"),
    Mutant("2.8 the slot is idle after an apply", "dispatcher.py", "        task.pool.waiting.offer()\n        if successor", "        if successor"),
    Mutant("2 notify: order of the queue", "notify.py", "return task.waiting_since, task.index, task", "return 0, task.index, task"),
    Mutant("3 ticks", "control_loop.py", "earliest = max(earliest, self._clock.now + 1)", "earliest = max(earliest, self._clock.now + 1) + self._interval"),
    Mutant("3 min_pods", "autoscaler.py", "min(max(desired, self._min_pods), self._max_pods)", "min(desired, self._max_pods)"),
    Mutant("3 max_pods", "autoscaler.py", "min(max(desired, self._min_pods), self._max_pods)", "max(desired, self._min_pods)"),
    Mutant("3 pod_startup", "pod_provisioner.py", "self._world.startup(pod.number)", "self._world.startup(0) + 1"),
    Mutant("3 newest idle pods go", "pool.py", "nlargest(count, self._idle)", "sorted(self._idle)[:count]"),
    Mutant("3 skipped ticks", "autoscaler.py", "return is_settled and after == before", "return True"),
    Mutant("4 target: oldest", "faults.py", 'return next(iter(pods.values()), None)', 'return next(reversed(pods.values()), None)'),
    Mutant("4 target: random", "faults.py", "chosen = int(strike.chance * len(pods))", "chosen = 0"),
    Mutant("4 pod_deletion: reserved stays apply_pending", "reservations.py", "        self._tasks.lose_slot(task)\n", ""),
    Mutant("4 pod_deletion: running has failed", "faults.py", "                self._dispatcher.cut_off(slot)\n            elif", "                self._pool.cut_off(slot)\n            elif"),
    Mutant("4 pod_offline: the sending fails", "dispatcher.py", "slot is None or slot.pod.offline_since != NEVER or", "slot is None or"),
    Mutant("4 pod_offline: heartbeat_timeout", "faults.py", "noticed_at = now + pod.pool.config.heartbeat_timeout", "noticed_at = now + pod.pool.config.heartbeat_timeout + 1"),
    Mutant("4 restart: no attempts while down", "dispatcher.py", "or slot.pod.offline_since != NEVER or self._server.is_down", "or slot.pod.offline_since != NEVER"),
    Mutant("4 restart: no ticks while down", "control_loop.py", "        if server.is_down:\n", "        if False:\n"),
    Mutant("4 restart: put off", "dispatcher.py", "self._server.back_at, END + task.index", "self._server.back_at + 1, END + task.index"),
    Mutant("4 restart: nothing while down", "faults.py", "        if server.is_down:\n            return\n", ""),
    Mutant("4.1 reserved slots look idle", "faults.py", "                pool.reservations.forget(strike.reconcile_after)\n", ""),
    Mutant("4.1 running_tasks: fail", "faults.py", 'if strike.running_tasks == "fail":', "if False:"),
    Mutant("4.2 reconcile_after", "reservations.py", "self._clock.now + reconcile_after, RESTORE", "self._clock.now + reconcile_after + 1, RESTORE"),
    Mutant("4.2 only if it still fits", "reservations.py", "not slot.pod.gone and slot.state == IDLE", "slot.state == IDLE"),
    Mutant("4.2 a later restart takes over", "reservations.py", "        self._restoring.cancel()\n", ""),
    Mutant("4.3 retries are lost", "polling.py", "            task.retry_offset = self._clock.now % self._retry\n            self._put", "            self._put"),
    Mutant("4.3 first tick one interval later", "faults.py", "            server.up_since = self._clock.now\n", ""),
    Mutant("5.1 pods become ready before faults", "clock.py", "POD_READY: Final = 1 << 32", "POD_READY: Final = (5 << 32) + 99"),
    Mutant("5.1 agents are back before attempts", "clock.py", "AGENT_ONLINE: Final = 2 << 32", "AGENT_ONLINE: Final = (9 << 32) + 99"),
    Mutant("5.1 expiry before faults", "clock.py", "EXPIRY: Final = 4 << 32", "EXPIRY: Final = (5 << 32) + 99"),
    Mutant("5.1 faults before ends", "clock.py", "FAULT: Final = 5 << 32", "FAULT: Final = (6 << 32) + 99"),
    Mutant("5.2 ends before attempts", "clock.py", "END: Final = 6 << 32", "END: Final = (9 << 32) + 99"),
    Mutant("5.3 arrivals before attempts", "clock.py", "ARRIVAL: Final = 8 << 32", "ARRIVAL: Final = (10 << 32) + 99"),
    Mutant("5.4 attempts before the tick", "clock.py", "ATTEMPT: Final = 10 << 32", "ATTEMPT: Final = (11 << 32) + 99"),
    Mutant("5 the horizon does not count", "run.py", "clock.run_to(settings.horizon)", "clock.run_to(settings.horizon + 1)"),
    Mutant("7 waits by cause", "causes.py", "            totals.current = SERVER_DOWN\n", "            totals.current = POLLING\n"),
    Mutant("7 waits for a plan", "causes.py", "self._plan_waits[task] = tuple(totals.by_cause)", "self._plan_waits[task] = tuple([0] * len(CAUSES))"),
    Mutant("7 waits for a silent pod that was chosen", "causes.py", "totals.current = AGENT_OFFLINE if found.pod.is_offline else POLLING", "totals.current = POLLING"),
    Mutant("1 any_slot: only so many of a pod", "pool.py", "self._any_slot and pod.applies >= self._apply_slots", "False"),
    Mutant("1 elsewhere uses no pod", "dispatcher.py", "        if task.elsewhere:\n            return self._start_elsewhere(task)\n", ""),
    Mutant("1 quota", "pod_provisioner.py", "self._pools]) < self._quota", "self._pools]) <= self._quota"),
    Mutant("2.1 workspace_lock: all", "tasks.py", "(task.applies or self._locks_all)", "task.applies"),
    Mutant("2.6 a plan's error", "dispatcher.py", "if task.times_out or task.plan_result == PLAN_ERROR", "if task.times_out"),
    Mutant("2.6 no changes", "dispatcher.py", "elif task.plan_result == NO_CHANGES", "elif False"),
    Mutant("2.7 discard", "dispatcher.py", "        if task.discards:\n", "        if False:\n"),
    Mutant("2.8 an apply's error", "dispatcher.py", "ERRORED if task.times_out or task.apply_fails else", "ERRORED if task.times_out else"),
    Mutant("2.9 canceled so long after it arrived", "dispatcher.py", "now + task.cancel, ARRIVAL", "now + task.cancel + 1, ARRIVAL"),
    Mutant("2.10 task_timeout", "dispatcher.py", "duration > self._timeout", "duration >= self._timeout"),
    Mutant("3 unblocked tasks", "tasks.py", "                if first.state == PENDING:\n", "                if False:\n"),
    Mutant("4 the pool of a fault", "faults.py", "self._pools[strike.pool].pods", "self._pools[0].pods"),
    Mutant("5.3 decision before cancellation", "dispatcher.py", "Alarm(self._canceled, task), now + task.cancel, ARRIVAL + 2 * task.index + 1", "Alarm(self._canceled, task), now + task.cancel, ARRIVAL + 2 * task.index - 1"),
]  # fmt: skip


def main() -> int:
    """Try all mutants whose rule or file contains what is given on the command line; the exit status."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    survived = tried = 0
    for part, mutants in (("model", MODEL), ("engine", ENGINE)):
        for mutant in mutants:
            if wanted not in f"{part}/{mutant.file} {mutant.rule}":
                continue
            tried += 1
            is_noticed = noticed(part, mutant)
            survived += not is_noticed
            print(f"{'noticed' if is_noticed else 'SURVIVED'}  {part}/{mutant.file}: {mutant.rule}", flush=True)
    print(f"{tried - survived} of {tried} mutants were noticed")
    return int(survived > 0)


def noticed(part: str, mutant: Mutant) -> bool:
    """Whether a test fails if the change is made."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "sim", copy / "sim", ignore=shutil.ignore_patterns("__pycache__", "machine_code"))
        shutil.copytree(ROOT / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        file = copy / "sim" / part / mutant.file
        text = file.read_text(encoding="utf-8")
        if mutant.before not in text:
            raise ValueError(f"{part}/{mutant.file} has no longer {mutant.before!r}")
        file.write_text(text.replace(mutant.before, mutant.after), encoding="utf-8")
        command = [
            sys.executable, "-P", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--import-mode=importlib",
            "--hypothesis-profile=mutants", "-o", "pythonpath=tests", *(str(copy / "tests" / name) for name in TESTS),
        ]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(copy), "SIM_COMPILED": "0"}
        try:
            done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False, timeout=600)
        except subprocess.TimeoutExpired:
            return True  # A run that never ends is noticed.
        if done.returncode not in (0, 1):
            raise RuntimeError(done.stdout.decode() + done.stderr.decode())
        return done.returncode == 1


if __name__ == "__main__":
    sys.exit(main())
