"""The shielded parts of transactions as the daemon's JSON has them (``rpc/rawtransaction.cpp``)."""

from __future__ import annotations

from typing import Any

from indexer.chain.keys import hash_text
from indexer.daemonjson.words import coins
from indexer.parse.cursor import Cursor

GROTH_PROOF, PHGR_PROOF, NOTE_CIPHERTEXT = 192, 296, 601
SPEND_SIZE, OUTPUT_SIZE = 384, 948

Shown = dict[str, Any]


def shielded_spends(c: Cursor) -> list[Shown]:
    """``vShieldedSpend`` (``TxShieldedSpendsToJSON``)."""
    return [_spend(c) for _ in range(c.count("shielded spend count", SPEND_SIZE))]


def shielded_outputs(c: Cursor) -> list[Shown]:
    """``vShieldedOutput`` (``TxShieldedOutputsToJSON``)."""
    return [_output(c) for _ in range(c.count("shielded output count", OUTPUT_SIZE))]


def joinsplits(c: Cursor, *, groth: bool) -> list[Shown]:
    """``vJoinSplit`` (``TxJoinSplitToJSON``); ``groth``: with the proofs of Sapling transactions."""
    found = [_joinsplit(c, GROTH_PROOF if groth else PHGR_PROOF) for _ in range(c.count("JoinSplit count", 1))]
    if found:
        c.take(32 + 64, "joinSplitPubKey, joinSplitSig")
    return found


def _hash(c: Cursor, item: str) -> str:
    return hash_text(c.take(32, item))


def _spend(c: Cursor) -> Shown:
    shown = {name: _hash(c, name) for name in ("cv", "anchor", "nullifier", "rk")}
    return shown | {"proof": c.take(GROTH_PROOF, "proof").hex(), "spendAuthSig": c.take(64, "spendAuthSig").hex()}


def _output(c: Cursor) -> Shown:
    shown = {name: _hash(c, name) for name in ("cv", "cmu", "ephemeralKey")}
    shown |= {"encCiphertext": c.take(580, "encCiphertext").hex(), "outCiphertext": c.take(80, "outCiphertext").hex()}
    return shown | {"proof": c.take(GROTH_PROOF, "proof").hex()}


def _joinsplit(c: Cursor, proof_size: int) -> Shown:
    old, new = c.i64("vpub_old"), c.i64("vpub_new")
    shown: Shown = {"vpub_old": coins(old), "vpub_oldZat": old, "vpub_new": coins(new), "vpub_newZat": new}
    shown["anchor"] = _hash(c, "anchor")
    shown["nullifiers"] = [_hash(c, "nullifier") for _ in range(2)]
    shown["commitments"] = [_hash(c, "commitment") for _ in range(2)]
    shown |= {"onetimePubKey": _hash(c, "ephemeralKey"), "randomSeed": _hash(c, "randomSeed")}
    shown["macs"] = [_hash(c, "mac") for _ in range(2)]
    shown["proof"] = c.take(proof_size, "proof").hex()
    return shown | {"ciphertexts": [c.take(NOTE_CIPHERTEXT, "ciphertext").hex() for _ in range(2)]}
