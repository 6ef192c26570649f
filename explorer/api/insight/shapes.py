"""Transactions in Insight's shape: from the index, and from the bytes where they are at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from explorer.api.forms.exact import trimmed
from explorer.api.json import amount_text
from explorer.queries.contents import IN_MEMPOOL, known_of
from explorer.queries.results import Input, NodeEvent, Output, Transaction
from explorer.queries.units import ABSENT
from indexer.chain.params import Network
from indexer.daemonjson.asm import asm
from indexer.daemonjson.transactions import transaction_json
from indexer.daemonjson.words import coins
from indexer.parse import parse_transaction

SAPLING_GROUP, OVERWINTER_GROUP = 0x892F2085, 0x03C48270
GROUPS: Final = {3: OVERWINTER_GROUP, 4: SAPLING_GROUP}
START, CONFIRM = 2, 4
TYPES: Final = {START: "Starting a fluxnode", CONFIRM: "Confirming a fluxnode"}
ADDRESSED: Final = ("pubkeyhash", "scripthash")

Shown = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Without:
    """What a question wants left out."""

    asm: bool = False
    script_sig: bool = False
    spent: bool = False


EVERYTHING: Final = Without()


def tx_json(
    network: Network,
    tx: Transaction,
    scripts: Sequence[bytes],
    raw: bytes | None = None,
    without: Without = EVERYTHING,
) -> Shown:
    """A transaction; ``raw`` adds signatures and what else only the bytes say."""
    told = {} if raw is None else transaction_json(network, parse_transaction(raw), known_of(tx))
    shown: Shown = {"txid": tx.txid, "version": tx.version}
    shown |= _place(tx)
    if tx.node is not None:
        return shown | _node(tx.node, told)
    shown["locktime"] = tx.lock_time
    shown["vin"] = _inputs(tx, told, without)
    shown["vout"] = [_output(tx, output, script, without) for output, script in zip(tx.outputs, scripts, strict=True)]
    shown |= _sums(tx)
    return shown | _layout(tx, told)


def _place(tx: Transaction) -> Shown:
    shown: Shown = {"blockheight": -1, "confirmations": tx.confirmations, "size": tx.size}
    if tx.block is not None:
        shown |= {"blockhash": tx.block.hash, "blockheight": tx.block.height}
        shown |= {"time": tx.block.time, "blocktime": tx.block.time}
    elif tx.first_seen is not ABSENT:
        shown["time"] = tx.first_seen
    return shown


def _sums(tx: Transaction) -> Shown:
    """The sums: of a coinbase only what it pays."""
    shown: Shown = {"valueOut": trimmed(sum(output.value for output in tx.outputs))}
    if tx.coinbase is not None:
        return shown | {"isCoinBase": True}
    shown["valueIn"] = trimmed(sum(spent.value for spent in tx.inputs))
    return shown | ({} if tx.fee is None else {"fees": trimmed(tx.fee)})


def _inputs(tx: Transaction, told: Mapping[str, Any], without: Without) -> list[Shown]:
    signed = told.get("vin", ())
    if tx.coinbase is not None:
        sequence = {"sequence": signed[0]["sequence"]} if signed else {}
        return [{"coinbase": tx.coinbase, **sequence, "n": 0}]
    return [_input(n, spent, signed[n] if signed else {}, without) for n, spent in enumerate(tx.inputs)]


def _input(n: int, spent: Input, signed: Mapping[str, Any], without: Without) -> Shown:
    txid, _, vout = spent.outpoint.partition(":")
    shown: Shown = {"txid": txid, "vout": int(vout), "n": n}
    if signed:
        shown["sequence"] = signed["sequence"]
        if not without.script_sig:
            script = signed["scriptSig"]
            shown["scriptSig"] = {"hex": script["hex"]} | ({} if without.asm else {"asm": script["asm"]})
    if spent.address is not None:
        shown["addr"] = spent.address
    return shown | {"valueSat": spent.value, "value": trimmed(spent.value), "doubleSpentTxID": None}


def _output(tx: Transaction, output: Output, script: bytes, without: Without) -> Shown:
    words: Shown = {"hex": script.hex()}
    if not without.asm:
        words["asm"] = asm(script)
    if output.address is not None:
        words["addresses"] = [output.address]
        if output.script_type in ADDRESSED:
            words["type"] = output.script_type
    shown: Shown = {"value": amount_text(output.value), "n": output.n, "scriptPubKey": words}
    if not without.spent and output.spent_by is not ABSENT:
        spender = known_of(tx).spenders.get(output.n)
        mined = spender is not None and spender.height != IN_MEMPOOL
        shown["spentTxId"] = None if spender is None else spender.txid
        shown["spentIndex"] = None if spender is None else spender.n
        shown["spentHeight"] = spender.height if spender is not None and mined else None
    return shown


def _layout(tx: Transaction, told: Mapping[str, Any]) -> Shown:
    """What depends on the version: JoinSplits, the overwintered fields, the Sapling part."""
    shown: Shown = {}
    if tx.version >= 2:
        shown |= _joinsplits(tx, told)
    if tx.version not in GROUPS or tx.expiry_height is None:
        return shown | {"fOverwintered": False}
    group = f"{GROUPS[tx.version]:08x}"
    shown |= {"fOverwintered": True, "nVersionGroupId": group, "nExpiryHeight": tx.expiry_height}
    if GROUPS[tx.version] == SAPLING_GROUP:
        balance = 0 if tx.shielded is None else tx.shielded.sapling_value_balance
        shown["valueBalance"] = trimmed(balance)
        if told or tx.shielded is None:
            shown |= {"spendDescs": told.get("vShieldedSpend", []), "outputDescs": told.get("vShieldedOutput", [])}
        if "bindingSig" in told:
            shown["bindingSig"] = told["bindingSig"]
    return shown


def _joinsplits(tx: Transaction, told: Mapping[str, Any]) -> Shown:
    """Each JoinSplit from the bytes; from the index, which has their sums, when there is none or one."""
    if told:
        pairs = [(item["vpub_old"], item["vpub_new"]) for item in told["vJoinSplit"]]
    elif tx.shielded is None or tx.shielded.joinsplits == 0:
        pairs = []
    elif tx.shielded.joinsplits == 1:
        pairs = [(coins(tx.shielded.sprout_in), coins(tx.shielded.sprout_out))]
    else:
        return {}
    items = [{"vpub_old": f"{old:f}", "vpub_new": f"{new:f}", "n": n} for n, (old, new) in enumerate(pairs)]
    return {"vjoinsplit": items}


def _node(node: NodeEvent, told: Mapping[str, Any]) -> Shown:
    """A node transaction: it has neither inputs nor outputs."""
    kind = START if node.event == "start" else CONFIRM
    txid, _, index = node.node.partition(":")
    shown: Shown = {
        "type": TYPES[kind],
        "nType": kind,
        "collateralOutput": f"COutPoint({txid}, {index})",
        "collateralOutputHash": txid,
        "collateralOutputIndex": int(index),
        "sigTime": node.signed_at,
    }
    if kind == CONFIRM:
        shown |= {"ip": node.ip, "updateType": int(node.event == "update")}
        shown["benchmarkSigTime"] = node.benchmark_signed_at
    names = {
        "sig": "sig",
        "collateral_pubkey": "collateralPubKey",
        "redeemscript": "redeemScript",
        "fluxnode_upgraded_tx_version": "nFluxNodeTxVersion",
        "zelnode_pubkey": "zelnodePubKey",
        "benchmark_tier": "benchmarkTier",
        "benchmark_sig": "benchmarkSig",
    }
    shown |= {ours: told[theirs] for theirs, ours in names.items() if theirs in told}
    return shown | ({"fluxnodePubKey": shown["zelnodePubKey"]} if "zelnodePubKey" in shown else {})
