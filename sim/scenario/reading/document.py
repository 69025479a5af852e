"""A YAML 1.2 file as plain data that remembers its lines.

Reading is not constructing: tags other than those of JSON's types are refused, and so is a file whose aliases would
make it grow without measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from sim.scenario.errors import InputError, dotted, shown

LARGEST: Final = 256 * 1024 * 1024
"""Longest text in characters that is read as YAML. Larger workloads belong into a trace."""

BITS: Final = 1024
"""Longest whole number in bits. Python refuses to write much longer ones."""

GROWTH: Final = 100_000
"""How many more values than the file has written down its aliases may make of it."""

_TAG = "tag:yaml.org,2002:"


class Document:
    """The data of one YAML file.

    Args:
        text: the file's content.
        source: the file's name, for messages.

    Raises:
        InputError: the text is not one YAML document of mappings, lists, texts, numbers, booleans and nulls.
    """

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self._root = self._compose(text)
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()
        self._built: dict[int, Any] = {}
        self._path: list[Any] = []
        try:
            grown = self._size(self._root) - len(self._sizes)
            if grown > GROWTH:
                raise InputError(self._where(self._root), "", f"found aliases that add {grown} values, expected fewer")
            self.data: Any = self._build(self._root)
        except RecursionError:
            raise InputError(source, "", "found values nested too deeply, expected a scenario") from None

    def _compose(self, text: str) -> Node:
        if len(text) > LARGEST:
            raise InputError(self.source, "", f"found {len(text)} characters, expected at most {LARGEST}")
        try:
            root = YAML(typ="safe", pure=True).compose(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = self.source if mark is None else f"{self.source}:{mark.line + 1}"
            found = " ".join(str(part) for part in (error.problem, error.context) if part).removeprefix("found ")
            raise InputError(where, "", f"found {found}, expected YAML 1.2") from None
        except RecursionError:
            raise InputError(self.source, "", "found values nested too deeply, expected a scenario") from None
        except ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            character = shown(chr(error.character) if isinstance(error.character, int) else error.character)
            problem = f"found the character {character}, expected printable text"
            raise InputError(f"{self.source}:{line}", "", problem) from None
        except (YAMLError, ValueError) as error:
            raise InputError(self.source, "", f"found {error}, expected YAML 1.2") from None
        if root is None:
            raise InputError(self.source, "", "found nothing, expected a scenario")
        assert isinstance(root, Node)
        return root

    def _where(self, node: Node) -> str:
        return f"{self.source}:{node.start_mark.line + 1}"

    def _size(self, node: Node) -> int:
        """How many values *node* stands for, aliases written out. Counted once per node, so it costs no more."""
        if id(node) in self._open:
            raise InputError(self._where(node), "", "found an alias inside its own anchor, expected plain values")
        if id(node) not in self._sizes:
            self._open.add(id(node))
            if isinstance(node, MappingNode):
                size = 1 + sum(self._size(key) + self._size(value) for key, value in node.value)
            elif isinstance(node, SequenceNode):
                size = 1 + sum(self._size(item) for item in node.value)
            else:
                size = 1
            self._open.discard(id(node))
            self._sizes[id(node)] = size
        return self._sizes[id(node)]

    def _build(self, node: Node) -> Any:
        if id(node) not in self._built:
            self._built[id(node)] = self._built_anew(node)
        return self._built[id(node)]

    def _build_at(self, step: Any, node: Node) -> Any:
        self._path.append(step)
        data = self._build(node)
        self._path.pop()
        return data

    def _built_anew(self, node: Node) -> Any:
        if isinstance(node, MappingNode):
            self._expect_tag(node, "map")
            data: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = self._build(key_node)
                if isinstance(key, dict | list):
                    raise InputError(self._where(key_node), "", f"found {shown(key)} as a key, expected a name")
                if key in data:
                    raise InputError(self._where(key_node), "", f"found the key {shown(key)} twice, expected it once")
                data[key] = self._build_at(key, value_node)
            return data
        if isinstance(node, SequenceNode):
            self._expect_tag(node, "seq")
            return [self._build_at(number, item) for number, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node)

    def _expect_tag(self, node: Node, expected: str) -> None:
        if str(node.tag) != _TAG + expected:
            problem = f"found the tag {shown(str(node.tag))}, expected no tags"
            raise InputError(self._where(node), dotted(self._path), problem)

    def _scalar(self, node: ScalarNode) -> Any:
        kind, text = str(node.tag).removeprefix(_TAG), str(node.value)
        try:
            match kind:
                case "str" | "timestamp" | "value" | "merge":
                    text.encode()  # fails for half a character, which nothing could print or store
                    if "\0" not in text:
                        return text
                case "null":
                    return None
                case "bool":
                    return {"true": True, "false": False}[text.lower()]
                case "int":
                    digits = text.replace("_", "").lower()
                    based = digits.lstrip("+-").startswith(("0x", "0o", "0b"))
                    number = int(digits, 0) if based else int(digits)
                    if number.bit_length() <= BITS:
                        return number
                case "float":
                    digits = text.replace("_", "").lower()
                    return float(digits.replace(".inf", "inf").replace(".nan", "nan"))
        except (KeyError, ValueError):
            pass
        problem = f"found {shown(text)} as {shown(kind)}, expected a plain value"
        raise InputError(self._where(node), dotted(self._path), problem)

    def line(self, path: Sequence[str | int]) -> int:
        """The line, counted from 1, of the value at *path*, or of the innermost value on the way that there is."""
        node, line = self._root, self._root.start_mark.line
        for step in path:
            if isinstance(node, MappingNode):
                found = [(key, value) for key, value in node.value if self._build(key) == step]
                if not found:
                    break
                line, node = found[0][0].start_mark.line, found[0][1]
            elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line
            else:
                break
        return int(line) + 1
