"""Where this site is reached, for texts that leave it."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

HERE: Final = "http://localhost:8080"

_NETLOC = re.compile(r"[A-Za-z0-9.\-]{1,253}(?::\d{1,5})?\Z|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?\Z")


def host_of(request: Request) -> str:
    """Scheme and host by which a request came, ``HERE`` when its Host header is no name of a host."""
    url = request.url
    return f"{url.scheme}://{url.netloc}" if _NETLOC.match(url.netloc) else HERE
