"""Blocks as the daemon's JSON has them (``rpc/blockchain.cpp:blockToJSON, blockheaderToJSON``), and what is in one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.api.forms.told import Told
from explorer.queries.results import Block, Place
from indexer.chain.keys import hash_text
from indexer.chain.params import Network
from indexer.daemonjson.transactions import NOTHING, Known, transaction_json
from indexer.daemonjson.words import outpoint_words
from indexer.parse import parse_transaction
from indexer.parse.columns import ParsedBlock, ints

Shown = dict[str, Any]


def header_json(block: Block, parsed: ParsedBlock, told: Told) -> Shown:
    """``getblockheader``."""
    return _head(block, parsed) | _tail(block, parsed, told)


def block_json(
    network: Network,
    block: Block,
    parsed: ParsedBlock,
    told: Told,
    pools: list[Shown] | None,
    known: Mapping[int, Known] | None,
) -> Shown:
    """``getblock`` with verbosity 1; with verbosity 2 when ``known`` of its transactions is given."""
    head = _head(block, parsed)
    shown = {name: head[name] for name in ("hash", "confirmations")} | {"size": block.size} | head
    if known is None:
        shown["tx"] = [hash_text(parsed.txid(index)) for index in range(parsed.tx_count)]
    else:
        txs = map(parse_transaction, transactions_of(parsed))
        shown["tx"] = [transaction_json(network, tx, known.get(n, NOTHING)) for n, tx in enumerate(txs)]
    tail = _tail(block, parsed, told)
    around = {name: tail.pop(name) for name in ("previousblockhash", "nextblockhash") if name in tail}
    shown |= tail
    if told.anchor is not None:
        shown["anchor"] = told.anchor
    if pools is not None:
        shown["valuePools"] = pools
    return shown | around


def with_place(shown: Shown, raw: bytes, place: Place | None, confirmations: int) -> Shown:
    """``getrawtransaction`` with verbose: the bytes in front, the block behind."""
    shown = {"hex": raw.hex(), **shown}
    if place is not None:
        shown |= {"blockhash": place.hash, "height": place.height, "confirmations": confirmations}
        shown |= {"time": place.time, "blocktime": place.time}
    return shown


def transactions_of(parsed: ParsedBlock) -> list[bytes]:
    """The serialized transactions of a block."""
    starts = ints(parsed.tx_start, "I")
    return [parsed.raw[first:end] for first, end in zip(starts, starts[1:], strict=False)]


def raw_header(parsed: ParsedBlock) -> bytes:
    """The serialized header, solution or signature included."""
    first = ints(parsed.tx_start, "I")[0]
    return parsed.raw[: first - (1 if parsed.tx_count < 0xFD else 3)]


def _head(block: Block, parsed: ParsedBlock) -> Shown:
    return {
        "hash": block.hash,
        "confirmations": block.confirmations,
        "height": block.height,
        "version": block.version,
        "merkleroot": block.merkle_root,
        "finalsaplingroot": hash_text(parsed.sapling_root),
    }


def _tail(block: Block, parsed: ParsedBlock, told: Told) -> Shown:
    shown: Shown = {"time": block.time}
    if parsed.pon:
        shown |= {"type": "PON", "collateral": outpoint_words(parsed.producer, 10), "blocksig": parsed.proof.hex()}
    else:
        shown |= {"type": "POW", "nonce": hash_text(parsed.nonce), "solution": parsed.proof.hex()}
    shown |= {"bits": block.bits, "difficulty": block.difficulty, "chainwork": told.chainwork}
    if block.previous_hash is not None:
        shown["previousblockhash"] = block.previous_hash
    if block.next_hash is not None:
        shown["nextblockhash"] = block.next_hash
    return shown
