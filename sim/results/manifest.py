"""What is needed to do an experiment again."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sim.engine import MACHINE_CODE
from sim.results.result import ExperimentResult

PACKAGES = ("slotpool-sim", "simpy", "numpy", "scipy", "pandas", "pyarrow")


def manifest(result: ExperimentResult) -> dict[str, Any]:
    """The scenario as it was run, the seed, versions, and which program it was, as far as that is known."""
    scenario = result.scenario
    trace = scenario.trace_path
    return {
        "scenario": {
            **scenario.model_dump(mode="json", exclude_none=True),
            "policies": [policy.description for policy in result.policies],
        },
        "seed": scenario.seed,
        "random": result.varies,
        "replications": result.replications,
        "precision_reached": result.precision_reached,
        "warmup": {
            "seconds": result.warmup,
            "chosen_by": "MSER-5" if scenario.warmup == "auto" else "scenario",
            **({"too_short": True} if result.warmup_too_short else {}),
        },
        "policies": list(result.labels),
        "trace": None if trace is None else {"file": str(trace), "sha256": result.trace_sha256},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "git_commit": _git_commit(),
        "engine": {"name": result.implementation, "compiled": result.implementation == "fast" and MACHINE_CODE},
    }


def _git_commit() -> str | None:
    """The commit of the checkout that this program runs from, with ``-dirty`` if it was changed; None outside one."""
    here = str(Path(__file__).parent)
    command = ["git", "-C", here, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
