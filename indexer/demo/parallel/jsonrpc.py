"""JSON-RPC 2.0 as the nodes of EVM chains and of Solana speak it: single calls and batches over POST."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from indexer.demo.http import Reply
from indexer.demo.parallel.view import Request, json_reply, page_reply
from indexer.demo.rules import RpcError

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602

Methods = Mapping[str, Callable[..., Any]]
"""What answers a method; it may raise RpcError."""


def answer(methods: Methods, request: Request) -> Reply:
    """The reply to a request; whatever is wrong with a call is told with status 200."""
    if request.method != "POST":
        return page_reply(HTTPStatus.METHOD_NOT_ALLOWED)
    try:
        call = json.loads(request.body)
    except ValueError:
        return json_reply(_failure(None, RpcError(PARSE_ERROR, "Parse error")), HTTPStatus.BAD_REQUEST)
    if isinstance(call, list):
        return json_reply([_execute(methods, item) for item in call])
    return json_reply(_execute(methods, call))


def _execute(methods: Methods, call: Any) -> dict[str, Any]:
    number = call.get("id") if isinstance(call, dict) else None
    try:
        return {"jsonrpc": "2.0", "id": number, "result": _result(methods, call)}
    except RpcError as error:
        return _failure(number, error)
    except (TypeError, ValueError, KeyError, AttributeError):
        return _failure(number, RpcError(INVALID_PARAMS, "invalid argument"))


def _result(methods: Methods, call: Any) -> Any:
    if not isinstance(call, dict) or call.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, "invalid request")
    method, params = str(call.get("method")), call.get("params", [])
    if method not in methods:
        raise RpcError(NO_METHOD, f"the method {method} does not exist/is not available")
    return methods[method](*params)


def _failure(number: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": error.code, "message": error.message}}
