"""Blocks: one of them, a list of them, where to find one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from explorer.db import View
from explorer.errors import NotFound
from explorer.languages.phrases import Phrase
from explorer.paging import Cursor
from explorer.queries.block_rows import block_row, block_rows
from explorer.queries.production import production_of
from explorer.queries.results import (
    Block,
    BlockReference,
    BlockSummary,
    Fund,
    KindCounts,
    Page,
    Payout,
    TierCounts,
)
from explorer.queries.stored_blocks import StoredBlock, stored_block
from explorer.queries.text import address_text, fund_name, tier_name
from indexer.chain.address import encode_address
from indexer.chain.keys import NO_ADDRESS, hash_text, is_coinbase, outkey_vout, outpoint_text
from indexer.chain.payouts import NODE_PAYOUT
from indexer.chain.pon import difficulty, producer_kind
from indexer.chain.subsidy import block_subsidy, issue_at
from indexer.store.codec import Document, transaction_outputs

LIST = Cursor("blocks", 1)

Outputs = Mapping[int, tuple[bytes, int]]  # vout -> address key, zatoshi


async def block(view: View, reference: int | bytes) -> Block:
    """The block at a height or with a hash (wire order), orphaned ones that we once had included."""
    stored = await stored_block(view, reference)
    if stored is not None:
        return _active_block(view, stored)
    orphan = await view.one("reorgs", {"hash": reference}, sort=[("_id", -1)])
    if orphan is not None:
        return await _orphaned_block(view, orphan)
    assert isinstance(reference, bytes)
    raise NotFound(Phrase("no block with hash %(hash)s is known", hash=hash_text(reference)))


async def stored_hash(view: View, reference: int | bytes) -> tuple[str, int]:
    """Hash and confirmations of a block that we have or had, for asking the daemon for its bytes."""
    if isinstance(reference, int):
        return (await reference_at(view, reference)).hash, confirmations(view, reference)
    row, orphan = await asyncio.gather(view.one("blocks", {"hash": reference}), view.one("reorgs", {"hash": reference}))
    if row is not None and row["_id"] <= view.tip.height:
        return hash_text(reference), confirmations(view, row["_id"])
    if orphan is None:
        raise NotFound(Phrase("no block with hash %(hash)s is known", hash=hash_text(reference)))
    return hash_text(reference), -1


async def reference_at(view: View, height: int) -> BlockReference:
    """Height and hash of the active block at ``height``."""
    if height == view.tip.height:
        return BlockReference(height, hash_text(view.tip.hash))
    row = await block_row(view, view.require_height(height))
    return BlockReference(height, hash_text(row["hash"]))


async def latest_blocks(
    view: View, *, before: int | None = None, cursor: str | None = None, limit: int
) -> Page[BlockSummary]:
    """Blocks below height ``before`` (the tip included when None), newest first."""
    if cursor is not None:
        (below,) = LIST.decode(cursor)
    else:
        below = 1 + view.require_height(view.tip.height if before is None else before - 1)
    below = min(below, view.tip.height + 1)
    rows = [*(await block_rows(view, range(max(0, below - limit), below))).values()][::-1]
    last = rows[-1]["_id"] if rows else 0
    return Page(tuple(_summary(view, row) for row in rows), LIST.encode(last) if last > 0 else None)


def confirmations(view: View, height: int) -> int:
    """How many blocks of the chain hold or follow height."""
    return view.tip.height - height + 1


def counts(row: Document) -> KindCounts:
    """The kinds of transactions of a row of ``blocks``."""
    nodes = row["starts"] + row["confirms"]
    return KindCounts(1, row["tx_count"] - 1 - nodes, row["starts"], row["confirms"])


def block_type(row: Document) -> Literal["pow", "pon"]:
    """How a block was produced, by its version."""
    return "pon" if row["version"] >= 100 else "pow"


def _producer(row: Document) -> bytes:
    return bytes(row.get("producer", b""))


def difficulty_of(view: View, row: Document) -> float:
    """As the daemon writes it: 16 significant digits."""
    return float(f"{difficulty(view.network, row['bits']):.16g}")


def _summary(view: View, row: Document) -> BlockSummary:
    producer = _producer(row)
    return BlockSummary(
        height=row["_id"],
        hash=hash_text(row["hash"]),
        confirmations=confirmations(view, row["_id"]),
        time=row["time"],
        type=block_type(row),
        size=row["size"],
        difficulty=difficulty_of(view, row),
        transaction_count=row["tx_count"],
        counts=counts(row),
        confirms_by_tier=TierCounts(*row["confirm_tiers"]),
        fees=row["fees"],
        coinbase_value=row["coinbase_value"],
        producer=outpoint_text(producer) if producer else None,
    )


def _active_block(view: View, stored: StoredBlock) -> Block:
    row, parent, child = stored.row, stored.parent, stored.child
    outputs = {n: (output.address, output.value) for n, output in enumerate(transaction_outputs(stored.coinbase))}
    return Block(
        previous_hash=hash_text(parent["hash"]) if parent else None,
        next_hash=hash_text(child["hash"]) if child else None,
        confirmations=confirmations(view, row["_id"]),
        production=production_of(view.network, row, parent, stored.starts),
        **_facts(view, row, _with_nodes(stored.judged, stored.starts), outputs),
    )


async def _orphaned_block(view: View, orphan: Document) -> Block:
    row, judged = orphan["block"], orphan["payouts"]
    height = orphan["height"]
    reorg = orphan["_id"] >> 16
    nodes = [*judged["nodes"], row["producer_node"]] if "producer_node" in row else judged["nodes"]
    active, starts, parent = await asyncio.gather(
        view.rows("blocks", (height - 1, height)),
        view.rows("node_starts", nodes),
        view.one("reorgs", {"_id": {"$gt": reorg << 16, "$lt": (reorg + 1) << 16}, "height": height - 1}),
    )
    below = parent["block"] if parent else active.get(height - 1)
    coinbase = {
        outkey_vout(credit["key"]): (bytes(credit["address"]), credit["value"])
        for credit in orphan["credits"]
        if is_coinbase(credit["key"])
    }
    return Block(
        previous_hash=hash_text(below["hash"]) if below else None,
        next_hash=None,
        confirmations=-1,
        production=production_of(view.network, row, below, starts),
        replaced_by=hash_text(active[height]["hash"]) if height in active else None,
        **_facts(view, row, _with_nodes(judged, starts), coinbase),
    )


def _facts(view: View, row: Document, judged: Document, coinbase: Outputs) -> dict[str, Any]:
    height = row["_id"]
    producer = _producer(row)
    return {
        "height": height,
        "hash": hash_text(row["hash"]),
        "time": row["time"],
        "type": block_type(row),
        "version": row["version"],
        "bits": f"{row['bits']:08x}",
        "difficulty": difficulty_of(view, row),
        "size": row["size"],
        "merkle_root": hash_text(row["merkle_root"]),
        "transaction_count": row["tx_count"],
        "counts": counts(row),
        "confirms_by_tier": TierCounts(*row["confirm_tiers"]),
        "subsidy": block_subsidy(view.network, height),
        "fees": row["fees"],
        "coinbase_value": row["coinbase_value"],
        "issued": row["issued"],
        "unclaimed_here": issue_at(view.network, height) + row["fees"] - row["coinbase_value"],
        "producer": outpoint_text(producer) if producer else None,
        "producer_kind": producer_kind(producer),
        "payouts_checked": judged["checked"],
        "payouts": tuple(payouts_of(view, judged)),
        "funds": tuple(_funds(view, judged, coinbase)),
    }


def _with_nodes(judged: Document, starts: Mapping[int, Document]) -> Document:
    """A row of ``payouts`` with ``outpoints``: node txkey -> collateral."""
    return {**judged, "outpoints": {key: outpoint_text(bytes(start["outpoint"])) for key, start in starts.items()}}


def payouts_of(view: View, judged: Mapping[str, Any]) -> Iterator[Payout]:
    """The predicted payouts of a row of ``payouts`` with ``outpoints``: node txkey -> collateral."""
    columns = (judged[name] for name in ("tiers", "nodes", "payees", "amounts", "vouts"))
    for tier, node, payee, amount, vout in zip(*columns, strict=True):
        paid = vout >= 0
        address = encode_address(bytes(payee), view.network)
        yield Payout(tier_name(tier), judged["outpoints"].get(node), address, amount, vout if paid else None, paid)


def _funds(view: View, judged: Document, coinbase: Outputs) -> Iterator[Fund]:
    for vout, code in enumerate(judged["funds"]):
        if code != NODE_PAYOUT:
            key, amount = coinbase.get(vout, (NO_ADDRESS, 0))
            yield Fund(fund_name(code), address_text(key, view.network), amount, vout)
