"""Parallel mining: what the payouts of nodes entitle their payees to on the parallel chains. An estimate.

The rule is the issuer's, not the chain's, and what has been claimed is not visible here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from explorer.db import View
from explorer.errors import NotFound
from explorer.languages.phrases import Phrase
from explorer.parallel.base import Parallel
from explorer.queries.node_rows import node_id
from explorer.queries.text import address_key
from explorer.queries.units import Height, Zatoshi
from indexer.chain.parallel import SHARE

KEPT: Final = "parallel mining"
MOST_KEPT: Final = 500  # addresses and nodes whose sums are kept in memory
SOURCE: Final = Phrase("the issuer's description of its claims (Fusion API, coinbase statistics)")


class Sums(NamedTuple):
    """Payouts up to a height: how many, what they paid, and what tenths of them leave over; zatoshi."""

    height: int
    payouts: int
    paid: int
    left_over: int
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What is due on one parallel chain; ``launched`` or only from its launch height on."""

    chain: str
    name: str
    asset: str
    lifecycle: str
    launch_height: Height
    launched: bool
    amount: Zatoshi


@dataclass(frozen=True, slots=True)
class ParallelMining:
    """What payouts to nodes from ``mining_from`` on entitle to on each parallel chain, by ``rule``: an estimate.

    ``payouts`` and ``paid`` count what coinbases really paid on this chain; ``per_chain`` is due on each parallel
    chain, ``total`` on all that are launched.
    """

    rule: str
    source: str
    mining_from: Height
    payouts: int
    paid: Zatoshi
    first_height: Height | None
    last_height: Height | None
    per_chain: Zatoshi
    total: Zatoshi
    items: tuple[Entitlement, ...]


async def mining_of_address(view: View, text: str) -> ParallelMining:
    """What the payouts to an address entitle it to; zeros for one that no node ever paid."""
    key = address_key(text, view.network)
    return _mining(view, await _sums(view, "payees", key))


async def mining_of_node(view: View, outpoint: bytes) -> ParallelMining:
    """What the payouts to a node, in all its lives, entitle its payees to."""
    return _mining(view, await _sums(view, "nodes", await node_id(view, outpoint)))


async def shown_mining(view: View, owner: str | bytes) -> ParallelMining | None:
    """The same for a page, of an address (text) or a node (outpoint); None on a network without parallel chains."""
    if view.meta.parallel is None:
        return None
    return await (mining_of_address(view, owner) if isinstance(owner, str) else mining_of_node(view, owner))


def chains_of(view: View) -> Parallel:
    """The parallel chains; NotFound on a network that has none. Of the readings, nothing is shown."""
    if view.meta.parallel is None:
        raise NotFound(Phrase("the network %(network)s has no parallel chains", network=view.network.name))
    return view.meta.parallel


def rule_text(parallel: Parallel) -> Phrase:
    """The rule in words."""
    return Phrase(
        "Every payout to a node from block %(height)s on entitles its payee to one part in %(share)s of "
        "it on each of the %(chains)s parallel chains, also on those that were launched later. The "
        "issuer pays on request; what has been claimed already is not visible on this chain.",
        height=f"{parallel.mining_from:,}", share=SHARE, chains=len(parallel.chains),
    )  # fmt: skip


def _mining(view: View, sums: Sums) -> ParallelMining:
    parallel = chains_of(view)
    each = (sums.paid - sums.left_over) // SHARE
    items = tuple(
        Entitlement(
            known.chain.key,
            known.chain.name,
            known.chain.asset,
            known.chain.lifecycle,
            known.chain.launch_height,
            view.tip.height > known.chain.launch_height,
            each,
        )
        for known in parallel.chains
    )
    return ParallelMining(
        rule=rule_text(parallel),
        source=SOURCE,
        mining_from=parallel.mining_from,
        payouts=sums.payouts,
        paid=sums.paid,
        first_height=sums.first,
        last_height=sums.last,
        per_chain=each,
        total=sum(item.amount for item in items if item.launched),
        items=items,
    )


async def _sums(view: View, field: str, key: bytes | int) -> Sums:
    """The sums of a payee or a node up to the tip; kept in memory, and carried on from there."""
    first = chains_of(view).mining_from
    table: dict[tuple[str, bytes | int], Sums] = view.kept(KEPT, 0) or {}
    before = table.pop((field, key), Sums(first - 1, 0, 0, 0, None, None))
    if before.height > view.tip.height:
        before = Sums(first - 1, 0, 0, 0, None, None)
    after = await _carried_on(view, field, key, before)
    table[field, key] = after
    while len(table) > MOST_KEPT:
        del table[next(iter(table))]
    view.keep(KEPT, 0, table)
    return after


async def _carried_on(view: View, field: str, key: bytes | int, before: Sums) -> Sums:
    """The sums with the blocks up to the tip, added up by the server along the index of payees or nodes."""
    if before.height >= view.tip.height:
        return before
    view.require_index(f"payouts.{field}")
    (found,) = await view.aggregate("payouts", _stages(field, key, before.height, view.tip.height)) or [{}]
    new: Mapping[str, Any] = {"payouts": 0, "paid": 0, "left_over": 0, "first": None, "last": None, **found}
    return Sums(
        view.tip.height,
        before.payouts + new["payouts"],
        before.paid + new["paid"],
        before.left_over + new["left_over"],
        new["first"] if before.first is None else before.first,
        before.last if new["last"] is None else new["last"],
    )


def _stages(field: str, key: bytes | int, after: int, last: int) -> list[dict[str, Any]]:
    """The payouts to one payee or node that a coinbase output satisfies, summed; integers throughout."""
    columns = {"$zip": {"inputs": [f"${field}", "$amounts", "$vouts"]}}
    amount = {"$arrayElemAt": ["$one", 1]}
    return [
        {"$match": {field: key, "_id": {"$gt": after, "$lte": last}}},
        {"$project": {"one": columns}},
        {"$unwind": "$one"},
        {"$match": {"one.0": key, "one.2": {"$gte": 0}}},
        {
            "$group": {
                "_id": None,
                "payouts": {"$sum": 1},
                "paid": {"$sum": amount},
                "left_over": {"$sum": {"$mod": [amount, SHARE]}},
                "first": {"$min": "$_id"},
                "last": {"$max": "$_id"},
            }
        },
    ]
