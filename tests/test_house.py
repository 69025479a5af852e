"""The order of the house: who may import whom, that there are no circles, and that a name means one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sim"

ABOVE = {
    "machine_code": set[str](),
    "scenario": set[str](),
    "policies": {"scenario"},
    "runs": {"policies"},
    "traces": {"scenario"},
    "world": {"runs", "scenario", "traces"},
    "model": {"runs", "policies"},
    "engine": {"runs", "policies", "machine_code"},
    "statistics": {"runs"},
    "experiment": {"engine", "model", "policies", "runs", "scenario", "statistics", "traces", "world"},
    "results": {"engine", "experiment", "runs", "scenario", "statistics", "traces", "world"},
    "report": {"experiment", "results", "runs", "scenario", "statistics"},
    "check": {"experiment", "results", "runs", "scenario", "statistics", "traces"},
    "api": {"check", "experiment", "model", "policies", "report", "results", "scenario", "traces"},
    "testing": {"api", "policies", "scenario"},
    "pytest_plugin": {"sim", "check", "scenario", "traces"},
    "cli": {"sim", "api", "check", "engine", "experiment", "policies", "report", "results", "scenario", "traces"},
    "sim": {"api", "check", "policies", "scenario", "traces"},
    "__main__": {"cli"},
}
"""Each part of the package, and the parts that it may import. `sim` is the package itself."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = ["sim", *file.relative_to(PACKAGE).with_suffix("").parts]
        yield ".".join(parts if parts[-1] != "__init__" else parts[:-1]), ast.parse(file.read_text())


MODULES = dict(modules())


def imports(tree: ast.Module, at_run_time: bool = False) -> set[str]:
    """The modules of the package that a module imports, inside functions, too.

    Those for type checkers alone count unless it is asked what happens at run time: a pod knows its pool, and a pool
    its pods, and one of the two needs the other only to say so.
    """
    found = set()
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if at_run_time and node in for_types:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {known for name in names if (known := known_part(name))}
    return found


def known_part(name: str) -> str:
    """The module in which something of that name is; empty if it is in none of ours."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "sim"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    mine = part_of(module)
    used = {part_of(each) for each in imports(MODULES[module])} - {mine}
    assert used <= ABOVE[mine]


def test_nobody_imports_in_a_circle() -> None:
    graph = {module: imports(tree, at_run_time=True) - {module} for module, tree in MODULES.items()}
    # A package's own __init__ says what is public. That its modules are reached through it makes no circle.
    graph = {module: {each for each in used if not module.startswith(f"{each}.")} for module, used in graph.items()}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_two_classes_never_share_a_name() -> None:
    homes = defaultdict(list)
    for module, tree in MODULES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(module)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_the_model_uses_only_what_simpy_makes_public() -> None:
    for module, tree in MODULES.items():
        if not module.startswith("sim.model"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
                assert ast.unparse(node.value) in ("self", "super()"), f"{module}: {ast.unparse(node)}"


def test_what_is_pure_reads_no_files_and_no_clock() -> None:
    impure = {"os", "time", "datetime", "random", "pathlib", "sys", "subprocess"}
    for module, tree in MODULES.items():
        if part_of(module) in ("model", "policies", "runs", "statistics"):
            used = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
            used |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            assert not impure & used, module
