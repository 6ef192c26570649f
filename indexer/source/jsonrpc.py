"""The daemon's JSON-RPC as bytes and values, without I/O: requests, replies, and what each failure means.

Shapes and statuses: ``httprpc.cpp:HTTPReq_JSONRPC``, ``rpc/server.cpp:JSONRPCExecBatch``, ``rpc/protocol.h``.
``where`` in every function is the daemon's URL without credentials.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from indexer.errors import Garbled, Refused, SourceError, WarmingUp, WrongCredentials

MISC_ERROR = -1
NOT_FOUND = -5
OUT_OF_RANGE = -8
IN_WARMUP = -28
METHOD_NOT_FOUND = -32601


class Call(NamedTuple):
    """A method with its positional parameters (the daemon refuses named ones)."""

    method: str
    params: tuple[Any, ...] = ()


def encode_call(call: Call) -> bytes:
    """The request body of one call, with id 0."""
    return json.dumps(_request(call, 0)).encode()


def encode_batch(calls: Sequence[Call]) -> bytes:
    """The request body of a batch; the id of each call is its position."""
    return json.dumps([_request(call, position) for position, call in enumerate(calls)]).encode()


def _request(call: Call, number: int) -> dict[str, Any]:
    return {"method": call.method, "params": list(call.params), "id": number}


def decode_call(status: int, body: bytes, call: Call, where: str) -> Any:
    """The result of one call; raises Refused with the daemon's code, or what the HTTP status means."""
    check_status(status, body, where)
    answer = _outcome(_read(body, where), 0, call, where)
    if isinstance(answer, Refused):
        raise answer
    return answer


def decode_batch(status: int, body: bytes, calls: Sequence[Call], where: str) -> list[Any]:
    """The results of a batch in its order; a refused call's place holds its Refused, not raised."""
    check_status(status, body, where)
    replies = _read(body, where)
    if not isinstance(replies, list):
        _outcome(replies, 0, Call("batch"), where)
        raise Garbled(f"the daemon at {where} answered a batch with a single reply: asking again")
    if len(replies) != len(calls):
        raise Garbled(f"the daemon at {where} answered {len(replies)} of {len(calls)} calls: asking again")
    return [_outcome(reply, n, call, where) for n, (reply, call) in enumerate(zip(replies, calls, strict=True))]


def check_status(status: int, body: bytes, where: str) -> None:
    """Raise what an HTTP status without a JSON reply means; a JSON body is left to be decoded."""
    if status == 401:
        raise WrongCredentials(
            f"the daemon at {where} refused user and password (HTTP 401): set daemon.user and daemon.password "
            "as rpcuser and rpcpassword in flux.conf, or point daemon.cookie_file at its .cookie"
        )
    if status == 403:
        raise SourceError(f"the daemon at {where} does not serve this machine (HTTP 403): add rpcallowip to flux.conf")
    if status == 405:
        raise SourceError(f"the server at {where} takes no POST (HTTP 405): is daemon.url a fluxd JSON-RPC port?")
    if body.lstrip()[:1] in (b"{", b"["):
        return
    if status == 404:
        raise SourceError(f"no JSON-RPC under {where} (HTTP 404): daemon.url must have the path / of a fluxd RPC port")
    if b"Work queue depth exceeded" in body:
        raise WarmingUp(f"the daemon at {where} has a full work queue: asking again (rpcworkqueue in flux.conf)")
    if status == 503:
        raise WarmingUp(f"the daemon at {where} is shutting down or overloaded (HTTP 503): asking again")
    if status != 200:
        raise Garbled(f"the server at {where} answered HTTP {status} without JSON: asking again")


def _read(body: bytes, where: str) -> Any:
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise Garbled(
            f"the server at {where} answered {len(body)} bytes that are no JSON: asking again "
            "(if this stays, daemon.url points at something else than fluxd)"
        ) from None


def _outcome(reply: Any, number: int, call: Call, where: str) -> Any:
    if not isinstance(reply, dict) or not {"result", "error"} <= reply.keys():
        raise Garbled(f"the server at {where} answered {call.method} with no JSON-RPC reply: asking again")
    error = reply["error"]
    if error is None:
        if reply.get("id") != number:
            raise Garbled(f"the daemon at {where} answered {call.method} out of order: asking again")
        return reply["result"]
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        raise Garbled(f"the daemon at {where} refused {call.method} without a code: asking again")
    reason = str(error.get("message", ""))
    if error["code"] == IN_WARMUP:
        raise WarmingUp(f"the daemon at {where} is warming up: {reason}")
    return Refused(call.method, error["code"], reason.partition("\n")[0])
