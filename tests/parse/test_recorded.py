"""Every recorded and real block and transaction, in both parsers, against the recorded answers."""

from __future__ import annotations

import json
import re
import tomllib
from base64 import b64encode
from itertools import pairwise
from typing import Any

import pytest

from indexer.chain.address import encode_address
from indexer.chain.hashes import merkle_root, sha256d
from indexer.chain.keys import NO_ADDRESS, hash_text, outpoint_index, outpoint_text
from indexer.chain.params_file import network_from_mapping
from indexer.parse.columns import (
    COINBASE,
    EXACT_P2PKH,
    EXACT_P2SH,
    FORM_TYPES,
    MULTISIG,
    NODE_CONFIRM,
    NODE_START,
    TRANSFER,
    Delegates,
    NodeStart,
    ParsedBlock,
    ParsedTransaction,
    ints,
)
from tests import recorded
from tests.parse import twins

NETWORK = network_from_mapping(tomllib.loads(recorded.NETWORK_FILE.read_text()), recorded.NETWORK_FILE.name)
TIERS = {"CUMULUS": 1, "NIMBUS": 2, "STRATUS": 3}
RECORDED = [*recorded.blocks(), *recorded.stale_blocks()]


def slices(column: bytes, size: int) -> list[bytes]:
    return [column[i : i + size] for i in range(0, len(column), size)]


def check_header(parsed: ParsedBlock, said: dict[str, Any]) -> None:
    assert len(parsed.raw) == said["size"]
    assert parsed.version == said["version"]
    assert hash_text(parsed.hash) == said["hash"]
    assert hash_text(parsed.merkle_root) == said["merkleroot"]
    assert hash_text(parsed.sapling_root) == said["finalsaplingroot"]
    assert hash_text(parsed.prev_hash) == said.get("previousblockhash", "00" * 32)
    assert (parsed.time, f"{parsed.bits:08x}") == (said["time"], said["bits"])
    assert parsed.pon == (said["type"] == "PON")
    if parsed.pon:
        short = f"COutPoint({hash_text(parsed.producer[:32])[:10]}, {outpoint_index(parsed.producer)})"
        assert (short, parsed.proof.hex(), parsed.nonce) == (said["collateral"], said["blocksig"], b"")
    else:
        assert (hash_text(parsed.nonce), parsed.proof.hex()) == (said["nonce"], said["solution"])
        assert parsed.producer == b""


def check_inputs(parsed: ParsedBlock, at: int, said: list[dict[str, Any]]) -> None:
    first, end = ints(parsed.input_start, "I")[at : at + 2]
    points = slices(parsed.prevouts[36 * first : 36 * end], 36)
    if parsed.kinds[at] == COINBASE:
        assert (points, [{"coinbase": parsed.coinbase_script.hex(), "sequence": 0xFFFFFFFF}]) == ([], said)
    else:
        assert list(map(outpoint_text, points)) == [f"{i['txid']}:{i['vout']}" for i in said]


def check_outputs(parsed: ParsedBlock, at: int, said: list[dict[str, Any]]) -> None:
    first, end = ints(parsed.output_start, "I")[at : at + 2]
    assert list(ints(parsed.values, "q")[first:end]) == [o["valueZat"] for o in said]
    for n, output in zip(range(first, end), said, strict=True):
        script, form = output["scriptPubKey"], parsed.forms[n]
        address = parsed.addresses[21 * n : 21 * n + 21]
        assert parsed.script(n).hex() == script["hex"]
        assert FORM_TYPES[form] == script["type"]
        assert (form in (EXACT_P2PKH, EXACT_P2SH)) == (len(script["hex"]) // 2 in (23, 25) and address != NO_ADDRESS)
        texts = [] if address == NO_ADDRESS else [encode_address(address, NETWORK)]
        if form != MULTISIG:
            assert texts == script.get("addresses", [])


def check_shielded(parsed: ParsedBlock, at: int, said: dict[str, Any]) -> None:
    splits = said["vJoinSplit"]
    assert ints(parsed.joinsplits, "I")[at] == len(splits)
    assert ints(parsed.sprout_in, "q")[at] == sum(j["vpub_oldZat"] for j in splits)
    assert ints(parsed.sprout_out, "q")[at] == sum(j["vpub_newZat"] for j in splits)
    assert ints(parsed.value_balances, "q")[at] == said.get("valueBalanceZat", 0)
    assert ints(parsed.shielded_spends, "I")[at] == len(said.get("vShieldedSpend", []))
    assert ints(parsed.shielded_outputs, "I")[at] == len(said.get("vShieldedOutput", []))


def check_ordinary(parsed: ParsedBlock, at: int, said: dict[str, Any]) -> None:
    assert parsed.kinds[at] == (TRANSFER if at else COINBASE)
    assert ints(parsed.headers, "I")[at] == said["version"] | said["overwintered"] << 31
    assert ints(parsed.lock_times, "I")[at] == said["locktime"]
    assert ints(parsed.expiry_heights, "I")[at] == said.get("expiryheight", 0)
    check_inputs(parsed, at, said["vin"])
    check_outputs(parsed, at, said["vout"])
    check_shielded(parsed, at, said)


def daemon_script(text: str) -> bytes:
    """A bare multisig redeem script from the daemon's words."""
    script = b""
    for word in text.split():
        if word == "OP_CHECKMULTISIG":
            script += b"\xae"
        else:
            script += bytes((0x50 + int(word),)) if len(word) < 3 else bytes((len(word) // 2,)) + bytes.fromhex(word)
    return script


def delegates_as_told(delegates: Delegates | None) -> dict[str, Any]:
    if delegates is None:
        return {}
    told = {"version": delegates.version, "type": delegates.type}
    keys = {"keys": [b64encode(key).decode() for key in delegates.keys]} if delegates.keys else {}
    return {"using_delegates": delegates.using, "delegate_data": told | keys}


def check_start(start: NodeStart, at: int, said: dict[str, Any]) -> None:
    assert (start.index, start.version, start.sig_time) == (at, said["version"], said["sigtime"])
    assert start.flux_version == said.get("fluxnode_upgraded_tx_version", 0)
    assert outpoint_text(start.outpoint) == f"{said['txhash']}:{said['outidx']}"
    assert b64encode(start.pubkey).decode() == said["zelnode_pubkey"]
    assert b64encode(start.collateral_pubkey).decode() == said.get("collateral_pubkey", "")
    assert b64encode(start.sig).decode() == said["sig"]
    assert start.redeem_script == daemon_script(said.get("redeemscript", ""))
    told = delegates_as_told(start.delegates)
    assert told == {k: said[k] for k in ("using_delegates", "delegate_data") if k in said}


def check_confirm(parsed: ParsedBlock, n: int, at: int, said: dict[str, Any]) -> None:
    ip_start = ints(parsed.confirm_ip_start, "I")
    assert ints(parsed.confirm_index, "I")[n] == at
    assert outpoint_text(parsed.confirm_outpoints[36 * n : 36 * n + 36]) == f"{said['txhash']}:{said['outidx']}"
    assert ints(parsed.confirm_sig_times, "I")[n] == said["sigtime"]
    assert ints(parsed.confirm_benchmark_times, "I")[n] == said["benchmark_sigtime"]
    assert ints(parsed.confirm_tiers, "b")[n] == TIERS[said["benchmark_tier"]]
    assert ints(parsed.confirm_updates, "b")[n] == said["update_type"]
    assert parsed.confirm_ips[ip_start[n] : ip_start[n + 1]].decode() == said["ip"]


def check_transactions(parsed: ParsedBlock, said: list[dict[str, Any]]) -> None:
    starts, confirms = iter(parsed.starts), 0
    assert [hash_text(t) for t in slices(parsed.txids, 32)] == [t["txid"] for t in said]
    for at, transaction in enumerate(said):
        if parsed.kinds[at] == NODE_START:
            check_start(next(starts), at, transaction)
        elif parsed.kinds[at] == NODE_CONFIRM:
            check_confirm(parsed, confirms, at, transaction)
            confirms += 1
        else:
            check_ordinary(parsed, at, transaction)
    assert confirms == len(parsed.confirm_index) // 4 and next(starts, None) is None


def test_recorded_blocks_are_what_the_daemon_says() -> None:
    kinds = set()
    for recording in RECORDED:
        parsed = twins.good_block(bytes.fromhex(recording["hex"]))
        check_header(parsed, recording["block"])
        check_transactions(parsed, recording["block"]["tx"])
        kinds |= set(parsed.kinds)
    assert kinds == {COINBASE, TRANSFER, NODE_START, NODE_CONFIRM}


def test_recorded_transactions_alone_are_as_in_their_block() -> None:
    for recording in RECORDED[::7]:
        parsed = twins.good_block(bytes.fromhex(recording["hex"]), full_ids=True)
        full_ids = iter(slices(parsed.full_ids, 32))
        for at, (start, end) in enumerate(pairwise(ints(parsed.tx_start, "I"))):
            alone = twins.good_transaction(parsed.raw[start:end])
            assert (alone.txid, alone.kind) == (parsed.txid(at), parsed.kinds[at])
            assert alone.full_id == sha256d(alone.raw)
            assert alone.full_id == (next(full_ids) if alone.kind >= NODE_START else alone.txid)
            assert alone.header == ints(parsed.headers, "I")[at]
            assert alone.value_balance == ints(parsed.value_balances, "q")[at]
        assert next(full_ids, None) is None


def test_full_ids_are_left_out_unless_asked_for() -> None:
    raw = bytes.fromhex(recorded.blocks()[1900]["hex"])
    assert (twins.good_block(raw).full_ids, len(twins.good_block(raw, full_ids=True).full_ids)) == (b"", 64)


@pytest.mark.parametrize("entry", recorded.main_blocks(), ids=lambda e: f"{e['network']}-{e['height']}")
def test_real_blocks(entry: dict[str, Any]) -> None:
    parsed = twins.good_block(bytes.fromhex(entry["raw"]))
    assert hash_text(parsed.hash) == entry["hash"]
    assert parsed.merkle_root == merkle_root(slices(parsed.txids, 32))


@pytest.mark.parametrize("entry", recorded.main_transactions(), ids=lambda e: e["txid"][:12])
def test_real_transactions(entry: dict[str, Any]) -> None:
    assert hash_text(twins.good_transaction(bytes.fromhex(entry["raw"])).txid) == entry["txid"]


@pytest.mark.parametrize("entry", recorded.zcash_blocks(), ids=lambda e: e["file"].removesuffix(".hex"))
def test_blocks_of_the_parent_chain(entry: dict[str, Any]) -> None:
    result = twins.block(entry["raw"], pon=False)
    if entry["parse"] != "ok":  # transactions of ZIP 225: the first one, behind header and count
        assert twins.refusal(result) == ("transaction version", 140 + 3 + entry["solution_len"] + 1)
    elif not entry["merkle_ok"]:
        assert isinstance(result, tuple) and result[0] == "MerkleMismatch" and entry["hash"] in result[3]
    else:
        assert isinstance(result, ParsedBlock)
        assert (hash_text(result.hash), len(result.proof)) == (entry["hash"], entry["solution_len"])
        assert (result.version, result.tx_count) == (entry.get("header_version", 4), entry["n_tx"])
        for column, key in (
            (result.joinsplits, "joinsplits"),
            (result.shielded_spends, "shielded_spends"),
            (result.shielded_outputs, "shielded_outputs"),
        ):
            assert sum(ints(column, "I")) == entry[key]


def vector(name: str) -> Any:
    return json.loads((recorded.DATA / "vectors" / f"{name}.json").read_text())


@pytest.mark.parametrize("network", ["main", "test", "regtest"])
def test_genesis_blocks(network: str) -> None:
    parsed = twins.good_block(bytes.fromhex((recorded.DATA / "vectors" / f"genesis-{network}.hex").read_text()))
    assert hash_text(parsed.txids) == "94c7aed6b2c67f1718006684bfc3b92081a2f19d59075691b189160d6f3aa13a"
    assert encode_address(parsed.addresses, NETWORK) == "tmJjLiBYvSPZkQbGYxYaXSor7CRC1RjQEff"


def check_vector(alone: ParsedTransaction, entry: dict[str, Any]) -> None:
    assert hash_text(alone.txid) == entry["txid"]
    assert alone.header & 0x7FFFFFFF == entry["version"]
    if (start := alone.start) is not None:
        assert start.pubkey.hex() == entry["pubKey"]
        assert start.collateral_pubkey.hex() == entry.get("collateralPubkey", "")
        assert start.redeem_script.hex() == entry.get("redeemScript", "")
        assert outpoint_text(start.outpoint) == "{txid}:{n}".format(**entry["collateral"])
        assert (start.sig.hex(), start.sig_time) == (entry["sig"], entry["sigTime"])
        assert start.flux_version == entry.get("nFluxTxVersion", 0)
        told = start.delegates and {
            "nDelegateVersion": start.delegates.version,
            "nType": start.delegates.type,
            "keys": [key.hex() for key in start.delegates.keys],
        }
        assert told == entry.get("delegate")
    if (confirm := alone.confirm) is not None:
        assert outpoint_text(confirm.outpoint) == "{txid}:{n}".format(**entry["collateral"])
        assert (confirm.sig_time, confirm.benchmark_time) == (entry["sigTime"], entry["benchmarkSigTime"])
        assert (confirm.tier, confirm.update) == (entry["benchmarkTier"], entry["nUpdateType"])
        assert confirm.ip.decode() == entry["ip"]


@pytest.mark.parametrize("entry", [*vector("fluxnode-tx"), *vector("transparent-tx")], ids=lambda e: e["txid"][:12])
def test_transaction_vectors(entry: dict[str, Any]) -> None:
    check_vector(twins.good_transaction(bytes.fromhex(entry["hex"])), entry)


def test_pon_header_vector() -> None:
    entry = vector("pon-header")
    coinbase = bytes.fromhex((recorded.DATA / "vectors" / "genesis-main.hex").read_text())[1488:]
    result = twins.block(bytes.fromhex(entry["header_hex"]) + b"\x01" + coinbase)
    assert isinstance(result, tuple) and re.match(f"block {entry['block_hash']}: its header has", result[3])
