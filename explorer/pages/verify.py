"""A form that checks a signed message: whether the key of an address signed it."""

from __future__ import annotations

from functools import partial

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
    answer = partial(page, request, "verify.html", typed=typed, most=LONGEST)
    if not typed["address"] and not typed["signature"]:
        return await answer(problem="", verdict=None)
    try:
        found = verdict(services(request).network, **typed)
    except BadRequest as error:
        return await answer(http_status=400, problem=said(error.message), verdict=None)
    return await answer(problem="", verdict=found)
