"""Transactions as the daemon's JSON has them (``rpc/rawtransaction.cpp:TxToJSON, ScriptPubKeyToJSON``)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from indexer.chain.address import encode_address
from indexer.chain.keys import hash_text, outpoint_index
from indexer.chain.params import COIN, Network
from indexer.demo.serialize import OVERWINTERED, SAPLING_GROUP
from indexer.parse.columns import (
    COINBASE,
    FORM_TYPES,
    MULTISIG,
    NODE_CONFIRM,
    NODE_START,
    NodeConfirm,
    NodeStart,
    ParsedTransaction,
    ints,
)
from indexer.parse.cursor import Cursor
from indexer.parse.scripts import classify, operations

OPCODES = {0x00: "0", 0x6A: "OP_RETURN", 0x76: "OP_DUP", 0x87: "OP_EQUAL", 0x88: "OP_EQUALVERIFY", 0xA9: "OP_HASH160",
           0xAC: "OP_CHECKSIG", 0xAE: "OP_CHECKMULTISIG"}  # fmt: skip
TIER_NAMES = {1: "CUMULUS", 2: "NIMBUS", 3: "STRATUS"}


def amount(zatoshi: int) -> Decimal:
    """A JSON number with exactly 8 decimals (``rpc/server.cpp:ValueFromAmount``)."""
    return Decimal(zatoshi).scaleb(-8)


def trimmed(zatoshi: int) -> str:
    """An amount as text with at least two decimals (``utilmoneystr.cpp:FormatMoney``)."""
    whole, rest = divmod(zatoshi, COIN)
    decimals = f"{rest:08d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{decimals}"


def outpoint_words(point: bytes, digits: int = 64) -> str:
    """An outpoint in the daemon's words; transactions and blocks show ten digits of the txid only."""
    return f"COutPoint({hash_text(point[:32])[:digits]}, {outpoint_index(point)})"


def asm(script: bytes) -> str:
    """A script in words."""
    found = operations(script)
    return "[error]" if found is None else " ".join(_operation_in_words(*operation) for operation in found)


def _operation_in_words(opcode: int, pushed: bytes) -> str:
    if pushed:
        return pushed.hex()
    return str(opcode - 0x50) if 0x51 <= opcode <= 0x60 else OPCODES.get(opcode, "OP_UNKNOWN")


def script_json(network: Network, script: bytes) -> dict[str, Any]:
    """An output script."""
    form, address = classify(script)
    shown: dict[str, Any] = {"asm": asm(script), "hex": script.hex()}
    if any(address):
        shown |= {"reqSigs": 1, "type": FORM_TYPES[form], "addresses": [encode_address(address, network)]}
    elif form == MULTISIG:
        shown |= {"reqSigs": script[0] - 0x50, "type": FORM_TYPES[form]}
    else:
        shown["type"] = FORM_TYPES[form]
    return shown


def transaction_json(network: Network, tx: ParsedTransaction) -> dict[str, Any]:
    """A transaction without what its block adds."""
    head = {"txid": hash_text(tx.txid), "version": tx.header & ~OVERWINTERED}
    if tx.kind == NODE_START and tx.start is not None:
        return head | _start_json(tx.start)
    if tx.kind == NODE_CONFIRM and tx.confirm is not None:
        return head | _confirm_json(tx.confirm, tx.raw)
    overwintered = bool(tx.header & OVERWINTERED)
    shown: dict[str, Any] = head | {"overwintered": overwintered}
    if overwintered:
        shown["versiongroupid"] = f"{SAPLING_GROUP:08x}"
    shown["locktime"] = tx.lock_time
    if overwintered:
        shown["expiryheight"] = tx.expiry_height
    shown |= {"vin": list(_inputs(tx)), "vout": _outputs(network, tx), "vJoinSplit": [{}] * tx.joinsplits}
    if overwintered:
        shown |= {"valueBalance": amount(tx.value_balance), "valueBalanceZat": tx.value_balance}
        shown |= {"vShieldedSpend": [{}] * tx.shielded_spends, "vShieldedOutput": [{}] * tx.shielded_outputs}
    return shown


def _inputs(tx: ParsedTransaction) -> Iterator[dict[str, Any]]:
    c = Cursor(tx.raw)
    c.take(8 if tx.header & OVERWINTERED else 4, "version")
    for _ in range(c.count("input count", 41)):
        point, script, sequence = c.outpoint("prevout"), c.var_bytes("script"), c.u32("sequence")
        if tx.kind == COINBASE:
            yield {"coinbase": script.hex(), "sequence": sequence}
        else:
            signature = {"asm": asm(script), "hex": script.hex()}
            spent = {"txid": hash_text(point[:32]), "vout": outpoint_index(point)}
            yield {**spent, "scriptSig": signature, "sequence": sequence}


def _outputs(network: Network, tx: ParsedTransaction) -> list[dict[str, Any]]:
    columns = zip(ints(tx.values, "q"), ints(tx.script_start, "I"), ints(tx.script_size, "I"), strict=True)
    return [
        {
            "value": amount(value),
            "valueZat": value,
            "valueSat": value,
            "n": n,
            "scriptPubKey": script_json(network, tx.raw[start : start + size]),
        }
        for n, (value, start, size) in enumerate(columns)
    ]


def _collateral(point: bytes) -> dict[str, Any]:
    return {
        "collateral_output": outpoint_words(point, 10),
        "collateral": outpoint_words(point),
        "txhash": hash_text(point[:32]),
        "outidx": str(outpoint_index(point)),
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _start_json(start: NodeStart) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": "Starting a fluxnode", **_collateral(start.outpoint)}
    shown |= {"sigtime": start.sig_time, "sig": _text(start.sig), "ip": ""}
    if start.version == 6:
        shown["fluxnode_upgraded_tx_version"] = start.flux_version
    if start.redeem_script:
        shown["redeemscript"] = asm(start.redeem_script)
    else:
        shown["collateral_pubkey"] = _text(start.collateral_pubkey)
    shown["zelnode_pubkey"] = _text(start.pubkey)
    if start.delegates is not None:
        section = start.delegates
        keys = {"version": section.version, "type": section.type, "keys": list(map(_text, section.keys))}
        shown |= {"using_delegates": section.using, "delegate_data": keys}
    return shown


def _confirm_json(confirm: NodeConfirm, raw: bytes) -> dict[str, Any]:
    sig, benchmark_sig = _signatures(raw)
    return {
        "type": "Confirming a fluxnode",
        **_collateral(confirm.outpoint),
        "sigtime": confirm.sig_time,
        "sig": _text(sig),
        "ip": confirm.ip.decode("latin-1"),
        "update_type": confirm.update,
        "benchmark_tier": TIER_NAMES.get(confirm.tier, "UNKNOWN"),
        "benchmark_sigtime": confirm.benchmark_time,
        "benchmark_sig": _text(benchmark_sig),
    }


def _signatures(raw: bytes) -> tuple[bytes, bytes]:
    c = Cursor(raw)
    c.take(4 + 1 + 36 + 4 + 1 + 4 + 1, "confirmation")
    c.var_bytes("ip")
    return c.var_bytes("sig"), c.var_bytes("benchmarkSig")


def pools_json(pools: Mapping[str, int]) -> list[dict[str, Any]]:
    """The shielded pools, zatoshi by name (``rpc/blockchain.cpp:ValuePoolDesc``)."""
    return [
        {"id": name, "monitored": True, "chainValue": amount(value), "chainValueZat": value}
        for name, value in pools.items()
    ]
