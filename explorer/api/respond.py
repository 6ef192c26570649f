"""Answers as HTTP: the tip in body and headers, ETag and 304, errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from explorer.api.json import encode, to_json
from explorer.db import Answer
from explorer.errors import ExplorerError, RateLimited
from explorer.etag import etag, is_known
from explorer.meta import Tip
from indexer.chain.keys import hash_text

JSON = "application/json"
PLAIN = "text/plain"
SHORTLY = "public, max-age=30"
REVALIDATE = "public, no-cache"
FOREVER = "public, max-age=31536000, immutable"
RETRY_SECONDS = {429: "10", 503: "2"}
CORS = {"Access-Control-Allow-Origin": "*"}


@dataclass(frozen=True, slots=True)
class Immutable:
    """An answer that no reorganisation will change."""

    answer: Answer[Any]


@dataclass(frozen=True, slots=True)
class PlainText:
    """An answer that is a line of text without a name, for programs that read nothing else; headers explain it."""

    text: str
    headers: Mapping[str, str]


def tip_json(tip: Tip) -> dict[str, Any]:
    """The block that an answer is true for."""
    return {"height": tip.height, "hash": hash_text(tip.hash), "time": tip.time}


def respond(request: Request, found: Answer[Any] | Immutable, *, revalidate: bool = True) -> Response:
    """A result object as JSON with the tip it is true for; 304 when the client has it already."""
    answer = found.answer if isinstance(found, Immutable) else found
    headers = {
        "X-Flux-Height": str(answer.tip.height),
        "X-Flux-Hash": hash_text(answer.tip.hash),
        "Vary": "Accept",
    }
    if revalidate:
        cached = FOREVER if isinstance(found, Immutable) else REVALIDATE
        headers |= {"ETag": etag(answer.tip, answer.shown), "Cache-Control": cached}
        if is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers | _cors(request))
    else:
        headers["Cache-Control"] = "no-store"
    if isinstance(answer.value, PlainText):
        return _plain_response(request, answer.value, headers)
    body = {"tip": tip_json(answer.tip), **to_json(answer.value)}
    return json_response(request, body, headers=headers)


def _plain_response(request: Request, plain: PlainText, headers: Mapping[str, str]) -> Response:
    """Text that proxies may keep for a while; a header holds printable ASCII only."""
    told = {name: "".join(c if " " <= c <= "~" else "?" for c in text) for name, text in plain.headers.items()}
    all_headers = {**headers, "Cache-Control": SHORTLY, **told, **_cors(request)}
    return Response(plain.text, 200, all_headers, media_type=PLAIN)


def json_response(
    request: Request, body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A body as JSON, indented with ``?pretty=1``."""
    text = encode(body, pretty=request.query_params.get("pretty") == "1")
    return Response(text, status, {**(headers or {}), **_cors(request)}, media_type=JSON)


def error_response(request: Request, error: ExplorerError) -> Response:
    """An error as the contract words it."""
    return plain_error(request, error.status, error.code, str(error), retry_after(error))


def retry_after(error: ExplorerError) -> str | None:
    """After how many seconds asking again makes sense, None when it does not."""
    own = error.retry_seconds if isinstance(error, RateLimited) else None
    return RETRY_SECONDS.get(error.status) if own is None else str(own)


def plain_error(request: Request, status: int, code: str, message: str, retry: str | None = None) -> Response:
    """An error by its status, code and message, and when to ask again."""
    headers = {"Cache-Control": "no-store"}
    if retry is not None:
        headers["Retry-After"] = retry
    return json_response(request, {"error": {"code": code, "message": message}}, status=status, headers=headers)


def _cors(request: Request) -> dict[str, str]:
    return CORS if request.method in ("GET", "HEAD") else {}
