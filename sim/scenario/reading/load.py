"""From the text of a scenario file to a checked `Scenario`, or to one line that says what is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import ValidationError

from sim.scenario.errors import InputError, shown
from sim.scenario.reading.document import Document
from sim.scenario.reading.error_messages import first_mistake
from sim.scenario.scenario import Scenario


def read_scenario(path: str | Path) -> Scenario:
    """The scenario in the YAML file *path*; ``-`` is standard input. A trace that it names is not looked at.

    Raises:
        InputError: the file cannot be read, or is not a scenario. Its text is one line that names file, line and
            field, and says what was found and what was expected.
    """
    source = "<stdin>" if str(path) == "-" else str(path) or "''"
    folder = Path() if str(path) == "-" else Path(path).parent
    return parse_scenario(_text(path, source), source, folder)


def parse_scenario(text: str, source: str, folder: Path) -> Scenario:
    """The scenario that *text* describes. *source* names it in messages; paths in it are relative to *folder*.

    Raises:
        InputError: as `read_scenario`.
    """
    document = Document(text, source)
    if not isinstance(document.data, dict):
        raise InputError(f"{source}:{document.line(())}", "", f"found {shown(document.data)}, expected a mapping")
    try:
        scenario = Scenario.model_validate(document.data, context={"folder": folder})
    except ValidationError as error:
        raise first_mistake(error, document) from None
    return scenario.read_from(document, folder)


def _text(path: str | Path, source: str) -> str:
    try:
        data = _standard_input() if source == "<stdin>" else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or error
        raise InputError(source, "", f"cannot be read: {problem}, expected a scenario file") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = f"found the byte 0x{data[error.start]:02x}, expected UTF-8"
        raise InputError(f"{source}:{line}", "", found) from None


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise OSError(0, "it is closed")
    return sys.stdin.buffer.read()
