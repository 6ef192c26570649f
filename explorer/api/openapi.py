"""The OpenAPI 3.1 document, made from the declarations beside the handlers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from explorer.api.endpoint import Endpoint, Parameter
from explorer.api.json import Schema, schema_of
from explorer.api.respond import PlainText
from explorer.queries.chart_results import NAMES
from explorer.queries.supply_numbers import NUMBERS
from indexer import __version__

ERRORS = {
    400: "bad_request: what was wrong and what was expected",
    404: "not_found",
    409: "above_tip (says how far the index is) or reorganised",
    429: "rate_limited: more at once than is allowed, ask again later",
    503: "syncing or upstream_unavailable: ask again later",
}
MEANINGS = {
    "reference": "height or block hash",
    "txid": "64 hex digits in display order",
    "address": "transparent address of this network",
    "tier": "cumulus, nimbus or stratus",
    "outpoint": "collateral of a node: <txid>:<n>",
    "number": f"one of {', '.join(NUMBERS)}",
    "chain": "key of a parallel chain",
    "name": f"one of {', '.join(NAMES)}",
}
DESCRIPTION = "Blocks, transactions, addresses, nodes, supply."
PRETTY = Parameter("pretty", {"type": "string", "enum": ["1"]}, "indented JSON")
BASE: dict[str, Schema] = {
    "Tip": {
        "type": "object",
        "description": "The block that the answer is true for.",
        "properties": {"height": {"type": "integer"}, "hash": {"type": "string"}, "time": {"type": "integer"}},
        "required": ["height", "hash", "time"],
    },
    "Error": {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
                "required": ["code", "message"],
            }
        },
        "required": ["error"],
    },
}


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document of these endpoints."""
    components = dict(BASE)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Flux Explorer", "version": __version__, "description": DESCRIPTION},
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(endpoint: Endpoint, components: dict[str, Schema]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "summary": endpoint.summary,
        "parameters": [
            *({"name": n, "in": "path", "required": True, **_described(n)} for n in endpoint.path_parameters),
            *map(_query_parameter, (*endpoint.query, *((PRETTY,) if _is_json(endpoint) else ()))),
        ],
        "responses": {"200": _answer(endpoint, components), **_errors(endpoint)},
    }
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": endpoint.body}}}
    if endpoint.revalidate:
        operation["responses"]["304"] = {"description": "The answer is the one named in If-None-Match."}
    return operation


def _described(name: str) -> dict[str, Any]:
    return {"schema": {"type": "string"}, "description": MEANINGS[name]}


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "schema": parameter.schema,
        "description": parameter.meaning,
    }


def _is_json(endpoint: Endpoint) -> bool:
    answer = endpoint.answer
    return answer is not PlainText and not (isinstance(answer, type) and issubclass(answer, Response))


def _answer(endpoint: Endpoint, components: dict[str, Schema]) -> dict[str, Any]:
    if endpoint.answer is PlainText:
        number = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
        return {"description": endpoint.summary, "content": {"text/plain": {"schema": number}}}
    if not _is_json(endpoint):
        content = {endpoint.answer.media_type: {"schema": {"type": "string"}}}
        return {"description": endpoint.summary, "content": content}
    tip = {"type": "object", "properties": {"tip": {"$ref": "#/components/schemas/Tip"}}, "required": ["tip"]}
    schema = {"allOf": [tip, schema_of(endpoint.answer, components)]}
    return {"description": endpoint.summary, "content": {"application/json": {"schema": schema}}}


def _errors(endpoint: Endpoint) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(code): {"description": ERRORS[code], "content": content} for code in endpoint.errors}
