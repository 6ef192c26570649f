"""Unconfirmed transactions as rows of ``mempool``: what they spend is looked up first, and may not be known yet."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from indexer.chain.keys import NO_ADDRESS
from indexer.chain.nodes import payee_of_start
from indexer.chain.params import Network
from indexer.chain.tiers import tier_of_collateral
from indexer.parse.columns import EXACT_P2SH, OVERWINTERED, NodeConfirm, NodeStart, ParsedTransaction, ints
from indexer.state.delta import Coin, NodeRow
from indexer.store.base import Document
from indexer.store.codec import compact_size, pack_i64, slices

VERSION_MASK = 0x7FFFFFFF

Paid = tuple[bytes, int]
"""What an output says to who spends it: address key and zatoshi."""


def output_of(row: Document, index: int) -> Paid | None:
    """An output of an unconfirmed transaction; None when it has none of this number."""
    values, addresses = row.get("out_values", b""), row.get("out_addresses", b"")
    if 8 * index >= len(values):
        return None
    (value,) = struct.unpack_from("<q", values, 8 * index)
    return bytes(addresses[21 * index : 21 * index + 21]), value


def transfer_row(tx: ParsedTransaction, spent: Sequence[Paid]) -> dict[str, Any]:
    """A transfer; ``spent`` is what its inputs spend, in order.

    The fee counts what crosses into and out of the shielded pools (``main.cpp:CheckTxInputs``).
    """
    values = ints(tx.values, "q")
    taken = sum(value for _, value in spent)
    row = _head(tx) | {
        "lock": tx.lock_time,
        "fee": taken - sum(values) + tx.value_balance + tx.sprout_out - tx.sprout_in,
        "out_values": tx.values,
        "out_addresses": tx.addresses,
    }
    if tx.header & OVERWINTERED:
        row["expiry"] = tx.expiry_height
    if spent:
        row["spends"] = slices(tx.prevouts, 36)
        row["in_addresses"] = b"".join(address for address, _ in spent)
        row["in_values"] = pack_i64([value for _, value in spent])
    if tx.forms and max(tx.forms) > EXACT_P2SH:
        row["out_forms"], row["out_scripts"] = tx.forms, _odd_scripts(tx)
    touched = {address for address, _ in spent} | set(slices(tx.addresses, 21))
    if touched - {NO_ADDRESS}:
        row["touches"] = sorted(touched - {NO_ADDRESS})
    shielded = [
        tx.sprout_in, tx.sprout_out, tx.value_balance, tx.joinsplits, tx.shielded_spends, tx.shielded_outputs,
    ]  # fmt: skip
    return row | ({"shielded": shielded} if any(shielded) else {})


def start_row(tx: ParsedTransaction, start: NodeStart, coin: Coin, network: Network, height: int) -> Document | None:
    """A START that may be mined in block ``height``; None when its collateral is of no tier there."""
    tier = tier_of_collateral(network, coin.value, height)
    if tier is None:
        return None
    payee, kind = payee_of_start(network, start, coin.address)
    node: dict[str, Any] = {
        "outpoint": start.outpoint,
        "tier": int(tier),
        "payee": payee,
        "payee_kind": kind,
        "sig_time": start.sig_time,
    }
    if start.delegates is not None:
        section = start.delegates
        node["delegates"] = {"using": section.using, "type": section.type, "keys": list(section.keys)}
    return _head(tx) | {"node": node}


def confirm_row(tx: ParsedTransaction, confirm: NodeConfirm, known: NodeRow) -> Document:
    """A CONFIRM of a node that the index knows."""
    node = {
        "outpoint": confirm.outpoint,
        "tier": known.tier,
        "payee": known.payee,
        "payee_kind": known.payee_kind,
        "sig_time": confirm.sig_time,
        "benchmark_time": confirm.benchmark_time,
        "benchmark_tier": confirm.tier,
        "update": bool(confirm.update),
        "ip": confirm.ip,
    }
    return _head(tx) | {"node": node}


def keys_of(row: Document) -> Iterator[bytes]:
    """What a row is found by: its txid, the addresses that it touches, the txids whose outputs it spends."""
    yield row["_id"]
    yield from row.get("touches", ())
    yield from (point[:32] for point in row.get("spends", ()))


def measures(rows: Mapping[bytes, Document]) -> tuple[int, int, list[int]]:
    """How many rows there are, the sum of their sizes, and how many are transfers, starts, confirmations."""
    kinds = [0, 0, 0]
    for row in rows.values():
        kinds[row["kind"] - 1] += 1
    return len(rows), sum(row["size"] for row in rows.values()), kinds


def _head(tx: ParsedTransaction) -> dict[str, Any]:
    return {"_id": tx.txid, "kind": tx.kind, "version": tx.header & VERSION_MASK, "size": len(tx.raw)}


def _odd_scripts(tx: ParsedTransaction) -> bytes:
    places = zip(tx.forms, ints(tx.script_start, "I"), ints(tx.script_size, "I"), strict=True)
    scripts = (tx.raw[start : start + size] for form, start, size in places if form > EXACT_P2SH)
    return b"".join(compact_size(len(script)) + script for script in scripts)
