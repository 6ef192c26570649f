"""A form that checks a signed message: whether the key of an address signed it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from explorer.errors import BadRequest
from explorer.languages.phrases import said
from explorer.pages.render import page
from explorer.queries.messages import LONGEST, verdict
from explorer.services import services


async def show(request: Request) -> Response:
    """The form, and the verdict about ``?address=``, ``signature=`` and ``message=``."""
    query = request.query_params
    typed = {name: query.get(name, "") for name in ("address", "signature", "message")}
    typed |= {name: typed[name].strip() for name in ("address", "signature")}
    if not typed["address"] and not typed["signature"]:
        return page(request, "verify.html", typed=typed, problem="", verdict=None, most=LONGEST)
    try:
        found = verdict(services(request).network, **typed)
    except BadRequest as error:
        return page(request, "verify.html", http_status=400, typed=typed, problem=said(error.message), verdict=None,
                    most=LONGEST)  # fmt: skip
    return page(request, "verify.html", typed=typed, problem="", verdict=found, most=LONGEST)
