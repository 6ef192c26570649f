"""What the index does not keep: the bytes of transactions, and what of a block only the daemon can tell."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.daemon import Daemon
from explorer.errors import NotFound, UpstreamUnavailable
from explorer.queries.results import Transaction
from explorer.queries.text import parse_txid
from indexer.errors import Refused


@dataclass(frozen=True, slots=True)
class Told:
    """The work up to a block, the root of its Sprout tree, the nonce of a Proof of Work block (else zeros)."""

    chainwork: str
    anchor: str | None
    nonce: str | None


async def told_of(daemon: Daemon, block_hash: str) -> Told:
    """What the daemon tells of the block with a hash in display order."""
    try:
        told = await daemon.call("getblock", block_hash, 1)
        return Told(str(told["chainwork"]), told.get("anchor"), told.get("nonce"))
    except Refused as error:
        raise NotFound(f"the daemon has no block {block_hash}: {error.reason}") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise UpstreamUnavailable("the daemon answered with no block: ask again later") from error


async def bytes_of(daemon: Daemon, tx: Transaction) -> bytes:
    """The serialized transaction as the daemon has it."""
    if tx.block is None:
        return await daemon.raw_unconfirmed(parse_txid(tx.txid))
    return await daemon.raw_transaction(tx.block.hash, tx.block.index)
