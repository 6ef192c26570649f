"""The site's own files, addressed by their content so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FOLDER: Final = Path(__file__).parents[1] / "static"
FOREVER: Final = "public, max-age=31536000, immutable"
DAY: Final = "public, max-age=86400"


@cache
def content(name: str) -> bytes:
    """The bytes of a file of the site."""
    return (FOLDER / name).read_bytes()


@cache
def asset(name: str) -> str:
    """The path of a file, with a digest of its content."""
    return f"/static/{name}?v={hashlib.sha256(content(name)).hexdigest()[:12]}"


@cache
def names() -> frozenset[str]:
    """The files there are."""
    return frozenset(path.name for path in FOLDER.iterdir() if path.is_file())


async def static(request: Request) -> Response:
    """A file of the site; kept for ever by browsers when asked for by its digest."""
    name = request.path_params["name"]
    if name not in names():
        raise HTTPException(404)
    kept = FOREVER if asset(name).endswith(f"?{request.url.query}") else "public, no-cache"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(content(name), headers={"Cache-Control": kept}, media_type=kind)


async def favicon(request: Request) -> Response:
    """The icon, where browsers look for it by themselves."""
    return Response(content("favicon.svg"), headers={"Cache-Control": DAY}, media_type="image/svg+xml")


async def robots(request: Request) -> Response:
    """What crawlers may read: blocks, transactions and addresses, but no deep pages of lists."""
    closed = ("/*?*cursor=", "/search", "/broadcast", "/api/")
    rules = "".join(f"Disallow: {path}\n" for path in closed)
    return Response(f"User-agent: *\n{rules}", headers={"Cache-Control": DAY}, media_type="text/plain")
