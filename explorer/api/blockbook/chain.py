"""Blocks and transactions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from explorer.api.blockbook.accounts import MOST_ON_PAGE, pages
from explorer.api.blockbook.shapes import Json, transaction_shape, without_empty
from explorer.api.forms.reply import Passing
from explorer.db import Answer, View
from explorer.errors import UpstreamUnavailable
from explorer.queries.blocks import reference_at, stored_hash
from explorer.queries.results import Transaction
from explorer.queries.scripts import Scripts, output_scripts
from explorer.queries.text import parse_block_reference, parse_txid
from explorer.queries.transactions import FullIds, block_with_stretch, transaction
from explorer.services import Services


async def block_hash(view: View, height: int) -> str:
    """The hash of the active block at a height."""
    return (await reference_at(view, view.require_height(height))).hash


async def block_page(view: View, reference: str, page: int, size: int = MOST_ON_PAGE) -> Json:
    """A block by height or hash with a page of its transactions; an orphaned one has none."""
    asked = parse_block_reference(reference)
    found, listed = await block_with_stretch(view, asked, (page - 1) * size, size, spends=True)
    last = pages(found.transaction_count, size)
    if page > last:
        page = last
        found, listed = await block_with_stretch(view, asked, (page - 1) * size, size, spends=True)
    scripts = await output_scripts(view, listed)
    head = without_empty({
        "page": page,
        "totalPages": last,
        "itemsOnPage": size,
        "hash": found.hash,
        "previousBlockHash": found.previous_hash,
        "nextBlockHash": found.next_hash,
        "height": found.height,
        "confirmations": found.confirmations,
        "size": found.size,
        "time": found.time,
        "version": found.version,
        "merkleRoot": found.merkle_root,
        "bits": found.bits,
        "difficulty": f"{found.difficulty:.16g}",
        "txCount": found.transaction_count,
    })  # fmt: skip
    return head | {"txs": [transaction_shape(transaction, scripts) for transaction in listed]}


async def raw_block(s: Services, reference: str) -> Answer[Json]:
    """The serialized block, asked of the daemon."""
    found = await s.db.fenced(stored_hash, parse_block_reference(reference))
    return Answer({"hex": (await s.daemon.raw_block(found.value[0])).hex()}, found.tip)


async def one_transaction(s: Services, txid: str) -> Answer[Json | Passing]:
    """A transaction, with its bytes where there is a daemon to ask; passing while that one is away."""
    found = await s.db.fenced(_with_scripts, parse_txid(txid), s.daemon.full_ids)
    told, scripts = found.value
    if not s.daemon.is_configured:
        return Answer(transaction_shape(told, scripts), found.tip, found.shown)
    try:
        return Answer(transaction_shape(told, scripts, await _raw(s, told)), found.tip, found.shown)
    except UpstreamUnavailable:
        return Answer(Passing(transaction_shape(told, scripts)), found.tip, found.shown)


async def raw_transaction(s: Services, txid: str) -> str:
    """The serialized transaction as hex."""
    found = await s.db.fenced(transaction, parse_txid(txid), s.daemon.full_ids)
    return (await _raw(s, found.value)).hex()


async def daemon_transaction(s: Services, txid: str) -> Answer[Passing]:
    """A transaction in the daemon's own words, unchanged: its tip may be another one."""
    found = await s.db.fenced(transaction, parse_txid(txid), s.daemon.full_ids)
    described = await s.daemon.verbose_transaction(found.value.txid)
    return Answer(Passing(plain_numbers(described)), found.tip, found.shown)


def plain_numbers(value: Any) -> Any:
    """The daemon's amounts as JSON numbers: what any client reads from its text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain_numbers(item) for key, item in value.items()}
    return [plain_numbers(item) for item in value] if isinstance(value, list) else value


async def _with_scripts(view: View, txid: bytes, full_ids: FullIds) -> tuple[Transaction, Scripts]:
    found = await transaction(view, txid, full_ids)
    return found, await output_scripts(view, [found])


async def _raw(s: Services, found: Transaction) -> bytes:
    if found.block is None:
        return await s.daemon.raw_unconfirmed(parse_txid(found.txid))
    return await s.daemon.raw_transaction(found.block.hash, found.block.index)


async def with_scripts(view: View, found: Transaction) -> Json:
    """A transaction as Blockbook writes it, from the index alone."""
    return transaction_shape(found, await output_scripts(view, [found]))
