"""The shape of the source: small modules, small functions, a docstring on every public one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(p for top in ("indexer", "explorer") for p in (ROOT / top).rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 400, 60
MEDIAN_MODULE, MEDIAN_FUNCTION = 200, 8

Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines_of(path: Path) -> int:
    """Lines of a file."""
    return len(path.read_text().splitlines())


def functions_of(path: Path) -> Iterator[Function]:
    """Every function and method of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    """Lines from ``def`` to the end of the body, without the docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and len(function.body) > 1:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def declares_only(node: ast.stmt) -> bool:
    """Whether a function is a bare declaration (``...``), as in a Protocol whose docstring tells all."""
    return isinstance(node, Function) and [ast.unparse(line) for line in node.body] == ["..."]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_or_function_is_long(path: Path) -> None:
    assert lines_of(path) <= LONGEST_MODULE
    assert [f"{f.name}:{f.lineno}" for f in functions_of(path) if length(f) > LONGEST_FUNCTION] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_public_function_and_class_has_a_docstring(path: Path) -> None:
    def public(body: list[ast.stmt]) -> Iterator[ast.ClassDef | Function]:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                if not declares_only(node):
                    yield node
                if isinstance(node, ast.ClassDef):
                    yield from public(node.body)

    tree = ast.parse(path.read_text())
    assert [f"{n.name}:{n.lineno}" for n in public(tree.body) if ast.get_docstring(n) is None] == []


def test_medians() -> None:
    modules = median(lines_of(path) for path in SOURCES)
    functions = median(length(f) for path in SOURCES for f in functions_of(path))
    print(f"median module {modules} lines, median function {functions} lines")
    assert modules <= MEDIAN_MODULE
    assert functions <= MEDIAN_FUNCTION
