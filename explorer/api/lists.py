"""What many questions have in common: a page of a list, a past height."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from explorer.api.endpoint import Parameter
from explorer.guard.tolls import charge
from explorer.paging import DEFAULT_LIMIT, MAX_LIMIT, parse_limit

WHOLE = {"type": "integer", "minimum": 0}
AT = Parameter("at", WHOLE, "height instead of the tip")
LIMIT = Parameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}, "items")
CURSOR = Parameter("cursor", {"type": "string"}, "next of the answer before")


def paging(request: Request) -> dict[str, Any]:
    """``cursor`` and ``limit`` of a list, which is paid for by its limit."""
    limit = parse_limit(request.query_params.get("limit"))
    charge(request, limit)
    return {"cursor": request.query_params.get("cursor"), "limit": limit}
