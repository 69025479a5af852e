"""What pydantic found wrong, in words for whoever wrote the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sim.scenario.errors import InputError, dotted, shown
from sim.scenario.reading.document import Document


def first_mistake(error: ValidationError, document: Document) -> InputError:
    """The mistake that stands first in the file; how many more there are is said at its end."""
    mistakes = []
    for detail in error.errors(include_url=False):
        path, value = locate(detail, document.data)
        mistakes.append((document.line(path), path, _problem(detail, value)))
    line, path, problem = min(mistakes, key=lambda mistake: mistake[0])
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return InputError(f"{document.source}:{line}", dotted(path), problem + more)


def mistake_in(error: ValidationError, data: Any) -> InputError:
    """The first mistake in *data* that stands in no file."""
    detail = error.errors(include_url=False)[0]
    path, value = locate(detail, data)
    return InputError("", dotted(path), _problem(detail, value))


def describe(detail: ErrorDetails) -> str:
    """What was found and what was expected, for a mistake in a value that stands alone."""
    return _problem(detail, detail["input"])


def _problem(detail: ErrorDetails, value: Any) -> str:
    return f"found {_found(detail, value)}, expected {_expected(detail)}"


def locate(detail: ErrorDetails, data: Any) -> tuple[list[str | int], Any]:
    """Where in *data* a mistake is, and what stands there.

    Pydantic's location also names the members of unions that it went through. They are not in the file.
    """
    context = detail.get("ctx", {})
    steps: list[str | int] = list(detail["loc"])
    if "key" in context:
        steps.append(context["key"])
    elif "at" in context:
        # A metric's name has dots in it, so it stands behind a slash.
        at = str(context["at"])
        parts = at.split("/" if "/" in at else ".")
        steps += [int(part) if part.isdecimal() else part for part in parts if part]
    path: list[str | int] = []
    value = data
    for step in steps:
        inside_list = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if inside_list or (isinstance(value, dict) and step in value):
            value = value[step]
            path.append(step)
    if detail["type"] == "missing":
        path.append(steps[-1])
    elif detail["type"] == "union_tag_invalid":
        path.append(str(context["discriminator"]).strip("'"))
        value = value.get(path[-1]) if isinstance(value, dict) else value
    elif detail["type"] == "together" and steps and steps[-1] not in path:
        path.append(steps[-1])
        value = None
    return path, value


def _found(detail: ErrorDetails, value: Any) -> str:
    if detail["type"] == "missing":
        return "nothing"
    if detail["type"] == "unknown_key":
        return f"the unknown key {shown(detail['ctx']['key'])}"
    if detail["type"] == "extra_forbidden":
        return f"the unknown key {shown(detail['loc'][-1])}"
    if detail["type"] == "union_tag_not_found":
        return f"{shown(value)} without it" if isinstance(value, dict) else shown(value)
    if detail["type"] == "union_tag_invalid":
        return shown(value if value is None or isinstance(value, dict | list) else detail["ctx"]["tag"])
    return shown(value)


_EXPECTED: Mapping[str, str] = {
    "extra_forbidden": "a key that there is",
    "missing": "a value, as the field is required",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "float_type": "a number",
    "string_type": "text",
    "finite_number": "a finite number",
    "greater_than_equal": "a number of at least {ge}",
    "greater_than": "a number above {gt}",
    "less_than_equal": "a number of at most {le}",
    "less_than": "a number below {lt}",
    "literal_error": "{expected}",
    "union_tag_invalid": "one of {expected_tags}",
    "union_tag_not_found": "a mapping with the key {discriminator}",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "too_short": "at least {min_length} of them",
    "string_too_short": "text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "letters, digits, dots, dashes and underscores, beginning with a letter or digit",
}


def _expected(detail: ErrorDetails) -> str:
    template = _EXPECTED.get(detail["type"])
    return detail["msg"] if template is None else template.format(**detail.get("ctx", {}))
