"""The JSON Schema of a scenario file."""

from __future__ import annotations

from typing import Any

from sim.scenario.scenario import Scenario


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, as editors use it to complete and check.

    It allows what the loader allows, field by field; what only several fields together show, the loader checks.
    """
    schema = Scenario.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema
