"""The methods about blocks."""

from __future__ import annotations

import asyncio
from typing import Any

from explorer.api.fluxos.methods import Asked, Methods
from explorer.api.forms.blocks import block_json, header_json, raw_header
from explorer.api.forms.told import told_of
from explorer.db import Answer, View
from explorer.errors import BadRequest, NotFound
from explorer.queries.block_rows import times_at
from explorer.queries.blocks import block, reference_at, stored_hash
from explorer.queries.contents import known_of_block
from explorer.queries.results import Block, Transaction
from explorer.queries.text import parse_block_reference
from explorer.queries.times import hashes_between
from explorer.queries.transactions import block_with_transactions
from explorer.tasks import already
from indexer.chain.keys import MAX_TRANSACTIONS, parse_hash
from indexer.chain.subsidy import block_subsidy
from indexer.daemonjson.transactions import Known
from indexer.daemonjson.words import coins, pools_json

method = Methods()

MEDIAN_OF = 11  # chain.h: nMedianTimeSpan
INDEXED = ("pubkeyhash", "scripthash")  # what the daemon's address index knows


@method("daemon/getblockcount")
async def block_count(asked: Asked) -> Answer[Any]:
    """The height of the tip."""
    found = await asked.services.db.fenced(_tip)
    return Answer(found.tip.height, found.tip)


@method("daemon/getbestblockhash")
async def best_block_hash(asked: Asked) -> Answer[Any]:
    """The hash of the tip."""
    return await asked.services.db.fenced(_hash_at, None)


@method("daemon/getblockhash", parameters=(("index", "height"),))
async def block_hash(asked: Asked) -> Answer[Any]:
    """The hash of the block at a height."""
    return await asked.services.db.fenced(_hash_at, asked.number("index"))


@method("daemon/getblock", parameters=(("hashheight", "hash", "height"), ("verbosity",)))
async def get_block(asked: Asked) -> Answer[Any]:
    """A block by height or hash: its bytes, its contents, or its contents with transactions (the default)."""
    reference, verbosity = parse_block_reference(asked.text("hashheight")), asked.number("verbosity", 2)
    s = asked.services
    if verbosity == 0:
        stored = await s.db.fenced(stored_hash, reference)
        return Answer((await s.daemon.raw_block(stored.value[0])).hex(), stored.tip)
    if verbosity > 2:
        raise BadRequest(f"verbosity is {verbosity}: expected 0, 1 or 2")
    found = await s.db.fenced(_contents, reference, verbosity == 2)
    shown, pools, known = found.value
    parsed, told = await asyncio.gather(s.daemon.parsed_block(shown.hash), told_of(s.daemon, shown.hash))
    written = await asyncio.to_thread(block_json, s.network, shown, parsed, told, pools, known)
    return Answer(written, found.tip)


@method("daemon/getblockheader", parameters=(("hash",), ("verbose",)))
async def block_header(asked: Asked) -> Answer[Any]:
    """The header of a block by its hash, as JSON or as bytes."""
    s = asked.services
    found = await s.db.fenced(block, _block_hash(asked.text("hash")))
    if not asked.flag("verbose", True):
        return Answer(raw_header(await s.daemon.parsed_block(found.value.hash)).hex(), found.tip)
    parsed, told = await asyncio.gather(
        s.daemon.parsed_block(found.value.hash), told_of(s.daemon, found.value.hash)
    )
    return Answer(header_json(found.value, parsed, told), found.tip)


@method(
    "daemon/getblockhashes",
    parameters=(("high",), ("low",), ("noorphans", "noOrphans"), ("logicaltimes", "logicalTimes")),
)
async def block_hashes(asked: Asked) -> Answer[Any]:
    """The hashes of the blocks with a time from ``low`` to below ``high``, at most 10,000."""
    found = await asked.services.db.fenced(hashes_between, asked.number("low"), asked.number("high"))
    if asked.flag("logicaltimes", False):
        return Answer([{"blockhash": hash, "logicalts": time} for time, hash in found.value], found.tip)
    return Answer([hash for _, hash in found.value], found.tip)


@method("daemon/getblockdeltas", parameters=(("hash",),))
async def get_block_deltas(asked: Asked) -> Answer[Any]:
    """What the transactions of a block changed for addresses."""
    s = asked.services
    found = await s.db.fenced(_deltas, _block_hash(asked.text("hash")))
    shown, deltas, times = found.value
    told = await told_of(s.daemon, shown.hash)
    body: dict[str, Any] = {"hash": shown.hash, "confirmations": shown.confirmations, "size": shown.size}
    body |= {"height": shown.height, "version": shown.version, "merkleroot": shown.merkle_root, "deltas": deltas}
    body |= {"time": shown.time, "mediantime": sorted(times)[len(times) // 2]}
    body |= {"nonce": told.nonce or "0" * 64, "bits": shown.bits}
    body |= {"difficulty": shown.difficulty, "chainwork": told.chainwork}
    around = {"previousblockhash": shown.previous_hash, "nextblockhash": shown.next_hash}
    return Answer(body | {name: hash for name, hash in around.items() if hash is not None}, found.tip)


@method("daemon/getblocksubsidy", parameters=(("height",),))
async def get_block_subsidy(asked: Asked) -> Answer[Any]:
    """What a coinbase at a height may claim, fees aside."""
    found = await asked.services.db.fenced(_tip)
    height = asked.number("height", found.tip.height)
    return Answer({"miner": coins(block_subsidy(asked.services.network, height))}, found.tip)


async def _tip(view: View) -> None:
    return None


def _block_hash(text: str) -> bytes:
    try:
        return parse_hash(text)
    except ValueError:
        raise NotFound(f"{text[:80]!r} is no block hash: expected 64 hex digits") from None


async def _hash_at(view: View, height: int | None) -> str:
    return (await reference_at(view, view.tip.height if height is None else height)).hash


async def _contents(
    view: View, reference: int | bytes, whole: bool
) -> tuple[Block, list[dict[str, Any]] | None, dict[int, Known] | None]:
    """A block, the shielded pools after it and, if ``whole``, what is known of its transactions."""
    found = await block(view, reference)
    active = found.confirmations > 0
    rows, known = await asyncio.gather(
        view.rows("blocks", (found.height - 1, found.height)),
        known_of_block(view, found.height) if whole and active else already({}),
    )
    before = rows.get(found.height - 1, {"sprout": 0, "sapling": 0})
    return found, pools_json(rows[found.height], before) if active else None, known if whole else None


async def _deltas(view: View, hash: bytes) -> tuple[Block, list[dict[str, Any]], list[int]]:
    found, page = await block_with_transactions(view, hash, limit=MAX_TRANSACTIONS)
    if page is None:
        raise NotFound(f"block {found.hash} is not on the active chain")
    times = await times_at(view, range(max(0, found.height - MEDIAN_OF + 1), found.height + 1))
    return found, [_delta(n, tx) for n, tx in enumerate(page.items)], sorted(times.values())


def _delta(position: int, tx: Transaction) -> dict[str, Any]:
    """A transaction's part of ``getblockdeltas``: inputs without an address are left out, outputs named ""."""
    inputs = []
    for n, spent in enumerate(tx.inputs):
        if spent.address is not None:
            txid, _, vout = spent.outpoint.partition(":")
            took = {"address": spent.address, "satoshis": -spent.value, "index": n}
            inputs.append(took | {"prevtxid": txid, "prevout": int(vout)})
    outputs = [
        {"address": o.address or "" if o.script_type in INDEXED else "", "satoshis": o.value, "index": o.n}
        for o in tx.outputs
    ]
    return {"txid": tx.txid, "index": position, "inputs": inputs, "outputs": outputs}
