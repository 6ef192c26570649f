"""The OpenAPI 3.1 document, made from the declarations beside the handlers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from explorer.api.endpoint import Endpoint, Parameter
from explorer.api.json import PATTERNS, Schema, schema_of
from explorer.api.respond import RETRY_SECONDS, PlainText
from explorer.errors import ExplorerError
from explorer.queries.chart_results import NAMES
from explorer.queries.supply_numbers import NUMBERS
from explorer.queries.units import TIERS, Unit
from indexer import __version__

ERRORS = {
    400: "bad_request: what was wrong and what was expected",
    401: "not_signed_in: the token of a session is missing or has ended",
    403: "forbidden: a signature that is not the address's, or no accounts here",
    404: "not_found",
    409: "above_tip (says how far the index is) or reorganised",
    413: "too_large: a body longer than what is read of it",
    429: "rate_limited: more at once than is allowed, ask again later",
    503: "syncing, upstream_unavailable or timeout: ask again later",
}
HEIGHT = "[0-9]{1,15}"
HASH = "[0-9a-fA-F]{64}"
FORMS: dict[str, Schema] = {
    "reference": {"type": "string", "pattern": f"^({HEIGHT}|{HASH})$"},
    "txid": {"type": "string", "pattern": f"^{HASH}$"},
    "address": {"type": "string", "pattern": PATTERNS[Unit.ADDRESS]},
    "tier": {"type": "string", "enum": list(TIERS)},
    "outpoint": {"type": "string", "pattern": rf"^({HASH}[:-][0-9]{{1,10}}|COutPoint\({HASH}, [0-9]{{1,10}}\))$"},
    "number": {"type": "string", "enum": list(NUMBERS)},
    "chain": {"type": "string", "pattern": "^[a-z0-9_-]+$"},
    "name": {"type": "string", "enum": list(NAMES)},
}
"""How what stands in a path is written."""
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
HEADERS: dict[str, Schema] = {
    "X-Flux-Height": {"description": "height of the tip", "schema": {"type": "integer", "minimum": 0}},
    "X-Flux-Hash": {"description": "hash of the tip", "schema": {"type": "string", "pattern": PATTERNS[Unit.HASH]}},
    "ETag": {"description": "changes with the answer", "schema": {"type": "string"}},
    "Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 1}},
}
TOKEN = {"type": "http", "scheme": "bearer", "description": "of a session: POST /api/v1/account/sessions"}
DESCRIPTION = "Blocks, transactions, addresses, nodes, supply."
PRETTY = Parameter("pretty", {"type": "string"}, "1: indented JSON")


def codes(status: int | None = None) -> list[str]:
    """The codes of errors that an answer with this status may have; without a status all of them."""
    kinds = [kind for kind in ExplorerError.__subclasses__() if status in (None, kind.status)]
    return sorted({kind.code for kind in kinds})


BASE: dict[str, Schema] = {
    "Tip": {
        "type": "object",
        "description": "The block that the answer is true for.",
        "properties": {
            "height": {"type": "integer", "minimum": 0},
            "hash": {"type": "string", "pattern": PATTERNS[Unit.HASH]},
            "time": {"type": "integer"},
        },
        "required": ["height", "hash", "time"],
    },
    "Error": {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {"code": {"type": "string", "enum": codes()}, "message": {"type": "string"}},
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
        "components": {"schemas": components, "headers": HEADERS, "securitySchemes": {"token": TOKEN}},
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
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": endpoint.body.schema}}}
    if endpoint.signed_in:
        operation["security"] = [{"token": []}]
    if endpoint.revalidate:
        operation["responses"]["304"] = {"description": "The answer is the one named in If-None-Match."}
    return operation


def _described(name: str) -> dict[str, Any]:
    return {"schema": FORMS[name], "description": MEANINGS[name]}


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
    content: dict[str, Any] = {written: {"schema": {"type": "string"}} for written in endpoint.also_written}
    if endpoint.answer is PlainText:
        content["text/plain"] = {"schema": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}}
    elif not _is_json(endpoint):
        content[endpoint.answer.media_type] = {"schema": {"type": "string"}}
        return {"description": endpoint.summary, "content": content}
    else:
        tip = {"type": "object", "properties": {"tip": {"$ref": "#/components/schemas/Tip"}}, "required": ["tip"]}
        content["application/json"] = {"schema": {"allOf": [tip, schema_of(endpoint.answer, components)]}}
    told = ("X-Flux-Height", "X-Flux-Hash", *(("ETag",) if endpoint.revalidate else ()))
    return {"description": endpoint.summary, "headers": _headers(*told), "content": content}


def _errors(endpoint: Endpoint) -> dict[str, Any]:
    anywhere = (429,) if endpoint.body is None else (413, 429)
    return {str(status): _error(status) for status in sorted({*endpoint.errors, *anywhere})}


def _error(status: int) -> dict[str, Any]:
    code = {"type": "object", "properties": {"code": {"enum": codes(status)}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Error"}, {"type": "object", "properties": {"error": code}}]}
    answer: dict[str, Any] = {"description": ERRORS[status], "content": {"application/json": {"schema": schema}}}
    return answer | ({"headers": _headers("Retry-After")} if status in RETRY_SECONDS else {})


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
