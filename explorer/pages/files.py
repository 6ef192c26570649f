"""Texts that programs take away: by their content, so that nobody gets twice what he has."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from explorer.api.respond import CORS, REVALIDATE
from explorer.etag import is_known


def file_of(request: Request, text: str, kind: str, *, name: str) -> Response:
    """A text in UTF-8 as a file of a media type and name; 304 when the client has it."""
    content = text.encode("utf-8", "replace")
    headers = {
        "ETag": f'W/"{hashlib.sha256(content).hexdigest()[:20]}"',
        "Cache-Control": REVALIDATE,
        "Vary": "Accept-Encoding",
        **CORS,
    }
    if is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'inline; filename="{name}"'
    return Response(content, headers=headers, media_type=f"{kind}; charset=utf-8")
