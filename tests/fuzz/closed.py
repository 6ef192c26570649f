"""The OpenAPI document made stricter than it is served: no field that it does not name, and values that exist.

The served document leaves its objects open, because fields may be added for clients that know nothing of them. A test
knows all of them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Document = dict[str, Any]
Known = Mapping[str, Sequence[Any]]
"""Values of parameters and of fields of bodies, by their names."""

REFERENCE = "#/components/schemas/"


def closed(document: Document) -> Document:
    """A copy in which every object of an answer has the fields that are named, and no other."""
    strict = copy.deepcopy(document)
    schemas = strict["components"]["schemas"]
    for schema in schemas.values():
        _close(schema)
    for _, operation in operations(strict):
        for media in operation["responses"]["200"]["content"].values():
            if "allOf" in media["schema"]:
                media["schema"] = _merged(media["schema"]["allOf"], schemas)
    return strict


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    """The operations of a document: method and path, and what is said of them."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def narrowed(document: Document, label: str, known: Known) -> Document:
    """A copy with one operation alone, whose parameters have values of ``known`` where it names them."""
    method, path = label.split()
    operation = copy.deepcopy(document["paths"][path][method.lower()])
    for parameter in operation["parameters"]:
        if parameter["name"] in known:
            parameter["schema"] = {"enum": list(known[parameter["name"]])}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for name, schema in body.get("properties", {}).items():
        if name in known:
            one = {"enum": list(known[name])}
            body["properties"][name] = {**schema, "items": one, "maxItems": 5} if "items" in schema else one
    return {**document, "paths": {path: {method.lower(): operation}}}


def _close(schema: Any) -> None:
    """Close an object and the objects that are described inside it."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _close(part)
    elif isinstance(schema, list):
        for part in schema:
            _close(part)


def _merged(parts: Sequence[Document], schemas: Mapping[str, Document]) -> Document:
    """One closed object with the fields of all parts: an object that is closed by itself knows no tip."""
    found = [schemas[part["$ref"].removeprefix(REFERENCE)] if "$ref" in part else part for part in parts]
    return {
        "type": "object",
        "properties": {name: schema for part in found for name, schema in part["properties"].items()},
        "required": [name for part in found for name in part["required"]],
        "additionalProperties": False,
    }
