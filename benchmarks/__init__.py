"""How fast the simulator is, and against what: `python -m benchmarks` (see `docs/performance.md`)."""
