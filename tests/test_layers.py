"""The import rule: who may know whom. The table below is the rule; the tests walk every import of the source."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What each part of the project may import of the project, itself and ANYWHERE aside; a longer name wins over its
# parent. "indexer" is the package itself (its version), not all that lies in it.
ANYWHERE = ("indexer.errors",)
MAY_IMPORT = {
    "indexer": (),
    "indexer.children": (),
    "indexer.interpreter": (),
    "indexer.progress": (),
    "indexer.chain": (),
    "indexer.config": ("indexer.chain", "indexer.demo.network"),
    "indexer.demo.network": ("indexer.chain",),
    "indexer.demo": ("indexer.chain", "indexer.parse", "indexer.state", "indexer.daemonjson"),
    "indexer.daemonjson": ("indexer.chain", "indexer.parse"),
    "indexer.parse": ("indexer.chain", "cython_ext"),
    "indexer.sample": ("indexer.chain", "indexer.parse"),
    "indexer.source": ("indexer.config", "indexer.chain.hashes"),  # a block's hash is its name, not its meaning
    "indexer.state": ("indexer.chain", "indexer.parse"),
    "indexer.store": ("indexer.children", "indexer.chain", "indexer.parse", "indexer.state", "cython_ext"),
    "indexer.verify": ("indexer.chain", "indexer.parse", "indexer.state", "indexer.store", "indexer.config",
                       "indexer.progress"),
    "indexer.mempool": ("indexer.chain", "indexer.parse", "indexer.state", "indexer.store", "indexer.source",
                        "indexer.config"),
    "indexer.selfcheck": ("indexer.chain", "indexer.state", "indexer.store", "indexer.source", "indexer.config"),
    "indexer.richlist": ("indexer.store", "indexer.config"),
    "indexer.session": ("indexer.chain", "indexer.parse", "indexer.state", "indexer.store", "indexer.source",
                        "indexer.config", "indexer.interpreter"),
    "indexer.sync": ("indexer", "indexer.session", "indexer.mempool", "indexer.selfcheck", "indexer.richlist",
                     "indexer.store", "indexer.source", "indexer.config", "indexer.progress"),
    "indexer.commands": ("indexer", "indexer.children", "indexer.chain", "indexer.parse", "indexer.store",
                         "indexer.source", "indexer.sync", "indexer.verify", "indexer.config", "indexer.progress",
                         "indexer.demo", "indexer.sample", "indexer.session", "indexer.state", "indexer.interpreter"),
    "indexer.cli": ("indexer", "indexer.commands", "indexer.config", "explorer", "indexer.demo.network"),
    "explorer": ("indexer", "indexer.chain", "indexer.config", "indexer.daemonjson", "indexer.interpreter",
                 "indexer.parse", "indexer.source.rpc", "indexer.store.schema", "indexer.store.codec"),
    "cython_ext": (),
}  # fmt: skip

# Packages of others that only the named modules may import.
ONLY_IN = {
    "motor": ("explorer.db",),
    "pymongo": ("indexer.store", "explorer.db"),  # the explorer's other driver is pymongo's own
    "bson": ("indexer.store", "explorer.db"),
    "httpx": ("indexer.source", "explorer.daemon", "explorer.parallel", "explorer.webhooks"),
    "zmq": ("indexer.source", "indexer.demo"),  # the demo's daemon publishes what the indexer hears
    "asyncio": ("explorer", "indexer.cli"),
    "uvicorn": ("indexer.cli", "indexer.commands"),
    "starlette": ("explorer",),
    "jinja2": ("explorer",),
    "babel": ("explorer.languages",),
    "leather": ("explorer.charts.drawing",),
    "segno": ("explorer.charts.qr",),
    "PIL": ("explorer.charts.picture", "explorer.charts.raster"),
    "coincurve": ("explorer.signatures",),
}

# Packages that are installed under another name than they are imported by.
DISTRIBUTED_AS = {"PIL": "pillow", "bson": "pymongo", "zmq": "pyzmq"}

# indexer.chain is pure: no files, no clock, no network, no process.
IMPURE = {"os", "io", "pathlib", "time", "datetime", "random", "socket", "subprocess", "threading", "urllib", "tomllib"}


def module_name(path: Path) -> str:
    """The dotted name of a source file of the project."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_within(name: str, package: str) -> bool:
    """Whether ``name`` is the package or lies in it."""
    return name == package or name.startswith(package + ".")


MODULES = {module_name(p): p for top in ("indexer", "explorer") for p in sorted((ROOT / top).rglob("*.py"))}


def imported_names(tree: ast.AST, module: str, is_package: bool) -> Iterator[tuple[str, int]]:
    """Every module that the source imports, absolute, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = module.split(".")[: len(module.split(".")) - node.level + is_package]
                base = ".".join([*here, base] if base else here)
            for alias in node.names:
                below = f"{base}.{alias.name}"
                yield (below if below in MODULES else base), node.lineno


def imports_of(module: str) -> list[tuple[str, int]]:
    """What a module of the project imports."""
    path = MODULES[module]
    return list(imported_names(ast.parse(path.read_text()), module, path.name == "__init__.py"))


def part_of(module: str) -> str:
    """The entry of MAY_IMPORT that governs a module."""
    return max((part for part in MAY_IMPORT if is_within(module, part)), key=len)


def allowed(module: str, imported: str) -> bool:
    """Whether the rule lets ``module`` import the project's ``imported``."""
    part = part_of(module)
    if part_of(imported) == part:
        return True
    may_import = (*ANYWHERE, *MAY_IMPORT[part])
    return any(imported == may or (may != "indexer" and is_within(imported, may)) for may in may_import)


@pytest.mark.parametrize("module", MODULES)
def test_imports_of_the_project_follow_the_table(module: str) -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for name, line in imports_of(module)
        if name.split(".")[0] in ("indexer", "explorer", "cython_ext", "tests", "bench") and not allowed(module, name)
    ]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_foreign_packages_stay_behind_their_modules(module: str) -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for name, line in imports_of(module)
        if (homes := ONLY_IN.get(name.split(".")[0])) and not any(is_within(module, home) for home in homes)
    ]
    assert wrong == []


def test_foreign_packages_are_installed_with_the_project() -> None:
    """What only came with something else, or with the tests, is missing on the machine of an operator."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[^a-z0-9]", text, maxsplit=1)[0] for text in project["dependencies"]}
    ours = {"indexer", "explorer", "cython_ext"}
    foreign = {name.split(".")[0] for module in MODULES for name, _ in imports_of(module)} - ours
    needed = {DISTRIBUTED_AS.get(name, name) for name in foreign - sys.stdlib_module_names}
    assert needed - declared == set()


@pytest.mark.parametrize("module", [m for m in MODULES if is_within(m, "indexer.chain")])
def test_chain_rules_do_no_input_or_output(module: str) -> None:
    assert [name for name, _ in imports_of(module) if name.split(".")[0] in IMPURE] == []


def test_explorer_is_imported_by_cli_inside_functions_only() -> None:
    tree = ast.parse(MODULES["indexer.cli"].read_text())
    outer = [name for node in tree.body for name, _ in imported_names(ast.Module([node], []), "indexer.cli", False)
             if not isinstance(node, ast.FunctionDef)]  # fmt: skip
    assert [name for name in outer if is_within(name, "explorer")] == []


def test_packages_have_no_import_cycle() -> None:
    edges: dict[str, set[str]] = {}
    for module in MODULES:
        edges[module] = {name for name, _ in imports_of(module) if name in MODULES and name != module}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"import cycle: {' -> '.join((*path, module))}"
        if module not in done:
            for name in sorted(edges[module]):
                visit(name, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


@pytest.mark.parametrize(
    ("module", "imported", "expected"),
    [
        ("indexer.chain.queue", "indexer.chain.tiers", True),
        ("indexer.chain.queue", "indexer.parse.columns", False),
        ("indexer.state.apply", "indexer.store.base", False),
        ("indexer.store.commit", "indexer.state.delta", True),
        ("indexer.source.rpc", "indexer.parse.columns", False),
        ("indexer.sync", "explorer.app", False),
        ("indexer.cli", "explorer.app", True),
        ("explorer.queries.blocks", "indexer.store.codec", True),
        ("explorer.queries.blocks", "indexer.store.mongo", False),
        ("explorer.app", "indexer", True),
        ("explorer.app", "indexer.sync", False),
    ],
)
def test_the_rule_itself(module: str, imported: str, expected: bool) -> None:
    assert allowed(module, imported) is expected
