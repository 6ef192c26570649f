"""The parts of the documentation that the code writes itself: ``python -m tests.generated_docs`` renews them.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; everything else in the files is prose.
``tests/test_docs.py`` fails when a part is not what the code says now.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any, get_args, get_origin

import bson
from starlette.routing import Route

from explorer import pages
from explorer.api import v1
from explorer.api.endpoint import Endpoint
from explorer.api.openapi import MEANINGS
from explorer.pages import aliases
from indexer import cli
from indexer.chain.replay import SNAPSHOT_EVERY
from indexer.store.grammar import Collection, Index
from indexer.store.schema import CHAIN_DERIVED, COLLECTIONS
from tests.test_layers import MAY_IMPORT, ONLY_IN

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PART = re.compile(r"(<!-- generated: (?P<name>[^\n]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)

Row = tuple[str, ...]


def code(text: object) -> str:
    """Text in code type; nothing stays nothing."""
    return f"`{text}`" if text != "" else ""


def table(head: Row, rows: Iterable[Row]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Text as a cell of a table: no bars, and outside of code type no tags."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(part if n % 2 else part.replace("<", "&lt;") for n, part in enumerate(parts))


# --- schema -------------------------------------------------------------------------------------------------


def collection_part(collection: Collection) -> str:
    """A collection: key, purpose, readers, fields, indexes."""
    holds = f"{collection.holds[0].upper()}{collection.holds[1:]}."
    head = f"{holds}\n\n`_id`: {collection.id}. Read by: {collection.readers}."
    fields = table(("field", "type", "meaning"), ((code(f.name), code(f.type), f.meaning) for f in collection.fields))
    return "\n\n".join((head, fields, *_index_table(collection.indexes)))


def _index_table(indexes: tuple[Index, ...]) -> Iterable[str]:
    if not indexes:
        yield "No index but `_id`."
        return
    rows = ((code(i.name), _keys(i), i.query, _options(i)) for i in indexes)
    yield table(("index", "keys", "serves", "options"), rows)


def _keys(index: Index) -> str:
    return ", ".join(code(name) + ("" if order > 0 else " descending") for name, order in index.keys)


def _options(index: Index) -> str:
    return ", ".join(name for name in ("unique", "sparse", "late") if getattr(index, name))


@cache
def _recorded_rows() -> dict[str, list[dict[str, Any]]]:
    """The rows of an index of the recorded chain."""
    from tests.indexed import Index as RecordedIndex
    from tests.indexed import chain
    from tests.memory_store import MemoryStore

    store = MemoryStore()
    RecordedIndex(store, snapshot_every=SNAPSHOT_EVERY).catch_up(chain(), 200)
    return {name: list(rows.values()) for name, rows in store.rows.items()}


def row_sizes_part() -> str:
    """Rows of the recorded chain: how many, and how many bytes of BSON each."""
    rows = []
    for collection in CHAIN_DERIVED:
        stored = _recorded_rows()[collection.name]
        mean = sum(len(bson.encode(row)) for row in stored) / len(stored)
        rows.append((code(collection.name), f"{len(stored):,}", f"{mean:.0f}"))
    return table(("collection", "rows", "bytes of BSON per row"), rows)


# --- settings and commands ----------------------------------------------------------------------------------


def settings_part() -> str:
    """Every key of ``config.toml`` with its default, its variable and the comment beside it."""
    rows: list[Row] = []
    section = ""
    for line in (ROOT / "config.toml").read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif " = " in line and not line.startswith("#"):
            assignment, _, meaning = line.partition("  # ")
            ((key, default),) = tomllib.loads(assignment).items()
            variable = f"FLUX_{section}_{key}".upper()
            rows.append((code(f"{section}.{key}"), code(default) or "empty", code(variable), meaning.strip()))
    return table(("key", "default", "variable", "meaning"), rows)


@cache
def commands() -> dict[str, argparse.ArgumentParser]:
    """The sub-commands of ``flux-explorer``."""
    parser = cli._parser()
    (action,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def commands_part() -> str:
    """Every sub-command with its arguments."""
    return table(
        ("command", "what it does", "arguments"),
        ((code(name), parser.description or "", _arguments(parser)) for name, parser in commands().items()),
    )


def _arguments(parser: argparse.ArgumentParser) -> str:
    hidden = (argparse.SUPPRESS,)
    actions = (a for a in parser._actions if not isinstance(a, argparse._HelpAction) and a.help not in hidden)
    return "; ".join(f"{code(_argument(a))}: {a.help or ''}".removesuffix(": ") for a in actions)


def _argument(action: argparse.Action) -> str:
    name = action.option_strings[-1] if action.option_strings else action.dest
    if action.option_strings and action.nargs != 0:
        name += f" {action.metavar or action.dest.upper()}"
    return f"{name} {'/'.join(action.choices)}" if action.choices else name


# --- architecture -------------------------------------------------------------------------------------------


def imports_part() -> str:
    """The import rule of ``tests/test_layers.py``."""
    rows = ((code(part), ", ".join(map(code, may)) or "nothing") for part, may in MAY_IMPORT.items())
    return table(("part", "may import of the project"), rows)


def foreign_part() -> str:
    """Which modules may import which foreign packages."""
    rows = ((code(package), ", ".join(map(code, homes))) for package, homes in ONLY_IN.items())
    return table(("package", "only in"), rows)


# --- API ----------------------------------------------------------------------------------------------------


def endpoint_part(endpoint: Endpoint) -> str:
    """A route of the API: what it answers, its parameters, its errors."""
    rows = [(code(name), "path", "text", MEANINGS[name]) for name in endpoint.path_parameters]
    rows += [
        (code(p.name), "query", _schema(p.schema), p.meaning + (" (required)" if p.required else ""))
        for p in endpoint.query
    ]
    if endpoint.body is not None:
        required = endpoint.body.required
        rows += [
            (code(name), "body", _schema(schema), "required" if name in required else "")
            for name, schema in endpoint.body.fields.items()
        ]
    parameters = [table(("parameter", "in", "type", "meaning"), rows)] if rows else []
    errors = ", ".join(map(str, endpoint.errors))
    return "\n\n".join((endpoint.summary, *parameters, f"Answer: {_answer(endpoint.answer)}. Errors: {errors}."))


def _schema(schema: Any) -> str:
    words = {"integer": "whole number", "string": "text", "array": "list of texts", "boolean": "true or false"}[
        schema["type"]
    ]
    low, high = schema.get("minimum"), schema.get("maximum", schema.get("maxItems"))
    if low:
        words += f", at least {low}"
    if high:
        words += f", at most {high}"
    return words + (f", {schema['default']} by default" if "default" in schema else "")


def _answer(answer: Any) -> str:
    origin, items = get_origin(answer), get_args(answer)
    return f"{code(origin.__name__)} of {code(items[0].__name__)}" if origin else code(answer.__name__)


def route_name(endpoint: Endpoint) -> str:
    """Method and path of a route."""
    return f"{endpoint.method} {endpoint.path}"


def pages_part() -> str:
    """The pages of the site and the paths of other explorers that lead to them."""
    rows = [
        (code(f"{'POST ' if 'POST' in (route.methods or ()) else ''}{route.path}"), _page(route))
        for route in pages.routes
        if isinstance(route, Route)
    ]
    return table(("path", "page"), rows)


def _page(route: Route) -> str:
    target = aliases.MOVED.get(route.path)
    return f"to {code(target)}" if target else (route.endpoint.__doc__ or "").partition("\n")[0].replace("``", "`")


PARTS: dict[str, Callable[[], str]] = {
    **{f"collection {c.name}": partial(collection_part, c) for c in COLLECTIONS},
    "row sizes": row_sizes_part,
    "settings": settings_part,
    "commands": commands_part,
    "import rule": imports_part,
    "foreign packages": foreign_part,
    "pages": pages_part,
    **{route_name(e): partial(endpoint_part, e) for e in v1.api.endpoints},
}


def renewed(text: str) -> str:
    """A document with every generated part as the code says now."""
    return PART.sub(lambda found: f"{found[1]}\n{PARTS[found['name']]()}\n\n{found[4]}", text)


def main() -> None:
    """Renew all documents."""
    for path in sorted(DOCS.glob("*.md")):
        text = path.read_text()
        if (new := renewed(text)) != text:
            path.write_text(new)
            print(f"renewed {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
