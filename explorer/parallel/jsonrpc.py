"""JSON-RPC 2.0 as the chains' nodes speak it: batches whose answers may come in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from explorer.parallel.fetch import Fetcher, Throttled, host_of
from indexer.errors import Garbled, SourceError

LIMIT_EXCEEDED: Final = (-32005, -32029, 429)  # EIP-1474 and what providers made of it
LONGEST_REASON: Final = 120


class Declined(SourceError):
    """The node understood a call and declined it."""


class Call(NamedTuple):
    """A method and its positional parameters."""

    method: str
    params: tuple[Any, ...] = ()


async def ask(fetcher: Fetcher, url: str, call: Call) -> Any:
    """The result of one call; Declined with the node's code and words."""
    body = await fetcher.post(url, _request(call, 0))
    return _result(body, call, url)


async def ask_all(fetcher: Fetcher, url: str, calls: Sequence[Call]) -> list[Any]:
    """The results of a batch in its order; the first refusal is raised."""
    body = await fetcher.post(url, [_request(call, number) for number, call in enumerate(calls)])
    if not isinstance(body, list):
        _result(body, Call("the batch"), url)
        raise Garbled(f"{host_of(url)} answered a batch with a single reply")
    replies = {reply.get("id"): reply for reply in body if isinstance(reply, dict) and _is_number(reply.get("id"))}
    if len(body) != len(calls) or replies.keys() != set(range(len(calls))):
        raise Garbled(f"{host_of(url)} answered {len(replies)} of {len(calls)} calls")
    return [_result(replies[number], call, url) for number, call in enumerate(calls)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _request(call: Call, number: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": call.method, "params": list(call.params)}


def _result(reply: Any, call: Call, url: str) -> Any:
    host = host_of(url)
    if not isinstance(reply, Mapping):
        raise Garbled(f"{host} answered {call.method} with no JSON-RPC reply")
    error = reply.get("error")
    if error is None:
        if "result" not in reply:
            raise Garbled(f"{host} answered {call.method} with no result")
        return reply["result"]
    code = error.get("code") if isinstance(error, Mapping) else None
    if not _is_number(code):
        raise Garbled(f"{host} refused {call.method} without a code")
    if code in LIMIT_EXCEEDED:
        raise Throttled(f"{host} asks to be asked less often ({call.method}, code {code})", None)
    raise Declined(f"{host} declined {call.method}: {_words(error.get('message'), url)} (code {code})")


def _words(message: Any, url: str) -> str:
    """The node's own words, without a key of the endpoint's URL in them."""
    text = " ".join(str(message).split())[:LONGEST_REASON]
    for part in url.replace("?", "/").replace("&", "/").replace("=", "/").replace("@", "/").split("/"):
        if len(part) >= 8 and part not in host_of(url):
            text = text.replace(part, "…")
    return text
