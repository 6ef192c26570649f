"""The scripts of outputs: what wallets need, and pages and the API of ours do not show."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from explorer.db import View
from explorer.queries.results import Transaction
from explorer.queries.unconfirmed import COLLECTION
from explorer.tasks import already
from indexer.chain.address import script_for
from indexer.chain.keys import hash_text, parse_hash, txkey
from indexer.store.codec import Document, is_odd, transaction_outputs

OUTPUTS = ("out_values", "out_addresses", "out_forms", "out_scripts")

Scripts = Mapping[str, tuple[bytes, ...]]  # by txid


async def output_scripts(view: View, found: Iterable[Transaction]) -> Scripts:
    """The output scripts of transactions that this view has read, in order, by txid; no round trip for mined ones."""
    paying = [transaction for transaction in found if transaction.outputs]
    mined = [txkey(t.block.height, t.block.index) for t in paying if t.block is not None]
    return await scripts_at(view, mined, [parse_hash(t.txid) for t in paying if t.block is None])


async def scripts_at(view: View, keys: Sequence[int], waiting: Sequence[bytes] = ()) -> Scripts:
    """The output scripts of the transactions at these txkeys, and of unconfirmed ones by their txids in wire order."""
    mined, unmined = await asyncio.gather(
        view.rows("transactions", keys),
        view.many(COLLECTION, {"_id": {"$in": list(waiting)}}, fields=OUTPUTS) if waiting else already([]),
    )
    found = {hash_text(bytes(row["txid"])): _scripts(row) for row in mined.values()}
    return found | {hash_text(bytes(row["_id"])): _scripts(row) for row in unmined}


def _scripts(row: Document) -> tuple[bytes, ...]:
    """A script is stored unless it follows from the address."""
    return tuple(
        output.script if is_odd(output.form) else script_for(output.address) for output in transaction_outputs(row)
    )
