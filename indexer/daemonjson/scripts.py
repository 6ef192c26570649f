"""Output scripts as the daemon's JSON has them (``rpc/rawtransaction.cpp:ScriptPubKeyToJSON``)."""

from __future__ import annotations

from typing import Any, Final

from indexer.chain.address import encode_address
from indexer.chain.hashes import hash160
from indexer.chain.keys import NO_ADDRESS, P2PKH
from indexer.chain.params import Network
from indexer.daemonjson.asm import asm
from indexer.parse.columns import FORM_TYPES, MULTISIG
from indexer.parse.scripts import classify, operations

KEY_SIZES: Final = {2: 33, 3: 33, 4: 65, 6: 65, 7: 65}  # pubkey.h: CPubKey::GetLen
OP_1 = 0x51


def script_json(network: Network, script: bytes) -> dict[str, Any]:
    """An output script: words, hex, type, and the addresses that it names."""
    form, address = classify(script)
    shown: dict[str, Any] = {"asm": asm(script), "hex": script.hex()}
    keys = _multisig_keys(script) if form == MULTISIG else [] if address == NO_ADDRESS else [address]
    if keys:
        shown["reqSigs"] = script[0] - OP_1 + 1 if form == MULTISIG else 1
    shown["type"] = FORM_TYPES[form]
    if keys:
        shown["addresses"] = [encode_address(key, network) for key in keys]
    return shown


def _multisig_keys(script: bytes) -> list[bytes]:
    """The address keys of those public keys of a multisig script that could be one."""
    pushed = [key for _, key in operations(script) or ()][1:-2]
    return [bytes((P2PKH,)) + hash160(key) for key in pushed if key and KEY_SIZES.get(key[0]) == len(key)]
