"""Answers in other programs' forms over HTTP: the tip in the headers, ETag and 304, open to pages of other sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from explorer.api.forms.exact import Body
from explorer.api.respond import CORS, JSON, REVALIDATE
from explorer.db import Answer
from explorer.etag import etag, is_known
from indexer.chain.keys import hash_text


@dataclass(frozen=True, slots=True)
class Passing:
    """A value that nobody may keep: it depends on the clock, or lacks what a daemon adds that is away for a while."""

    value: Any


def reply(
    request: Request, answer: Answer[Any], body: bytes | Body, *, media_type: str = JSON, lasting: bool = True
) -> Response:
    """``body`` as the answer to a request; 304 when the client has it already.

    Nobody keeps an answer that is not ``lasting``.
    """
    tag = etag(answer.tip, answer.shown)
    headers = {"X-Flux-Height": str(answer.tip.height), "X-Flux-Hash": hash_text(answer.tip.hash), **CORS}
    if not lasting and not isinstance(body, Body):
        return Response(body, 200, {**headers, "Cache-Control": "no-store"}, media_type=media_type)
    headers |= {"ETag": tag, "Cache-Control": REVALIDATE}
    if request.method in ("GET", "HEAD") and is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    if isinstance(body, Body):
        headers["Vary"] = "Accept-Encoding"
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(body.text, 200, headers, media_type=media_type)
        headers["Content-Encoding"] = "gzip"
        body = body.packed
    return Response(body, 200, headers, media_type=media_type)


def refusal(body: bytes, status: int, *, media_type: str = JSON) -> Response:
    """An error that nobody keeps."""
    return Response(body, status, {"Cache-Control": "no-store", **CORS}, media_type=media_type)
