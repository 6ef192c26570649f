"""The page of the API: every operation in words, from the same declarations as the OpenAPI document."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from explorer.api import v1
from explorer.api.openapi import document
from explorer.languages import N_, Marked, _
from explorer.pages.hosts import host_of
from explorer.pages.render import page
from explorer.services import services

PREFIX: Final = "/api/v1/"
REFERENCE: Final = "#/components/schemas/"
SUBJECTS: Final[Mapping[str, str]] = Marked({
    "status": N_("Status"),
    "events": N_("Status"),
    "home": N_("Status"),
    "blocks": N_("Blocks"),
    "reorgs": N_("Blocks"),
    "transactions": N_("Transactions"),
    "mempool": N_("Transactions"),
    "addresses": N_("Addresses"),
    "balances": N_("Addresses"),
    "credits": N_("Addresses"),
    "tiers": N_("Nodes"),
    "nodes": N_("Nodes"),
    "operator": N_("Nodes"),
    "payouts": N_("Nodes"),
    "producers": N_("Nodes"),
    "earnings": N_("Rules and earnings"),
    "rules": N_("Rules and earnings"),
    "supply": N_("Supply"),
    "parallel": N_("Supply"),
    "richlist": N_("Supply"),
    "distribution": N_("Supply"),
    "search": N_("Search"),
    "verify": N_("Signed messages"),
    "account": N_("Accounts"),
    "charts": N_("Charts"),
})  # fmt: skip
OTHER: Final = N_("More")
BOUNDS: Final[Mapping[str, str]] = {"minimum": "at least {}", "maximum": "at most {}", "default": "{} by default"}
SAMPLES: Final[Mapping[str, str]] = {"array": "[…]", "boolean": "true", "integer": "1"}
NO_BOUND: Final = ("minimum", 0)
DIALECTS: Final = (
    ("Blockbook v2", N_("/api/v2/… and the websocket /websocket"), N_("for wallets")),
    ("Insight", N_("/api/… and /insight-api/…"), N_("for wallets and dashboards")),
    ("FluxOS", N_("/daemon/… and /explorer/…"), N_("for programs that ask a node")),
    (N_("Plain numbers"), "/api/v1/supply/…", N_("for trackers of markets, as text")),
)
"""Interfaces of other servers that this one speaks: name, where, for whom."""

KNOWN: Final[Mapping[str, str]] = {"tier": "cumulus", "number": "total", "chain": "eth", "q": "tip"}
"""Values in examples that hold on every network."""
ASKED: Final[Mapping[str, Mapping[str, str]]] = {
    "/api/v1/operator": {"address": "ADDRESS"},
    "/api/v1/earnings": {"cumulus": "1", "nimbus": "1", "stratus": "1"},
}
"""What an example asks where nothing is required and yet something is needed."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object, or a parameter: what is in it, in words, and the object that it refers to."""

    name: str
    kind: str
    refers: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Shape:
    """An object of the answers."""

    name: str
    meaning: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """A question that can be asked; ``answer`` is the object of the answer, ``example`` a command line."""

    id: str
    method: str
    path: str
    summary: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answer: str
    errors: tuple[str, ...]
    example: str


async def show(request: Request) -> Response:
    """All operations with their parameters, answers and an example for this host."""
    described = document(v1.api.endpoints)
    host, tip = host_of(request), services(request).db.meta.tip
    groups: dict[str, list[Operation]] = {}
    for operation in operations(described, host, 0 if tip is None else tip.height):
        groups.setdefault(subject(operation.path), []).append(operation)
    dialects = tuple(tuple(map(_, dialect)) for dialect in DIALECTS)
    return await page(request, "api.html", groups=groups, shapes=tuple(shapes(described)), dialects=dialects)


def subject(path: str) -> str:
    """The heading under which an operation stands."""
    return SUBJECTS.get(path.removeprefix(PREFIX).partition("/")[0]) or _(OTHER)


def operations(described: Mapping[str, Any], host: str, height: int) -> Iterator[Operation]:
    """The operations of an OpenAPI document; examples ask ``host``, about the block at ``height``."""
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            yield Operation(
                id=told["operationId"],
                method=method.upper(),
                path=path,
                summary=_plain(told["summary"]),
                parameters=tuple(_parameter(one) for one in told["parameters"]),
                body=tuple(_fields(body)),
                answer=_answer(told),
                errors=tuple(code for code in told["responses"] if code >= "4"),
                example=example(method.upper(), path, told, host, height),
            )


def shapes(described: Mapping[str, Any]) -> Iterator[Shape]:
    """The objects of an OpenAPI document by name."""
    for name, schema in sorted(described["components"]["schemas"].items()):
        yield Shape(name, _plain(schema.get("description", "")), tuple(_fields(schema)))


def example(method: str, path: str, told: Mapping[str, Any], host: str, height: int) -> str:
    """A command line that asks an operation; what only the reader can know stands in capitals."""
    known = {"reference": str(height), **KNOWN}
    required = [one for one in told["parameters"] if one["required"]]
    for name in (one["name"] for one in required if one["in"] == "path"):
        path = path.replace(f"{{{name}}}", quote(known.get(name, name.upper()), safe=""))
    query = {one["name"]: known.get(one["name"], one["name"].upper()) for one in required if one["in"] == "query"}
    query |= ASKED.get(path, {})
    address = shlex.quote(f"{host}{path}" + (f"?{urlencode(query)}" if query else ""))
    token = " -H 'Authorization: Bearer TOKEN'" if "security" in told else ""
    if method == "GET":
        return f"curl{token} {address}"
    schema = told["requestBody"]["content"]["application/json"]["schema"]
    body = ", ".join(f'"{name}": {_sample(schema["properties"][name])}' for name in schema["required"])
    return f"curl -X {method} -d '{{{body}}}'{token} {address}"


def _sample(schema: Mapping[str, Any]) -> str:
    return SAMPLES.get(schema["type"], '"…"')


def _answer(told: Mapping[str, Any]) -> str:
    """The name of the object that an operation answers with; empty for what is no JSON."""
    content: Mapping[str, Any] = told["responses"]["200"].get("content", {})
    parts = content.get("application/json", {}).get("schema", {}).get("allOf", ())
    return next((_reference(part) for part in parts if "$ref" in part), "")


def _parameter(told: Mapping[str, Any]) -> Field:
    meaning = f"{told['description']}{_bounds(told['schema'])}{'; required' if told['required'] else ''}"
    return Field(told["name"], _kind(told["schema"]), "", meaning)


def _bounds(schema: Mapping[str, Any]) -> str:
    """Least, most and usual value of a number, as the end of a sentence."""
    bounds = [(name, bound) for name, bound in schema.items() if name in BOUNDS and (name, bound) != NO_BOUND]
    told = [BOUNDS[name].format(bound) for name, bound in bounds]
    return f"; {', '.join(told)}" if told else ""


def _fields(schema: Mapping[str, Any]) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, kind in schema.get("properties", {}).items():
        meaning = _plain(_meaning(kind)) + _bounds(kind)
        lacking = "" if name in required else "; may be left out" if meaning else "may be left out"
        yield Field(name, _kind(kind), _refers(kind), (meaning + lacking).removeprefix("; "))


def _meaning(schema: Mapping[str, Any]) -> str:
    """What a value means: of one that may be null, or of a list, what is told of the value itself."""
    told: str = schema.get("description", "")
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    return told or next((found for one in inner if (found := _meaning(one))), "")


def _plain(text: str) -> str:
    """A description without the marks of code type."""
    return text.replace("`", "")


def _kind(schema: Mapping[str, Any]) -> str:
    """The type of a value in words: ``integer``, ``list of Node``, ``text or null``."""
    if "$ref" in schema:
        return _reference(schema)
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"] if one != "")
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_kind(schema['additionalProperties'])}"
    kind: str = schema.get("type", "anything")
    return "text" if kind == "string" else kind


def _refers(schema: Mapping[str, Any]) -> str:
    """The object that a value is, or is made of; empty for none."""
    if "$ref" in schema:
        return _reference(schema)
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    return next((found for one in inner if (found := _refers(one))), "")


def _reference(schema: Mapping[str, Any]) -> str:
    name: str = schema["$ref"]
    return name.removeprefix(REFERENCE)
