"""What the model's numbers stand for, in words. Imports nothing that takes time."""

from __future__ import annotations

from typing import Final

CAUSES: Final = ("server_down", "agent_offline", "polling", "pod_starting", "no_slot", "replanning")
"""The causes of a wait, by number; see `sim.model.causes`."""
