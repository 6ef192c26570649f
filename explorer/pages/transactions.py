"""A transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from explorer.api.body import query_int
from explorer.db import Answer, View
from explorer.errors import NotFound
from explorer.languages.phrases import Phrase
from explorer.pages.formats import SLICE, input_path
from explorer.pages.render import page
from explorer.queries.addresses import is_following
from explorer.queries.fleets import collaterals
from explorer.queries.results import Spend, Transaction
from explorer.queries.text import parse_height, parse_txid
from explorer.queries.transactions import FullIds, transaction
from explorer.queries.units import Tier
from explorer.services import services
from explorer.tasks import already

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Some of the inputs or outputs of a transaction that may have hundreds of thousands."""

    items: Sequence[T]
    first: int
    total: int

    @property
    def before(self) -> int | None:
        """Where the slice before this one begins."""
        return max(0, self.first - SLICE) if self.first else None

    @property
    def after(self) -> int | None:
        """Where the next slice begins."""
        return self.first + SLICE if self.first + SLICE < self.total else None


def sliced(items: Sequence[T], first: int) -> Slice[T]:
    """The slice that begins at ``first``."""
    return Slice(items[first : first + SLICE], first, len(items))


async def _transaction(request: Request) -> Answer[tuple[Transaction, Mapping[int, Tier]]]:
    s = services(request)
    txid = parse_txid(request.path_params["txid"])
    return await s.db.fenced(with_collaterals, txid, s.daemon.full_ids)


async def with_collaterals(view: View, txid: bytes, full_ids: FullIds) -> tuple[Transaction, Mapping[int, Tier]]:
    """A transaction, and which of its outputs stand behind nodes; unknown while the index catches up."""
    found, nodes = await asyncio.gather(
        transaction(view, txid, full_ids), collaterals(view, txid) if is_following(view) else already({})
    )
    return found, nodes


async def show(request: Request) -> Response:
    """A transaction by its id."""
    answer = await _transaction(request)
    found, nodes = answer.value
    inputs = sliced(found.inputs, query_int(request, "in") or 0)
    outputs = sliced(found.outputs, query_int(request, "out") or 0)
    return await page(
        request, "transaction.html", tx=found, inputs=inputs, outputs=outputs, nodes=nodes, tip=answer.tip
    )


async def spending(request: Request) -> Response:
    """To the input that spends an output."""
    found, _ = (await _transaction(request)).value
    n = parse_height(request.path_params["n"])
    spent_by = found.outputs[n].spent_by if n < len(found.outputs) else None
    if not isinstance(spent_by, Spend):
        raise NotFound(Phrase(
            "output %(n)s of transaction %(txid)s is not spent, or there is no such output",
            n=n, txid=found.txid,
        ))  # fmt: skip
    return RedirectResponse(input_path(spent_by.txid, spent_by.n), 302)
