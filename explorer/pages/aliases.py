"""Paths of other explorers, sent for good to ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from explorer.errors import NotFound
from explorer.languages.phrases import Phrase
from explorer.pages.formats import input_path, output_path
from explorer.queries.text import parse_height, parse_txid
from indexer.chain.keys import hash_text

MOVED: Final = {
    "/b/{x}": "/block/{x}",
    "/block-index/{x}": "/block/{x}",
    "/block-height/{x}": "/block/{x}",
    "/addr/{x}": "/address/{x}",
    "/fluxnodes": "/nodes",
    "/fluxnodes/{x}": "/nodes/{x}",
    "/masternodes": "/nodes",
    "/rich-list": "/richlist",
    "/orphans": "/reorgs",
    "/sendtx": "/broadcast",
    "/pushtx": "/broadcast",
    "/tx/send": "/broadcast",
    "/messages/verify": "/verify",
    "/api-docs": "/api",
    "/api/docs": "/api",
    "/docs/api": "/api",
    "/about": "/methodology",
}
SIDES: Final = {"<": input_path, ">": output_path, "in": input_path, "out": output_path}


def _moved(target: str) -> Callable[[Request], Response]:
    def redirect(request: Request) -> Response:
        parts = {name: quote(value, safe="") for name, value in request.path_params.items()}
        return RedirectResponse(target.format(**parts), 301)

    return redirect


def transaction_line(request: Request) -> Response:
    """To one input (``<``) or output (``>``) of a transaction, as Insight writes it."""
    side, txid = request.path_params["side"], hash_text(parse_txid(request.path_params["txid"]))
    if side not in SIDES:
        raise NotFound(
            Phrase("a transaction has no %(side)s: expected %(known)s", side=repr(side[:20]), known=" ".join(SIDES))
        )
    return RedirectResponse(SIDES[side](txid, parse_height(request.path_params["n"])), 301)


def routes() -> list[BaseRoute]:
    """A redirect for each."""
    moved = [Route(path, _moved(target)) for path, target in MOVED.items()]
    return [*moved, Route("/tx/{txid}/{side}/{n}", transaction_line)]
