"""Transactions as the daemon's JSON has them (``rpc/rawtransaction.cpp:TxToJSON``): bytes, and what the index knows."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from indexer.chain.keys import hash_text, outpoint_index
from indexer.chain.params import Network
from indexer.daemonjson.asm import asm
from indexer.daemonjson.scripts import script_json
from indexer.daemonjson.shielded import joinsplits, shielded_outputs, shielded_spends
from indexer.daemonjson.words import coins, outpoint_words
from indexer.parse.columns import COINBASE, NODE_CONFIRM, NODE_START, OVERWINTERED, NodeStart, ParsedTransaction, ints
from indexer.parse.cursor import Cursor

SAPLING_VERSION = 4
TIER_WORDS: Final = {1: "CUMULUS", 2: "NIMBUS", 3: "STRATUS"}

Shown = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spender:
    """The input ``n`` of the transaction that spends an output; ``height`` is -1 while it is unconfirmed."""

    txid: str
    n: int
    height: int


@dataclass(frozen=True, slots=True)
class Known:
    """Of each input the address (None for none) and zatoshi that it spends; by output number what spends it."""

    spent: Sequence[tuple[str | None, int]] = ()
    spenders: Mapping[int, Spender] = field(default_factory=dict)


NOTHING: Final = Known()


def transaction_json(network: Network, tx: ParsedTransaction, known: Known = NOTHING) -> Shown:
    """A transaction without what its block adds."""
    head = {"txid": hash_text(tx.txid), "version": tx.header & ~OVERWINTERED}
    if tx.kind == NODE_START and tx.start is not None:
        return head | _start(tx.start)
    if tx.kind == NODE_CONFIRM:
        return head | _confirm(tx)
    return head | _ordinary(network, tx, known)


def _ordinary(network: Network, tx: ParsedTransaction, known: Known) -> Shown:
    c, version = Cursor(tx.raw), tx.header & ~OVERWINTERED
    c.u32("version")
    shown: Shown = {"overwintered": bool(tx.header & OVERWINTERED)}
    if tx.header & OVERWINTERED:
        shown["versiongroupid"] = f"{c.u32('version group id'):08x}"
    inputs = list(_inputs(c, tx, known))
    _skip_outputs(c)
    shown["locktime"] = c.u32("lock time")
    if tx.header & OVERWINTERED:
        shown["expiryheight"] = c.u32("expiry height")
    shown |= {"vin": inputs, "vout": list(_outputs(network, tx, known))}
    sapling = bool(tx.header & OVERWINTERED) and version == SAPLING_VERSION
    spends: list[Shown] = []
    outputs: list[Shown] = []
    if sapling:
        c.i64("value balance")
        spends, outputs = shielded_spends(c), shielded_outputs(c)
    shown["vJoinSplit"] = joinsplits(c, groth=sapling) if version >= 2 else []
    if sapling:
        shown |= {"valueBalance": coins(tx.value_balance), "valueBalanceZat": tx.value_balance}
        shown |= {"vShieldedSpend": spends, "vShieldedOutput": outputs}
        if spends or outputs:
            shown["bindingSig"] = c.take(64, "bindingSig").hex()
    return shown


def _inputs(c: Cursor, tx: ParsedTransaction, known: Known) -> Iterator[Shown]:
    for n in range(c.count("input count", 41)):
        point, script, sequence = c.outpoint("prevout"), c.var_bytes("script"), c.u32("sequence")
        if tx.kind == COINBASE:
            yield {"coinbase": script.hex(), "sequence": sequence}
            continue
        shown: Shown = {
            "txid": hash_text(point[:32]),
            "vout": outpoint_index(point),
            "scriptSig": {"asm": asm(script, signatures=True), "hex": script.hex()},
        }
        if n < len(known.spent):
            address, value = known.spent[n]
            shown |= {"value": coins(value), "valueSat": value}
            shown |= {} if address is None else {"address": address}
        yield shown | {"sequence": sequence}


def _skip_outputs(c: Cursor) -> None:
    for _ in range(c.count("output count", 9)):
        c.i64("output value")
        c.var_bytes("output script")


def _outputs(network: Network, tx: ParsedTransaction, known: Known) -> Iterator[Shown]:
    columns = zip(ints(tx.values, "q"), ints(tx.script_start, "I"), ints(tx.script_size, "I"), strict=True)
    for n, (value, start, size) in enumerate(columns):
        shown: Shown = {"value": coins(value), "valueZat": value, "valueSat": value, "n": n}
        shown["scriptPubKey"] = script_json(network, tx.raw[start : start + size])
        if spender := known.spenders.get(n):
            shown |= {"spentTxId": spender.txid, "spentIndex": spender.n, "spentHeight": spender.height}
        yield shown


# --- node transactions --------------------------------------------------------------------------------------


def _collateral(point: bytes) -> Shown:
    return {
        "collateral_output": outpoint_words(point, 10),
        "collateral": outpoint_words(point),
        "txhash": hash_text(point[:32]),
        "outidx": str(outpoint_index(point)),
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _start(start: NodeStart) -> Shown:
    shown: Shown = {"type": "Starting a fluxnode", **_collateral(start.outpoint)}
    shown |= {"sigtime": start.sig_time, "sig": _text(start.sig), "ip": ""}
    if start.version == 6:
        shown["fluxnode_upgraded_tx_version"] = start.flux_version
    if start.redeem_script:
        shown["redeemscript"] = asm(start.redeem_script)
    else:
        shown["collateral_pubkey"] = _text(start.collateral_pubkey)
    if start.delegates is not None and start.delegates.using:
        section = start.delegates
        keys = {"version": section.version, "type": section.type, "keys": list(map(_text, section.keys))}
        shown |= {"using_delegates": True, "delegate_data": keys}
    return shown | {"zelnode_pubkey": _text(start.pubkey)}


def _confirm(tx: ParsedTransaction) -> Shown:
    confirm = tx.confirm
    assert confirm is not None
    sig, benchmark_sig = confirm_signatures(tx.raw)
    return {
        "type": "Confirming a fluxnode",
        **_collateral(confirm.outpoint),
        "sigtime": confirm.sig_time,
        "sig": _text(sig),
        "ip": confirm.ip.decode("utf-8", "replace"),
        "update_type": confirm.update,
        "benchmark_tier": TIER_WORDS.get(confirm.tier, "UNKNOWN"),
        "benchmark_sigtime": confirm.benchmark_time,
        "benchmark_sig": _text(benchmark_sig),
    }


def confirm_signatures(raw: bytes) -> tuple[bytes, bytes]:
    """The node's signature and the benchmark's at the end of a CONFIRM (``transaction.h:SerializationOp``)."""
    c = Cursor(raw)
    c.take(4 + 1 + 36 + 4 + 1 + 4 + 1, "confirmation")
    c.var_bytes("ip")
    return c.var_bytes("sig"), c.var_bytes("benchmarkSig")
