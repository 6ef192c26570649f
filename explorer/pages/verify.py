"""A form that checks a signed message: whether the key of an address signed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from explorer.errors import BadRequest
from explorer.pages.render import page
from explorer.queries.text import address_key
from explorer.services import services
from explorer.signatures import signer
from indexer.chain.address import address_type, encode_address
from indexer.chain.messages import read_signature
from indexer.chain.params import Network
from indexer.errors import AddressError

LONGEST: Final = 10_000  # characters of a message


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the key of ``address`` signed; ``signed_by`` is the address of the key that did, None for nobody's."""

    address: str
    valid: bool
    signed_by: str | None


def verdict(network: Network, address: str, signature: str, message: str) -> Verdict:
    """Check a message; BadRequest when address or signature are none.

    Browsers send the lines of a form with CRLF: both that and LF are tried, for the signed text had one of them.
    """
    key = address_key(address, network)
    if address_type(key) != "p2pkh":
        raise BadRequest("this is an address of a script: only a key can sign a message, so ask for that of a key")
    try:
        compact = read_signature(signature)
    except AddressError as error:
        raise BadRequest(str(error)) from error
    if len(message) > LONGEST:
        raise BadRequest(f"the message has {len(message)} characters: at most {LONGEST} are checked")
    unix = message.replace("\r\n", "\n")
    signers = [signer(compact, text.encode("utf-8", "replace")) for text in (unix, unix.replace("\n", "\r\n"))]
    found = signers[0]
    return Verdict(address, key in signers, None if found is None else encode_address(found, network))


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
        return page(request, "verify.html", http_status=400, typed=typed, problem=str(error), verdict=None,
                    most=LONGEST)  # fmt: skip
    return page(request, "verify.html", typed=typed, problem="", verdict=found, most=LONGEST)
