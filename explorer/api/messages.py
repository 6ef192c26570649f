"""The part of the API that checks signed messages."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from explorer.api.body import Body
from explorer.api.endpoint import Api, Parameter
from explorer.db import Answer
from explorer.errors import BadRequest, Syncing
from explorer.queries.messages import LONGEST, Verdict, verdict
from explorer.services import services

ASKED: Final = ("address", "signature", "message")
PARAMETERS: Final = (
    Parameter("address", {"type": "string"}, "address of a key", required=True),
    Parameter("signature", {"type": "string"}, "in Base64, as wallets give it", required=True),
    Parameter("message", {"type": "string"}, "the text that was signed, none by default"),
)
BODY: Final = Body(
    1 << 17, *ASKED,
    address={"type": "string"}, signature={"type": "string"}, message={"type": "string", "maxLength": LONGEST},
)  # fmt: skip

api = Api()


def _answer(request: Request, given: dict[str, str]) -> Answer[Verdict]:
    s = services(request)
    tip = s.db.meta.tip
    if tip is None:
        raise Syncing("no block has been indexed yet: ask again later")
    return Answer(verdict(s.network, given["address"].strip(), given["signature"].strip(), given["message"]), tip)


@api.get("/api/v1/verify", Verdict, *PARAMETERS, errors=(400, 503))
async def get_verdict(request: Request) -> Answer[Verdict]:
    """Whether the key of an address signed a message, and if not, whose key did."""
    query = request.query_params
    for name in ASKED[:2]:
        if not query.get(name):
            raise BadRequest(f"{name} is missing: a message is checked with address, signature and message")
    return _answer(request, {name: query.get(name, "") for name in ASKED})


@api.post("/api/v1/verify", Verdict, BODY, errors=(400, 503))
async def post_verdict(request: Request) -> Answer[Verdict]:
    """The same for a message that is too long for an address line, or nobody else's business."""
    return _answer(request, await BODY.read(request))
