"""One measurement in a process of its own, so that no other one's memory, imports or garbage collection is in it."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

ROOT = Path(__file__).parents[1]

_ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "OPENBLAS_NUM_THREADS": "1",  # others would wait busily, which would be counted
}


class NotHereError(Exception):
    """What was to be measured cannot be imported here; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`cpu`: seconds of CPU time, child processes included. `elapsed`: seconds by the clock. `found`: the outcome."""

    cpu: float
    elapsed: float
    found: Any = None


def alone(
    function: str,
    *args: Any,
    warm: tuple[Any, ...] | None = None,
    digest: str | None = None,
    compiled: bool | None = None,
) -> Measured:
    """Call a function, named like `benchmarks.peers:ciw`, in a new process, and measure that call alone.

    Args:
        function: what to call.
        args: what with; plain data.
        warm: call it with these first, unmeasured, so that everything is imported.
        digest: a function that makes plain data of what was returned, unmeasured too.
        compiled: whether our model runs compiled; if None, as everything that is measured now.

    Raises:
        NotHereError: a module is not installed.
    """
    job = json.dumps({"function": function, "args": args, "warm": warm, "digest": digest})
    done = subprocess.run(
        [sys.executable, "-P", "-m", "benchmarks.alone", job],
        cwd=ROOT,
        env=os.environ | _ENVIRONMENT | ({} if compiled is None else _form(compiled)),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{function} ended with status {done.returncode}")
    told = json.loads(done.stdout.splitlines()[-1])
    if "missing" in told:
        raise NotHereError(told["missing"])
    return Measured(**told)


def choose(compiled: bool) -> None:
    """Have our model run compiled or as source in all that is measured from now on."""
    os.environ.update(_form(compiled))


def _form(compiled: bool) -> dict[str, str]:
    return {"SIM_COMPILED": str(int(compiled))}


def command(*words: str) -> Measured:
    """Run a command to its end; *words* are looked up beside this Python first. Its output is thrown away."""
    beside = Path(sys.executable).parent / words[0]
    line = [str(beside) if beside.exists() else words[0], *words[1:]]
    before, begun = children_cpu(), time.perf_counter()
    subprocess.run(line, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return Measured(children_cpu() - before, time.perf_counter() - begun)


def children_cpu() -> float:
    """Seconds of CPU time of the child processes that have ended."""
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def all_cpu() -> float:
    """Seconds of CPU time of this process and of its children that have ended."""
    return time.process_time() + children_cpu()


def named(function: str) -> Any:
    """The function of that name."""
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)


def _measure(job: dict[str, Any]) -> dict[str, Any]:
    try:
        call = named(job["function"])
        if job["warm"] is not None:
            call(*job["warm"])
        gc.collect()
        cpu, begun = all_cpu(), time.perf_counter()
        found = call(*job["args"])
        told = {"cpu": all_cpu() - cpu, "elapsed": time.perf_counter() - begun}
    except ImportError as error:
        return {"missing": str(error)}
    return told | {"found": named(job["digest"])(found) if job["digest"] else found}


if __name__ == "__main__":
    # What is measured may print. Its last line is ours.
    answer = json.dumps(_measure(json.loads(sys.argv[1])))
    sys.stdout.write("\n" + answer + "\n")
    sys.stdout.flush()
    os._exit(0)  # some peers take long to clean up, and none of it is measured
